"""Reconciliation and cash: pure functions over what journal and broker say."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, OrderStatus
from alchemiser_trading.cash import Purse, release_buys
from alchemiser_trading.execution import abandoned, release
from alchemiser_trading.journal import Intent
from alchemiser_trading.legs import LegPhase, LegState, Step, start
from alchemiser_trading.plan import Plan, PlannedLeg
from alchemiser_trading.reconcile import Finding, compare_orders, compare_positions, fold, resume
from support.messages import ACCOUNT, RUN, SCHEDULED, SESSION


def leg(number: int, symbol: str, side: Side, quantity: str, price: str = "10") -> PlannedLeg:
    return PlannedLeg(
        number=number,
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        fractionable=True,
    )


def plan(*legs: PlannedLeg, cash: str = "0", reserve: str = "0") -> Plan:
    return Plan(
        run_id=RUN,
        decision_hash="",
        session=SESSION.day,
        made_at=SCHEDULED,
        account=ACCOUNT.model_copy(update={"cash": Decimal(cash)}),
        positions=(),
        reserve=Decimal(reserve),
        targets=(),
        strategy_targets=(),
        legs=legs,
    )


def intent(planned: PlannedLeg, step: int) -> Intent:
    return Intent(
        client_order_id=f"{planned.symbol}-{step}",
        leg=planned.number,
        step=step,
        symbol=planned.symbol,
        side=planned.side,
        quantity=planned.quantity,
        limit_price=planned.price,
        cost_price=planned.price,
        leg_quantity=planned.quantity,
        arrival_mid=None,
        leg_started_at=SCHEDULED,
        authority_epoch=1,
        lease_epoch=1,
        written_at=SCHEDULED,
    )


def order(client_order_id: str, side: Side, status: OrderStatus, **changes: object) -> BrokerOrder:
    made = BrokerOrder(
        order_id=f"id-{client_order_id}",
        client_order_id=client_order_id,
        symbol=client_order_id.partition("-")[0],
        side=side,
        status=status,
        quantity=Decimal(10),
        filled_quantity=Decimal(0),
    )
    return made.model_copy(update=changes)


A = leg(1, "AAA", Side.SELL, "10")
B = leg(2, "BBB", Side.BUY, "10")


@pytest.mark.parametrize(
    ("found", "finding", "stops"),
    [
        (None, Finding.ABSENT, False),
        (order("AAA-1", Side.SELL, OrderStatus.OPEN), Finding.OPEN, False),
        (order("AAA-1", Side.SELL, OrderStatus.FILLED), Finding.ENDED, False),
        (order("AAA-1", Side.BUY, OrderStatus.OPEN), Finding.ALTERED, True),
        (order("AAA-1", Side.SELL, OrderStatus.OPEN, symbol="ZZZ"), Finding.ALTERED, True),
    ],
)
def test_every_intent_is_classified(found: BrokerOrder | None, finding: Finding, stops: bool) -> None:
    orders = {} if found is None else {"AAA-1": found}
    (difference,) = compare_orders([intent(A, 1)], orders, [])
    assert (difference.finding, difference.stops) == (finding, stops)


def test_an_open_order_that_no_intent_explains_stops_the_run() -> None:
    (difference,) = compare_orders([], {}, [order("XXX-9", Side.BUY, OrderStatus.OPEN)])
    assert (difference.finding, difference.stops) == (Finding.FOREIGN, True)


def test_the_successor_of_a_replaced_order_is_explained() -> None:
    first = order("AAA-1", Side.SELL, OrderStatus.REPLACED, filled_quantity=Decimal(3), average_price=Decimal(10))
    second = order("AAA-x", Side.SELL, OrderStatus.OPEN, filled_quantity=Decimal(2), average_price=Decimal(9))
    folded = fold([first, second])
    assert folded.filled_quantity == Decimal(5)
    assert folded.average_price == Decimal("9.6")
    assert folded.client_order_id == "AAA-1"
    found = compare_orders([intent(A, 1)], {"AAA-1": folded}, [second])
    assert [item.finding for item in found] == [Finding.OPEN]


def test_two_open_orders_of_one_leg_stop_the_run() -> None:
    orders = {f"AAA-{step}": order(f"AAA-{step}", Side.SELL, OrderStatus.OPEN) for step in (1, 2)}
    found = compare_orders([intent(A, 1), intent(A, 2)], orders, [])
    assert [item.finding for item in found if item.stops] == [Finding.TWICE]


def test_a_position_that_the_fills_do_not_explain_is_named() -> None:
    state = LegState(
        leg=B,
        phase=LegPhase.DONE,
        intended=B.quantity,
        chain=(order("BBB-1", Side.BUY, OrderStatus.FILLED, filled_quantity=Decimal(10)),),
    )
    (difference,) = compare_positions(plan(A, B), [state], [])
    assert (difference.finding, difference.symbol) == (Finding.POSITION, "BBB")


def test_a_resumed_run_takes_each_leg_where_the_broker_has_it() -> None:
    c = leg(3, "CCC", Side.BUY, "10")
    done = order("AAA-1", Side.SELL, OrderStatus.CANCELLED, filled_quantity=Decimal(4), average_price=Decimal(10))
    working = order("AAA-2", Side.SELL, OrderStatus.OPEN, filled_quantity=Decimal(1), average_price=Decimal(10))
    states = resume(
        plan(A, B, c), [intent(A, 1), intent(A, 2), intent(B, 1)], {"AAA-1": done, "AAA-2": working}, SCHEDULED
    )
    assert [state.phase for state in states] == [LegPhase.WORKING, LegPhase.SENT, LegPhase.HELD]
    assert states[0].remaining == Decimal(5)
    assert states[0].steps == 2


def sold(value: str, *, price: bool = True, done: bool = True) -> LegState:
    filled = order(
        "AAA-1",
        Side.SELL,
        OrderStatus.FILLED,
        filled_quantity=Decimal(value) / 10,
        average_price=Decimal(10) if price else None,
    )
    return LegState(
        leg=A,
        phase=LegPhase.DONE if done else LegPhase.READY,
        intended=A.quantity,
        chain=(filled,),
        ended_at=SCHEDULED,
        outcome=LegStatus.FILLED,
    )


NOTHING = Decimal(0)
SETTLE = timedelta(seconds=30)


@pytest.mark.parametrize(
    ("broker_cash", "price", "released"),
    [("100", True, True), ("0", True, False), ("100", False, False), ("99", True, False)],
    ids=["cash is there", "cash lags", "price unknown", "fees took some"],
)
def test_a_buy_waits_for_confirmed_proceeds_and_for_the_brokers_cash(
    broker_cash: str, price: bool, released: bool
) -> None:
    purse = Purse(plan(A, B), [sold("100", price=price), start(B)], Decimal(broker_cash))
    legs = release_buys(purse, NOTHING, SCHEDULED + timedelta(seconds=1), SETTLE)
    assert (legs[1].phase is LegPhase.READY and legs[1].intended == B.quantity) is released


def test_cash_lags_while_the_broker_shows_less_than_the_fills() -> None:
    legs = [sold("100"), start(B)]
    assert Purse(plan(A, B, cash="1000"), legs, Decimal(900)).lags, "100 USD are missing, and the last sale with them"
    assert not Purse(plan(A, B, cash="1000"), legs, Decimal(1001)).lags, "fees may take a little for good"


@pytest.mark.parametrize(
    ("phase", "side", "coming"),
    [
        (LegPhase.READY, Side.SELL, True),
        (LegPhase.DONE, Side.SELL, False),
        (LegPhase.WORKING, Side.BUY, True),
        (LegPhase.SENT, Side.BUY, True),
        (LegPhase.CANCELLING, Side.BUY, True),
        (LegPhase.READY, Side.BUY, False),
        (LegPhase.HELD, Side.BUY, False),
    ],
)
def test_cash_is_coming_from_sales_and_from_buys_under_way(phase: LegPhase, side: Side, *, coming: bool) -> None:
    other = replace(start(leg(3, "CCC", side, "1")), phase=phase)
    mine = release(start(B), B.quantity)
    assert Purse(plan(B), [mine, other], Decimal(0)).coming(mine) is coming


def test_a_fill_without_a_price_counts_at_its_limit() -> None:
    bought = order("BBB-1", Side.BUY, OrderStatus.FILLED, filled_quantity=Decimal(4), limit_price=Decimal(11))
    state = replace(release(start(B), B.quantity), chain=(bought,))
    assert Purse(plan(B, cash="100"), [state], Decimal(100)).ledger == Decimal(56)


def test_an_order_without_fills_has_no_price_even_when_folded() -> None:
    folded = fold([order("AAA-1", Side.SELL, OrderStatus.REPLACED), order("AAA-x", Side.SELL, OrderStatus.OPEN)])
    assert (folded.filled_quantity, folded.average_price) == (Decimal(0), None)


def test_when_cash_stays_short_the_buys_share_it() -> None:
    c = leg(3, "CCC", Side.BUY, "30")
    purse = Purse(plan(A, B, c), [sold("40"), start(B), start(c)], Decimal(40))
    legs = release_buys(purse, NOTHING, SCHEDULED + timedelta(minutes=1), SETTLE)
    assert [state.intended for state in legs[1:]] == [Decimal(1), Decimal(3)]
    assert "cash falls short" in legs[1].reason


def test_a_buy_under_way_keeps_its_cash_from_the_others() -> None:
    c = leg(3, "CCC", Side.BUY, "10")
    purse = Purse(plan(B, c, cash="150"), [release(start(B), B.quantity), start(c)], Decimal(150))
    assert purse.spendable() == Decimal(50)
    assert purse.spendable(without=purse.legs[0]) == Decimal(150)


def test_a_frozen_buy_keeps_its_cash() -> None:
    working = replace(
        release(start(B), B.quantity),
        phase=LegPhase.CANCELLING,
        pending=Step(1, Decimal(10), Decimal(10), Decimal(10)),
        order=order("BBB-1", Side.BUY, OrderStatus.CANCELLING, filled_quantity=Decimal(4), average_price=Decimal(10)),
    )
    frozen = abandoned(working, "stuck", SCHEDULED)
    purse = Purse(plan(B, cash="150"), [frozen], Decimal(150))
    assert purse.spendable() == Decimal(150) - 40 - 60
