"""SmartExecution, the next order: from a ready leg and a quote, the whole next state and every action."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import LimitOrder, MarketOrder, OrderStatus, Trade
from alchemiser_common.settings import ExecutionSettings, ExecutionStyle, WithoutQuote
from alchemiser_trading.orders.legs import Action, LegPhase, LegState, Place, Step, start
from alchemiser_trading.orders.pricing import Prices
from alchemiser_trading.orders.smart_execution import advance, release, stop
from support.legs import FIRST, MID, NOTHING, QUOTE, READY, RULES, SENT, TEN, at, ended, leg, order, told
from support.messages import SCHEDULED


def sent(state: LegState, step: Step, seconds: float, **changes: Any) -> tuple[LegState, tuple[Action, ...]]:
    """A step that goes out: nothing of the last one's waiting is left."""
    out = replace(
        state,
        phase=LegPhase.SENT,
        pending=step,
        steps=step.number,
        since=at(seconds),
        misses=0,
        sends=1,
        not_before=None,
        short_since=None,
        quoteless_since=None,
    )
    return replace(out, **changes), (Place(step),)


def test_the_first_step_notes_when_and_at_what_mid_the_leg_began() -> None:
    began: dict[str, Any] = {"style": ExecutionStyle.LIMIT_WALK, "arrival_mid": MID, "started_at": at(3)}
    assert told(READY, 3) == sent(READY, FIRST, 3, **began)


def test_a_later_step_keeps_style_start_and_arrival_and_forgets_every_wait() -> None:
    before = replace(
        SENT,
        phase=LegPhase.READY,
        style=ExecutionStyle.PATIENT,
        arrival_mid=Decimal(99),
        walked=1,
        misses=2,
        sends=3,
        not_before=at(40),
        short_since=at(20),
        quoteless_since=at(20),
        chain=(order(1, TEN, OrderStatus.CANCELLED, "4"),),
    )
    later = Decimal("99.97")  # 0.65 of the way from ask to bid: the step at 0.5 would rest at the last limit again
    assert told(before, 40) == sent(before, Step(2, Decimal(6), LimitOrder(later), later), 40, walked=2)


@pytest.mark.parametrize(
    ("bid", "ask", "before", "walked", "limit"),
    [
        ("10.00", "10.06", "10.04", 2, "10.05"),
        ("10.00", "10.01", "10.00", 3, "10.11"),
        ("10.00", "10.01", "10.01", 1, "10.00"),
    ],
    ids=["over one step", "over all steps to the collar", "no step rests there"],
)
def test_steps_that_the_tick_rounds_to_the_last_limit_are_left_out(
    bid: str, ask: str, before: str, walked: int, limit: str
) -> None:
    buy = replace(release(start(leg(Side.BUY, price=TEN)), TEN), style=ExecutionStyle.LIMIT_WALK, walked=1)
    buy = replace(buy, pending=Step(1, TEN, LimitOrder(Decimal(before)), TEN))
    quote = QUOTE.model_copy(update={"bid": Decimal(bid), "ask": Decimal(ask)})
    state, (action,) = advance(buy, Prices(quote), None, SCHEDULED, RULES)
    assert isinstance(action, Place)
    assert (state.walked, action.step.order_type) == (walked, LimitOrder(Decimal(limit)))


def test_the_walk_ends_at_the_collar_even_if_the_last_order_rested_at_the_far_side() -> None:
    buy = replace(release(start(leg(Side.BUY)), TEN), pending=Step(4, TEN, LimitOrder(QUOTE.ask), QUOTE.ask), walked=3)
    state, (action,) = advance(buy, Prices(QUOTE), None, SCHEDULED, RULES)
    assert isinstance(action, Place)
    assert (state.walked, action.step.order_type) == (3, LimitOrder(Decimal("101.10")))


def test_a_market_order_is_reckoned_at_the_collar() -> None:
    rules = ExecutionSettings(normal_style=ExecutionStyle.MARKET)
    began: dict[str, Any] = {"style": ExecutionStyle.MARKET, "arrival_mid": MID, "started_at": at(0)}
    assert told(READY, 0, rules=rules) == sent(READY, Step(1, TEN, MarketOrder(), Decimal("98.91")), 0, **began)


