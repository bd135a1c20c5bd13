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
from support.legs import at
from support.messages import SCHEDULED
from support.reconciling import A, B, leg, order, plan

OPEN, FILLED, CANCELLED = OrderStatus.OPEN, OrderStatus.FILLED, OrderStatus.CANCELLED


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
SETTLE, PATIENCE = timedelta(seconds=30), timedelta(seconds=300)
ENOUGH = Decimal(10**9)


def released(budget: CashBudget, seconds: float, allowance: Decimal = NOTHING) -> list[LegState]:
    return release_buys(budget, allowance, at(seconds), SETTLE, PATIENCE)


def short(state: LegState, seconds: float) -> LegState:
    return replace(state, short_since=at(seconds))


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
    budget = CashBudget(plan(A, B, equity="1000"), [sale, buy], Decimal(broker_cash), ENOUGH)
    first, second = released(budget, seconds)
    assert first is sale
    if shares is None:
        assert second == short(buy, seconds)
    else:
        assert (second.phase, second.intended) == (LegPhase.READY, Decimal(shares))


def test_without_another_leg_there_is_no_cash_to_wait_for() -> None:
    budget = CashBudget(plan(B, cash="1000"), [start(B)], Decimal(50), ENOUGH)
    (state,) = released(budget, 0)
    assert (budget.lags, state.intended) == (True, Decimal(5))


@pytest.mark.parametrize(
    ("broker_cash", "power", "shares"),
    [("100", "100", "10"), ("100", "70", "7"), ("70", "100", "7"), ("100", "0", "0"), ("100", "-5", "0")],
    ids=["both cover it", "less power than cash", "less cash than power", "no power", "less than none"],
)
def test_the_lower_of_cash_and_buying_power_is_what_there_is(broker_cash: str, power: str, shares: str) -> None:
    budget = CashBudget(plan(B, cash="100"), [start(B)], Decimal(broker_cash), Decimal(power))
    (state,) = released(budget, 0)
    assert (state.phase, state.intended) == (LegPhase.READY, Decimal(shares))


def test_buying_power_has_open_orders_taken_off_already_and_cash_has_not() -> None:
    step, working = Step(1, Decimal(5), LimitOrder(Decimal(10)), Decimal(10)), order("BBB-1", Side.BUY, OPEN)
    c, d = leg(3, "CCC", Side.BUY, "3"), leg(4, "DDD", Side.BUY, "10")
    at_broker = replace(release(start(B), Decimal(5)), phase=LegPhase.WORKING, pending=step, order=working)
    promised = release(start(c), Decimal(3))
    legs = [at_broker, promised, start(d)]
    assert CashBudget(plan(B, c, d, cash="200"), legs, Decimal(200), ENOUGH).spendable() == 200 - 50 - 30
    assert CashBudget(plan(B, c, d, cash="200"), legs, Decimal(200), Decimal(60)).spendable() == 60 - 30
    assert CashBudget(plan(B, c, d, cash="200"), legs, ENOUGH, Decimal(60)).spendable(without=promised) == 60
    assert CashBudget(plan(B, c, d, cash="200"), legs, Decimal(200), ENOUGH).spendable(without=at_broker) == 200 - 30
    assert (
        CashBudget(plan(B, c, d, cash="200"), legs, Decimal(200), Decimal(60)).spendable(without=at_broker) == 60 - 30
    )
    doubtful = replace(at_broker, unknown=Decimal(2))
    unknown = CashBudget(plan(B, c, d, cash="200"), [doubtful, promised, start(d)], Decimal(200), ENOUGH)
    assert unknown.spendable() == 200 - 50 - 30, "what may have been filled is kept as what may yet be"
    assert not CashBudget(plan(B, c, d, cash="200", equity="0"), legs, Decimal(200), Decimal(150)).lags
    assert CashBudget(plan(B, c, d, cash="200", equity="0"), legs, Decimal(200), Decimal(149)).lags


