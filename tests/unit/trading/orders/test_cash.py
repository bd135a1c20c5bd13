"""Cash: when buys may begin, and for how much."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import LimitOrder, MarketOrder, OrderStatus
from alchemiser_trading.orders.cash import CashBudget, release_buys
from alchemiser_trading.orders.legs import LegPhase, LegState, Step, start
from alchemiser_trading.orders.smart_execution import release, stop
from support.messages import SCHEDULED
from support.reconciling import A, B, leg, order, plan


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
    ("broker_cash", "proceeds", "price", "seconds", "shares"),
    [
        ("100", "100", True, 1, "10"),
        ("0", "100", True, 29, None),
        ("0", "100", True, 30, "0"),
        ("100", "100", False, 29, None),
        ("100", "5", False, 29, None),
        ("100", "5", False, 30, "0"),
        ("99", "100", True, 1, "9.9"),
        ("-3", "0", True, 30, "0"),
    ],
    ids=[
        "cash is there",
        "cash lags",
        "cash lagged long enough",
        "price unknown",
        "price of half a share unknown",
        "price unknown for long enough",
        "fees took some",
        "less than no cash",
    ],
)
def test_a_buy_waits_for_confirmed_proceeds_and_for_the_brokers_cash(
    broker_cash: str, proceeds: str, price: bool, seconds: int, shares: str | None
) -> None:
    sale, buy = sold(proceeds, price=price), start(B)
    budget = CashBudget(plan(A, B, equity="1000"), [sale, buy], Decimal(broker_cash))
    first, second = release_buys(budget, NOTHING, SCHEDULED + timedelta(seconds=seconds), SETTLE)
    assert first is sale
    if shares is None:
        assert second is buy
    else:
        assert (second.phase, second.intended) == (LegPhase.READY, Decimal(shares))


def test_without_another_leg_there_is_no_cash_to_wait_for() -> None:
    budget = CashBudget(plan(B, cash="1000"), [start(B)], Decimal(50))
    (state,) = release_buys(budget, NOTHING, SCHEDULED, SETTLE)
    assert (budget.lags, state.intended) == (True, Decimal(5))


def test_while_another_leg_is_under_way_no_buy_is_cut() -> None:
    held = start(B)
    budget = CashBudget(plan(A, B), [sold("40", done=False), held], Decimal(40))
    assert release_buys(budget, NOTHING, SCHEDULED + timedelta(hours=1), SETTLE)[1] is held


@pytest.mark.parametrize(
    ("cash", "released"),
    [
        ("201.99", [True, False, True]),
        ("202", [True, True, False]),
        ("252.5", [True, True, True]),
        ("101", [True, False, False]),
    ],
)
def test_buys_are_released_largest_first_as_far_as_cash_with_its_allowance_goes(
    cash: str, released: list[bool]
) -> None:
    buys = [start(leg(number, "BBB", Side.BUY, quantity)) for number, quantity in ((2, "10"), (3, "10"), (4, "5"))]
    waiting = replace(start(leg(5, "DDD", Side.SELL, "1")), phase=LegPhase.WORKING)
    budget = CashBudget(plan(B, cash=cash), [*buys, waiting], Decimal(cash))
    after = release_buys(budget, Decimal("0.01"), SCHEDULED, SETTLE)
    assert [state.phase is LegPhase.READY for state in after[:3]] == released


def test_a_stopped_buy_is_neither_released_nor_cut() -> None:
    stopped = stop(start(B), "halted")
    for cash in ("0", "50", "1000"):
        budget = CashBudget(plan(B, cash=cash), [stopped], Decimal(cash))
        assert release_buys(budget, NOTHING, SCHEDULED + timedelta(hours=1), SETTLE) == [stopped]


def test_cash_lags_while_the_broker_shows_less_than_the_fills() -> None:
    legs = [sold("100"), start(B)]
    assert CashBudget(plan(A, B, cash="1000"), legs, Decimal(900)).lags, (
        "100 USD are missing, and the last sale with them"
    )
    assert not CashBudget(plan(A, B, cash="1000"), legs, Decimal(1001)).lags, "fees may take a little for good"


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
    assert CashBudget(plan(B), [mine, other], Decimal(0)).coming(mine) is coming


def test_a_fill_without_a_price_counts_at_its_limit() -> None:
    bought = order(
        "BBB-1", Side.BUY, OrderStatus.FILLED, filled_quantity=Decimal(4), order_type=LimitOrder(Decimal(11))
    )
    state = replace(release(start(B), B.quantity), chain=(bought,))
    assert CashBudget(plan(B, cash="100"), [state], Decimal(100)).ledger == Decimal(56)


def test_when_cash_stays_short_the_buys_share_it() -> None:
    c = leg(3, "CCC", Side.BUY, "30").model_copy(update={"fractionable": False})
    sale = sold("40")
    budget = CashBudget(plan(A, B, c), [sale, start(B), start(c)], Decimal(40))
    assert release_buys(budget, Decimal("0.01"), SCHEDULED + timedelta(minutes=1), SETTLE) == [
        sale,
        release(start(B), Decimal("0.990099"), "cut from 10 to 0.990099 shares: cash falls short"),
        release(start(c), Decimal(2), "cut from 30 to 2 shares: cash falls short"),
    ]


def test_a_buy_under_way_keeps_its_cash_from_the_others() -> None:
    c = leg(3, "CCC", Side.BUY, "10")
    budget = CashBudget(plan(B, c, cash="150"), [release(start(B), B.quantity), start(c)], Decimal(150))
    assert budget.spendable() == Decimal(50)
    assert budget.spendable(without=budget.legs[0]) == Decimal(150)


def test_the_reserve_is_not_spent_and_a_buy_under_way_keeps_what_its_order_may_cost() -> None:
    sent = replace(
        release(start(B), B.quantity), phase=LegPhase.SENT, pending=Step(1, Decimal(10), MarketOrder(), Decimal(11))
    )
    assert CashBudget(plan(B, cash="150", reserve="12"), [sent], Decimal(150)).spendable() == Decimal(150) - 12 - 110
    assert CashBudget(plan(B, cash="150", reserve="12"), [start(B)], Decimal(149)).spendable() == Decimal(149) - 12


STEP = Step(1, Decimal(10), LimitOrder(Decimal(11)), Decimal(11))
PART = order("BBB-1", Side.BUY, OrderStatus.CANCELLING, filled_quantity=Decimal(4), average_price=Decimal(10))
ALL = order("BBB-1", Side.BUY, OrderStatus.CANCELLING, filled_quantity=Decimal(10), average_price=Decimal(10))
ENDED = order("BBB-1", Side.BUY, OrderStatus.CANCELLED, filled_quantity=Decimal(4), average_price=Decimal(10))


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        (replace(start(B), pending=STEP, order=PART, outcome=LegStatus.FROZEN), 6 * 11),
        (replace(start(B), pending=STEP, order=ALL, outcome=LegStatus.FROZEN), 0),
        (replace(start(B), pending=STEP, order=ENDED, outcome=LegStatus.FROZEN), 0),
        (replace(start(B), pending=STEP, outcome=LegStatus.FROZEN), 10 * 11),
        (replace(start(B), pending=STEP, outcome=LegStatus.UNFILLED), 0),
        (replace(start(B), outcome=LegStatus.FROZEN), 0),
    ],
    ids=["open", "open but filled", "ended", "never found", "surely absent", "never sent"],
)
def test_a_buy_that_is_done_keeps_what_its_order_can_still_cost(state: LegState, kept: int) -> None:
    done = replace(state, phase=LegPhase.DONE)
    budget = CashBudget(plan(B, cash="500"), [done], Decimal(500))
    assert budget.spendable() == Decimal(500) - done.known_value - kept