def traded(price: str, age: float = 0) -> Prices:
    """A last trade of that age when 65 s have passed, and no quote."""
    return Prices(None, Trade(symbol="AAA", price=Decimal(price), at=at(65 - age)))


def test_without_a_quote_it_waits_from_then_on_and_then_goes_by_a_last_trade_that_the_plan_confirms() -> None:
    waiting = replace(READY, started_at=at(5), quoteless_since=at(5))
    assert advance(READY, None, None, at(5), RULES) == (waiting, NOTHING)
    assert advance(waiting, traded("100"), None, at(64.9), RULES) == (waiting, NOTHING)
    step = Step(1, TEN, LimitOrder(Decimal("99.00")), Decimal("99.00"))
    assert advance(waiting, traded("100"), None, at(65), RULES) == sent(waiting, step, 65, quoteless_since=at(5))


@pytest.mark.parametrize(
    ("prices", "rule", "reason", "cause"),
    [
        (traded("100"), WithoutQuote.SKIP, "quote not fit to trade on: no quote", LegReason.NO_PRICE),
        (None, WithoutQuote.LAST_TRADE, "no quote; no fresh price (the plan's price 100)", LegReason.NO_PRICE),
        (
            traded("100", age=901),
            WithoutQuote.LAST_TRADE,
            "no quote; no fresh price (the last trade 100 of ",
            LegReason.NO_PRICE,
        ),
        (
            traded("84"),
            WithoutQuote.LAST_TRADE,
            "no quote; the last trade 84 against the plan's price 100",
            LegReason.PRICES_DISAGREE,
        ),
    ],
    ids=["as configured", "nothing at all", "an old trade", "a trade that the plan contradicts"],
)
def test_without_a_quote_and_a_price_that_two_sources_name_the_leg_ends(
    prices: Prices | None, rule: WithoutQuote, reason: str, cause: LegReason
) -> None:
    waiting = replace(READY, started_at=at(5), quoteless_since=at(5))
    gone, actions = advance(waiting, prices, None, at(65), ExecutionSettings(without_quote=rule))
    assert (gone.outcome, gone.cause, actions) == (LegStatus.UNFILLED, cause, NOTHING)
    assert reason in gone.reason


def test_a_pause_is_kept() -> None:
    pausing = replace(READY, not_before=at(5))
    assert told(pausing, 4.9) == (pausing, NOTHING)


@pytest.mark.parametrize("state", [READY, start(leg(Side.BUY))], ids=["ready", "held"])
def test_a_stopped_leg_without_an_order_ends_at_once(state: LegState) -> None:
    stopped = stop(state, "halted by ann")
    end = ended(stopped, LegStatus.UNFILLED, "halted by ann", 7, LegReason.STOPPED)
    assert told(stopped, 7) == (end, NOTHING)


def test_a_held_or_ended_leg_stays_as_it_is_and_the_first_reason_to_stop_stays() -> None:
    held, done = start(leg(Side.BUY)), ended(READY, LegStatus.FILLED, "", 1)
    assert told(held, 7) == (held, NOTHING)
    assert told(done, 7) == (done, NOTHING)
    assert stop(done, "deadline") is done
    assert stop(stop(held, "deadline"), "halted").stopping == "deadline"


def test_a_buy_released_for_nothing_ends_with_the_reason_of_its_cut() -> None:
    nothing = release(start(leg(Side.BUY)), Decimal(0), "cut from 10 to 0 shares")
    end = ended(nothing, LegStatus.UNFILLED, "cut from 10 to 0 shares", 2, LegReason.CASH_SHORT)
    assert told(nothing, 2) == (end, NOTHING)
    plain = release(start(leg(Side.BUY)), Decimal(0))
    assert told(plain, 2) == (ended(plain, LegStatus.UNFILLED, "", 2), NOTHING)