def test_while_another_leg_is_under_way_a_buy_is_not_cut_but_after_a_while_released_for_what_there_is() -> None:
    sale, held = sold("40", done=False), start(B)
    budget = CashBudget(plan(A, B), [sale, held], Decimal(40), ENOUGH)
    assert released(budget, 3600) == [sale, short(held, 3600)], "the wait begins when it is short"
    waiting = CashBudget(plan(A, B), [sale, short(held, 0)], Decimal(40), ENOUGH)
    assert released(waiting, 299.9) == waiting.legs
    part = replace(release(held, Decimal(4)), for_now=True)
    assert released(waiting, 300) == [sale, part], "no reason of a cut: the rest is still wanted"
    nothing = CashBudget(plan(A, B), [sale, short(held, 0)], Decimal("0.5"), ENOUGH)
    assert released(nothing, 300) == nothing.legs, "too little to order"


def test_what_a_buy_got_for_now_counts_when_it_is_topped_up() -> None:
    got = order("BBB-1", Side.BUY, FILLED, filled_quantity=Decimal(4), average_price=Decimal(10))
    held = replace(start(B), chain=(got,), steps=1)
    for cash, shares in (("60", "10"), ("30", "7"), ("0", "4")):
        budget = CashBudget(plan(B, cash=str(40 + int(cash))), [held], Decimal(cash), ENOUGH)
        (state,) = released(budget, 60)
        assert (state.phase, state.intended) == (LegPhase.READY, Decimal(shares))
        assert state.remaining == Decimal(shares) - 4


@pytest.mark.parametrize(
    ("cash", "free"),
    [
        ("201.99", [True, False, True]),
        ("202", [True, True, False]),
        ("252.5", [True, True, True]),
        ("101", [True, False, False]),
    ],
)
def test_buys_are_released_largest_first_as_far_as_cash_with_its_allowance_goes(cash: str, free: list[bool]) -> None:
    buys = [start(leg(number, "BBB", Side.BUY, quantity)) for number, quantity in ((2, "10"), (3, "10"), (4, "5"))]
    waiting = replace(start(leg(5, "DDD", Side.SELL, "1")), phase=LegPhase.WORKING)
    budget = CashBudget(plan(B, cash=cash), [*buys, waiting], Decimal(cash), ENOUGH)
    after = released(budget, 0, Decimal("0.01"))
    assert [state.phase is LegPhase.READY for state in after[:3]] == free


def test_a_stopped_buy_is_neither_released_nor_cut() -> None:
    stopped = stop(start(B), "halted")
    for cash in ("0", "50", "1000"):
        budget = CashBudget(plan(B, cash=cash), [stopped], Decimal(cash), ENOUGH)
        assert released(budget, 3600) == [stopped]


def test_cash_lags_while_the_broker_shows_less_than_the_fills() -> None:
    legs = [sold("100"), start(B)]
    assert CashBudget(plan(A, B, cash="1000"), legs, Decimal(900), ENOUGH).lags, (
        "100 USD are missing, and the last sale with them"
    )
    assert not CashBudget(plan(A, B, cash="1000"), legs, Decimal(1001), ENOUGH).lags, "fees may take a little for good"


@pytest.mark.parametrize(
    ("phase", "side", "coming"),
    [
        (LegPhase.READY, Side.SELL, True),
        (LegPhase.DONE, Side.SELL, False),
        (LegPhase.WORKING, Side.BUY, True),
        (LegPhase.SENT, Side.BUY, True),
        (LegPhase.CANCELLING, Side.BUY, True),
        (LegPhase.CHECKING, Side.BUY, True),
        (LegPhase.DONE, Side.BUY, False),
        (LegPhase.READY, Side.BUY, False),
        (LegPhase.HELD, Side.BUY, False),
    ],
)
def test_cash_is_coming_from_sales_and_from_buys_under_way(phase: LegPhase, side: Side, *, coming: bool) -> None:
    other = replace(start(leg(3, "CCC", side, "1")), phase=phase)
    mine = release(start(B), B.quantity)
    assert CashBudget(plan(B), [mine, other], Decimal(0), ENOUGH).coming(mine) is coming


