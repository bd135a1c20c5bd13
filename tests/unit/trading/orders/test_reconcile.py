"""Reconciliation: pure functions over what journal and broker say."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.messages.snapshot import Position
from alchemiser_common.ports.broker import BrokerOrder, LimitOrder, OrderStatus
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.plan import PlannedLeg
from alchemiser_trading.orders.legs import LegPhase, LegState, Step, start
from alchemiser_trading.orders.reconcile import Difference, Finding, compare_orders, compare_positions, fold, resume
from support.messages import SCHEDULED
from support.reconciling import A, B, leg, order, plan

HALF, COST = Decimal(5), Decimal(11)


def intent(planned: PlannedLeg, step: int) -> Intent:
    return Intent(
        client_order_id=f"{planned.symbol}-{step}",
        leg=planned.number,
        step=step,
        symbol=planned.symbol,
        side=planned.side,
        quantity=planned.quantity,
        limit_price=planned.price,
        cost_price=COST,
        leg_quantity=HALF,
        arrival_mid=planned.price - step,
        leg_started_at=SCHEDULED - timedelta(minutes=2 - step),
        authority_epoch=1,
        lease_epoch=1,
        written_at=SCHEDULED,
    )


STEP = "leg 1 step 1 (AAA-1): "


@pytest.mark.parametrize(
    ("found", "finding", "stops", "detail"),
    [
        (None, Finding.ABSENT, False, "the broker does not know it"),
        (order("AAA-1", Side.SELL, OrderStatus.OPEN), Finding.OPEN, False, "open, 0 filled"),
        (
            order("AAA-1", Side.SELL, OrderStatus.FILLED, filled_quantity=Decimal(10)),
            Finding.ENDED,
            False,
            "filled, 10 filled",
        ),
        (
            order("AAA-1", Side.BUY, OrderStatus.OPEN),
            Finding.ALTERED,
            True,
            "order id-AAA-1 is buy AAA instead of sell AAA",
        ),
        (
            order("AAA-1", Side.SELL, OrderStatus.OPEN, symbol="ZZZ"),
            Finding.ALTERED,
            True,
            "order id-AAA-1 is sell ZZZ instead of sell AAA",
        ),
    ],
)
def test_every_intent_is_classified(found: BrokerOrder | None, finding: Finding, *, stops: bool, detail: str) -> None:
    orders = {} if found is None else {"AAA-1": found}
    (difference,) = compare_orders([intent(A, 1)], orders, [])
    assert difference == Difference(finding, "AAA", STEP + detail)
    assert difference.stops is stops


def test_an_open_order_that_no_intent_explains_stops_the_run() -> None:
    (difference,) = compare_orders([], {}, [order("XXX-9", Side.BUY, OrderStatus.OPEN)])
    detail = "open buy order of XXX is not this run's: id-XXX-9 (XXX-9)"
    assert difference == Difference(Finding.FOREIGN, "XXX", detail)
    assert difference.stops


def test_the_successor_of_a_replaced_order_is_explained() -> None:
    first = order("AAA-1", Side.SELL, OrderStatus.REPLACED, filled_quantity=Decimal(3), average_price=Decimal(10))
    second = order("AAA-x", Side.SELL, OrderStatus.OPEN, filled_quantity=Decimal(2), average_price=Decimal(9))
    folded = fold([first, second])
    found = compare_orders([intent(A, 1)], {"AAA-1": folded}, [second])
    assert [item.finding for item in found] == [Finding.OPEN]


def test_a_chain_of_replaced_orders_counts_as_one() -> None:
    first, second, last = (
        order(f"AAA-{name}", Side.SELL, status, submitted_at=SCHEDULED + timedelta(seconds=number), **fills)
        for number, (name, status, fills) in enumerate(
            [
                ("1", OrderStatus.REPLACED, {"filled_quantity": Decimal(3), "average_price": Decimal(10)}),
                ("x", OrderStatus.REPLACED, {}),
                ("y", OrderStatus.OPEN, {"filled_quantity": Decimal(2), "average_price": Decimal(9)}),
            ]
        )
    )
    one = {
        "client_order_id": "AAA-1",
        "filled_quantity": Decimal(5),
        "average_price": Decimal("9.6"),
        "submitted_at": SCHEDULED,
    }
    assert fold([first, second, last]) == last.model_copy(update=one)


@pytest.mark.parametrize(
    ("filled", "price", "average"), [("0", None, None), ("0.5", None, None), ("0.5", "10", Decimal(10))]
)
def test_a_folded_order_has_a_price_once_all_its_fills_have_one(
    filled: str, price: str | None, average: Decimal | None
) -> None:
    told = {"filled_quantity": Decimal(filled), "average_price": Decimal(price) if price else None}
    folded = fold(
        [order("AAA-1", Side.SELL, OrderStatus.REPLACED), order("AAA-x", Side.SELL, OrderStatus.OPEN, **told)]
    )
    assert (folded.filled_quantity, folded.average_price) == (Decimal(filled), average)


def test_two_open_orders_of_one_leg_stop_the_run() -> None:
    orders = {f"BBB-{step}": order(f"BBB-{step}", Side.BUY, OrderStatus.OPEN) for step in (1, 2)}
    found = compare_orders([intent(A, 1), intent(B, 1), intent(B, 2)], orders, [])
    twice = Difference(Finding.TWICE, "BBB", "2 orders of leg 2 are open")
    assert [item for item in found if item.stops] == [twice]


def position(symbol: str, quantity: str) -> Position:
    return Position(
        symbol=symbol,
        quantity=Decimal(quantity),
        available=Decimal(quantity),
        market_value=Decimal(0),
        price=Decimal(10),
        average_entry_price=Decimal(10),
    )


@pytest.mark.parametrize(
    ("shown", "named"),
    [
        ({"AAA": "6", "BBB": "10", "CCC": "1"}, {}),
        ({"AAA": "6.000000001", "BBB": "9.999999999", "CCC": "1"}, {}),
        ({"AAA": "6.000000002", "BBB": "10", "CCC": "1"}, {"AAA": "6.000000002 shares at the broker, 6 by the fills"}),
        ({"AAA": "6", "BBB": "10"}, {"CCC": "0 shares at the broker, 1 by the fills"}),
        ({"AAA": "6", "CCC": "1"}, {"BBB": "0 shares at the broker, 10 by the fills"}),
        (
            {"AAA": "-6", "BBB": "10", "CCC": "1", "ZZZ": "1"},
            {
                "AAA": "-6 shares at the broker, 6 by the fills",
                "ZZZ": "1 shares at the broker, 0 by the fills",
            },
        ),
    ],
    ids=["as the fills say", "but for dust", "more than dust", "one is gone", "a buy is missing", "others"],
)
def test_a_position_that_start_and_fills_do_not_explain_is_named(shown: dict[str, str], named: dict[str, str]) -> None:
    before = plan(A, B).model_copy(update={"positions": (position("AAA", "10"), position("CCC", "1"))})
    legs = [
        replace(
            start(planned),
            chain=(order(f"{planned.symbol}-1", planned.side, OrderStatus.FILLED, filled_quantity=filled),),
        )
        for planned, filled in ((A, Decimal(4)), (B, Decimal(10)))
    ]
    found = compare_positions(before, legs, [position(symbol, quantity) for symbol, quantity in shown.items()])
    assert found == tuple(Difference(Finding.POSITION, symbol, detail) for symbol, detail in named.items())


def resumed_at(planned: PlannedLeg, step: int, **changes: Any) -> LegState:
    """A leg whose last written step is `step`, as its intents tell."""
    state = replace(
        start(planned),
        pending=Step(step, planned.quantity, LimitOrder(planned.price), COST),
        intended=HALF,
        steps=step,
        since=SCHEDULED,
        arrival_mid=planned.price - 1,
        started_at=SCHEDULED - timedelta(seconds=60),
    )
    return replace(state, **changes)


def test_a_resumed_run_takes_each_leg_where_the_broker_has_it() -> None:
    c = leg(3, "CCC", Side.BUY, "10")
    ended = [
        order(f"AAA-{step}", Side.SELL, OrderStatus.CANCELLED, filled_quantity=Decimal(2), average_price=Decimal(10))
        for step in (1, 3)
    ]
    working = order("AAA-4", Side.SELL, OrderStatus.OPEN, filled_quantity=Decimal(1), average_price=Decimal(10))
    orders = {item.client_order_id: item for item in (*ended, working)}
    intents = [*(intent(A, step) for step in (1, 2, 3, 4)), intent(B, 1)]
    assert resume(plan(A, B, c), intents, orders, SCHEDULED) == (
        resumed_at(A, 4, phase=LegPhase.WORKING, chain=tuple(ended), order=working, walked=3),
        resumed_at(B, 1, phase=LegPhase.SENT),
        start(c),
    )


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        (OrderStatus.OPEN, LegPhase.WORKING),
        (OrderStatus.FILLED, LegPhase.WORKING),
        (OrderStatus.CANCELLING, LegPhase.CANCELLING),
        (OrderStatus.CANCELLED, LegPhase.CANCELLING),
    ],
)
def test_a_resumed_cancel_is_taken_for_the_runs_own(status: OrderStatus, phase: LegPhase) -> None:
    (state,) = resume(plan(A), [intent(A, 1)], {"AAA-1": order("AAA-1", Side.SELL, status)}, SCHEDULED)
    assert state.phase is phase