def buying(spendable: str, **changes: Any) -> LegState:
    """At the end of its walk: the next limit is 101.10, the ask 100.10."""
    buy = replace(release(start(leg(Side.BUY)), TEN), walked=3, spendable=Decimal(spendable))
    return replace(buy, **changes)


@pytest.mark.parametrize(
    ("cash", "fractionable", "limit", "quantity"),
    [
        ("1011", True, "101.10", "10"),
        ("1010.99", True, "101.09", "10"),
        ("1005.05", True, "100.50", "10"),
        ("1001", True, "100.10", "10"),
        ("1000.99", True, "101.10", "9.900989"),
        ("500", True, "101.10", "4.945598"),
        ("500", False, "101.10", "4"),
    ],
    ids=["just enough", "a cent less", "between ticks", "to the ask", "under the ask", "half", "half, whole shares"],
)
def test_what_cash_allows_of_a_buy(cash: str, fractionable: bool, limit: str, quantity: str) -> None:
    price, shares = Decimal(limit), Decimal(quantity)
    state = replace(buying(cash), leg=leg(Side.BUY, fractionable=fractionable))
    began: dict[str, Any] = {"style": ExecutionStyle.LIMIT_WALK, "arrival_mid": MID, "started_at": at(0)}
    assert told(state, 0) == sent(state, Step(1, shares, LimitOrder(price), price), 0, **began)


def test_a_short_buy_waits_for_cash_that_comes_and_a_while_for_cash_that_lags() -> None:
    began: dict[str, Any] = {"style": ExecutionStyle.LIMIT_WALK, "arrival_mid": MID, "started_at": at(0)}
    coming = buying("500", cash_coming=True)
    short = replace(coming, short_since=at(0), **began)
    assert told(coming, 0) == (short, NOTHING)
    assert told(short, 299.9) == (short, NOTHING)
    assert told(short, 300)[1] != NOTHING, "an order that never fills keeps its own cash, and not everybody's"
    lagging = buying("500", cash_lags=True)
    waiting = replace(lagging, short_since=at(0), **began)
    assert told(lagging, 0) == (waiting, NOTHING)
    assert told(waiting, 29.9) == (waiting, NOTHING)
    assert told(waiting, 30)[1] != NOTHING
    assert told(buying("1011", cash_coming=True), 0)[1] != NOTHING, "cash covers it: there is nothing to wait for"


def test_a_buy_that_cash_does_not_let_go_on_at_all_waits_on_while_cash_may_come() -> None:
    began: dict[str, Any] = {"style": ExecutionStyle.LIMIT_WALK, "arrival_mid": MID, "started_at": at(0)}
    waiting = replace(buying("0.50", cash_coming=True, short_since=at(0)), **began)
    assert told(waiting, 3600) == (waiting, NOTHING)
    assert told(replace(waiting, cash_coming=False), 3600)[0].cause is LegReason.CASH_SHORT


@pytest.mark.parametrize(("filled", "outcome"), [("0", LegStatus.UNFILLED), ("4", LegStatus.PARTIAL)])
def test_a_buy_that_cash_does_not_let_go_on_is_cut_to_what_it_has(filled: str, outcome: LegStatus) -> None:
    bought = (order(1, TEN, OrderStatus.CANCELLED, filled),)
    state = buying("0.50", chain=bought, style=ExecutionStyle.LIMIT_WALK, arrival_mid=MID, started_at=at(0))
    reason = f"cut to {filled} shares: cash falls short"
    cut = ended(state, outcome, reason, 3, LegReason.CASH_SHORT, intended=Decimal(filled), short_since=at(3))
    assert told(state, 3) == (cut, NOTHING)


@pytest.mark.parametrize("cash", ["0", "-20"])
def test_without_cash_nothing_is_bought_even_if_the_price_fell(cash: str) -> None:
    fallen = QUOTE.model_copy(update={"bid": Decimal("85.90"), "ask": Decimal("86.10")})
    state, actions = advance(buying(cash), Prices(fallen), None, SCHEDULED, RULES)
    assert (state.outcome, actions) == (LegStatus.UNFILLED, NOTHING)