def test_a_fill_without_a_price_counts_at_its_limit() -> None:
    bought = order(
        "BBB-1", Side.BUY, OrderStatus.FILLED, filled_quantity=Decimal(4), order_type=LimitOrder(Decimal(11))
    )
    state = replace(release(start(B), B.quantity), chain=(bought,))
    assert CashBudget(plan(B, cash="100"), [state], Decimal(100), ENOUGH).ledger == Decimal(56)


def test_when_cash_stays_short_the_buys_share_it() -> None:
    c = leg(3, "CCC", Side.BUY, "30").model_copy(update={"fractionable": False})
    sale = sold("40")
    budget = CashBudget(plan(A, B, c), [sale, start(B), start(c)], Decimal(40), ENOUGH)
    assert released(budget, 60, Decimal("0.01")) == [
        sale,
        release(start(B), Decimal("0.990099"), "cut from 10 to 0.990099 shares: cash falls short"),
        release(start(c), Decimal(2), "cut from 30 to 2 shares: cash falls short"),
    ]


def test_a_buy_under_way_keeps_its_cash_from_the_others() -> None:
    c = leg(3, "CCC", Side.BUY, "10")
    budget = CashBudget(plan(B, c, cash="150"), [release(start(B), B.quantity), start(c)], Decimal(150), ENOUGH)
    assert budget.spendable() == Decimal(50)
    assert budget.spendable(without=budget.legs[0]) == Decimal(150)


def test_the_reserve_is_not_spent_and_a_buy_under_way_keeps_what_its_order_may_cost() -> None:
    sent = replace(
        release(start(B), B.quantity), phase=LegPhase.SENT, pending=Step(1, Decimal(10), MarketOrder(), Decimal(11))
    )
    assert (
        CashBudget(plan(B, cash="150", reserve="12"), [sent], Decimal(150), ENOUGH).spendable()
        == Decimal(150) - 12 - 110
    )
    assert (
        CashBudget(plan(B, cash="150", reserve="12"), [start(B)], Decimal(149), ENOUGH).spendable() == Decimal(149) - 12
    )


STEP = Step(1, Decimal(10), LimitOrder(Decimal(11)), Decimal(11))
PART = order("BBB-1", Side.BUY, OrderStatus.CANCELLING, filled_quantity=Decimal(4), average_price=Decimal(10))
ALL = order("BBB-1", Side.BUY, OrderStatus.CANCELLING, filled_quantity=Decimal(10), average_price=Decimal(10))
ENDED = order("BBB-1", Side.BUY, CANCELLED, filled_quantity=Decimal(4), average_price=Decimal(10))


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        (replace(start(B), pending=STEP, order=PART, outcome=LegStatus.FROZEN), 6 * 11),
        (replace(start(B), pending=STEP, order=ALL, outcome=LegStatus.FROZEN), 0),
        (replace(start(B), pending=STEP, chain=(ENDED,), outcome=LegStatus.FROZEN), 0),
        (replace(start(B), pending=STEP, chain=(ENDED,), unknown=Decimal(3), outcome=LegStatus.FROZEN), 3 * 11),
        (replace(start(B), pending=STEP, outcome=LegStatus.FROZEN, lost=True), 10 * 11),
        (replace(start(B), pending=STEP, outcome=LegStatus.UNFILLED), 0),
        (replace(start(B), outcome=LegStatus.FROZEN), 0),
    ],
    ids=["open", "open but filled", "ended", "ended, and perhaps more", "never found", "surely absent", "never sent"],
)
def test_a_buy_that_is_done_keeps_what_its_order_can_still_cost(state: LegState, kept: int) -> None:
    done = replace(state, phase=LegPhase.DONE)
    budget = CashBudget(plan(B, cash="500"), [done], Decimal(500), ENOUGH)
    assert budget.spendable() == Decimal(500) - done.known_value - kept
