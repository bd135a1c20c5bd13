"""SmartExecution move by move: from a state and what is new, the whole next state and every action."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from alchemiser_common.errors import BrokerRefused
from alchemiser_common.ids import Side
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, OrderStatus
from alchemiser_common.settings import ExecutionSettings, ExecutionStyle, WithoutQuote
from alchemiser_trading.execution import abandoned, advance, refused, release, stop, throttled
from alchemiser_trading.legs import Action, Cancel, LegPhase, LegState, Place, Resend, Step, start
from support.legs import QUOTE, fresh, leg, order
from support.messages import SCHEDULED

RULES = ExecutionSettings()
TEN = Decimal(10)
MID, BID = Decimal("100.00"), Decimal("99.90")
FIRST = Step(1, TEN, MID, MID)
READY = start(leg())
SENT = replace(
    READY,
    phase=LegPhase.SENT,
    pending=FIRST,
    steps=1,
    style=ExecutionStyle.LIMIT_WALK,
    since=SCHEDULED,
    sends=1,
    arrival_mid=MID,
    started_at=SCHEDULED,
)
OPEN = order(1, TEN, OrderStatus.OPEN)
WORKING = replace(SENT, phase=LegPhase.WORKING, sends=0, order=OPEN)
CANCELLING = replace(WORKING, phase=LegPhase.CANCELLING)
NOTHING: tuple[Action, ...] = ()
CANCEL = (Cancel("order-1"),)


def at(seconds: float) -> datetime:
    return SCHEDULED + timedelta(seconds=seconds)


def told(
    state: LegState, seconds: float, report: BrokerOrder | None = None, rules: ExecutionSettings = RULES
) -> tuple[LegState, tuple[Action, ...]]:
    """What comes of a fresh quote and the newest report."""
    return advance(state, fresh(seconds), report, at(seconds), rules)


def ended(state: LegState, outcome: LegStatus, reason: str, seconds: float, **changes: Any) -> LegState:
    done = replace(state, phase=LegPhase.DONE, outcome=outcome, reason=reason, ended_at=at(seconds))
    return replace(done, **changes)


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
    assert told(before, 40) == sent(before, Step(2, Decimal(6), later, later), 40, walked=2)


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
    buy = replace(buy, pending=Step(1, TEN, Decimal(before), TEN))
    quote = QUOTE.model_copy(update={"bid": Decimal(bid), "ask": Decimal(ask)})
    state, (action,) = advance(buy, quote, None, SCHEDULED, RULES)
    assert isinstance(action, Place)
    assert (state.walked, action.step.limit_price) == (walked, Decimal(limit))


def test_the_walk_ends_at_the_collar_even_if_the_last_order_rested_at_the_far_side() -> None:
    buy = replace(release(start(leg(Side.BUY)), TEN), pending=Step(4, TEN, QUOTE.ask, QUOTE.ask), walked=3)
    state, (action,) = advance(buy, QUOTE, None, SCHEDULED, RULES)
    assert isinstance(action, Place)
    assert (state.walked, action.step.limit_price) == (3, Decimal("101.10"))


def test_a_market_order_is_reckoned_at_the_collar() -> None:
    rules = ExecutionSettings(normal_style=ExecutionStyle.MARKET)
    began: dict[str, Any] = {"style": ExecutionStyle.MARKET, "arrival_mid": MID, "started_at": at(0)}
    assert told(READY, 0, rules=rules) == sent(READY, Step(1, TEN, None, Decimal("98.91")), 0, **began)


def test_without_a_quote_it_waits_from_then_on_and_then_goes_by_the_last_trade() -> None:
    waiting = replace(READY, started_at=at(5), quoteless_since=at(5))
    assert advance(READY, None, None, at(5), RULES) == (waiting, NOTHING)
    assert advance(waiting, None, None, at(64.9), RULES) == (waiting, NOTHING)
    step = Step(1, TEN, Decimal("99.00"), Decimal("99.00"))
    assert advance(waiting, None, None, at(65), RULES) == sent(waiting, step, 65, quoteless_since=at(5))
    skip = ExecutionSettings(without_quote=WithoutQuote.SKIP)
    gone = ended(waiting, LegStatus.UNFILLED, "quote not fit to trade on: no quote", 65)
    assert advance(waiting, None, None, at(65), skip) == (gone, NOTHING)


def test_a_pause_is_kept() -> None:
    pausing = replace(READY, not_before=at(5))
    assert told(pausing, 4.9) == (pausing, NOTHING)


@pytest.mark.parametrize("state", [READY, start(leg(Side.BUY))], ids=["ready", "held"])
def test_a_stopped_leg_without_an_order_ends_at_once(state: LegState) -> None:
    stopped = stop(state, "halted by ann")
    assert told(stopped, 7) == (ended(stopped, LegStatus.UNFILLED, "halted by ann", 7), NOTHING)


def test_a_held_or_ended_leg_stays_as_it_is_and_the_first_reason_to_stop_stays() -> None:
    held, done = start(leg(Side.BUY)), ended(READY, LegStatus.FILLED, "", 1)
    assert told(held, 7) == (held, NOTHING)
    assert told(done, 7) == (done, NOTHING)
    assert stop(done, "deadline") is done
    assert stop(stop(held, "deadline"), "halted").stopping == "deadline"


def test_a_buy_released_for_nothing_ends_with_the_reason_of_its_cut() -> None:
    nothing = release(start(leg(Side.BUY)), Decimal(0), "cut from 10 to 0 shares")
    assert told(nothing, 2) == (ended(nothing, LegStatus.UNFILLED, "cut from 10 to 0 shares", 2), NOTHING)
    plain = release(start(leg(Side.BUY)), Decimal(0))
    assert told(plain, 2) == (ended(plain, LegStatus.UNFILLED, "", 2), NOTHING)


# Whether the order landed


def test_an_order_that_is_found_works_and_its_search_is_over() -> None:
    searched = replace(SENT, misses=3, sends=2, not_before=at(9))
    assert told(searched, 8, OPEN) == (WORKING, NOTHING)
    resumed = replace(searched, since=None)
    assert told(resumed, 8, OPEN) == (replace(WORKING, since=at(8)), NOTHING)


def test_an_unanswered_request_is_looked_up_at_growing_intervals_and_then_sent_again() -> None:
    state, moment = SENT, 0.0
    for misses, pause in ((1, 1), (2, 2), (3, 4)):
        state, actions = told(state, moment)
        assert (state, actions) == (replace(SENT, misses=misses, not_before=at(moment + pause)), NOTHING)
        moment += pause
        assert told(state, moment - 0.1) == (state, NOTHING), "it looks too early"
    again = replace(SENT, misses=0, sends=2, not_before=at(moment + 1))
    assert told(state, moment) == (again, (Resend(FIRST),))


def test_after_four_sends_without_an_answer_the_symbol_is_left_alone() -> None:
    reason = "step 1 was sent 4 times without an answer and is not at the broker"
    last = replace(SENT, sends=4, misses=3)
    sure = ended(last, LegStatus.FROZEN, reason, 9, misses=4, not_before=at(9 + 8))
    assert told(last, 9) == (sure, NOTHING)
    assert told(replace(last, sends=3), 9)[1] == (Resend(FIRST),)


def test_once_stopped_a_surely_absent_order_ends_the_leg() -> None:
    stopped = stop(throttled(SENT, at(0), RULES), "deadline")
    assert told(stopped, 5) == (ended(stopped, LegStatus.UNFILLED, "deadline", 5), NOTHING)


def test_without_a_written_step_there_is_nothing_to_search_for() -> None:
    odd = replace(SENT, pending=None)
    assert told(odd, 5) == (odd, NOTHING)


def test_a_throttled_request_is_sent_again_after_the_pause_without_look_ups() -> None:
    pausing = throttled(replace(SENT, sends=3), at(2), RULES)
    assert pausing == replace(SENT, sends=2, misses=RULES.lookups, not_before=at(7))
    assert told(pausing, 6.9) == (pausing, NOTHING)
    assert told(pausing, 7) == (replace(SENT, sends=3, not_before=at(8)), (Resend(FIRST),))
    assert throttled(SENT, at(2), RULES).sends == 0
    assert throttled(replace(SENT, sends=0), at(2), RULES).sends == 0, "no more sends are forgiven than were made"


@pytest.mark.parametrize("words", ["insufficient buying power", "Potential WASH TRADE detected", "held_for_orders: 3"])
def test_a_refusal_that_may_pass_is_tried_again_after_a_pause(words: str) -> None:
    before = replace(SENT, misses=2)
    after = replace(before, phase=LegPhase.READY, since=at(4), misses=0, refusals=1, reason=words, not_before=at(4 + 5))
    assert refused(before, BrokerRefused(words, status=403), at(4), RULES) == after


def test_the_last_refusal_and_one_for_good_end_the_leg() -> None:
    error = BrokerRefused("insufficient buying power", status=403)
    worn = replace(SENT, refusals=RULES.max_refusals)
    end = ended(worn, LegStatus.REFUSED, str(error), 4, since=at(4), refusals=RULES.max_refusals + 1)
    assert refused(worn, error, at(4), RULES) == end
    final = BrokerRefused("asset AAA is not tradable", status=422)
    assert refused(SENT, final, at(4), RULES) == ended(SENT, LegStatus.REFUSED, str(final), 4, since=at(4))


# While an order works


@pytest.mark.parametrize(
    ("state", "rests"),
    [
        (WORKING, 10),
        (replace(WORKING, style=ExecutionStyle.PATIENT), 30),
        (replace(WORKING, steps=RULES.max_steps - 1), 10),
        (replace(WORKING, steps=RULES.max_steps), None),
        (replace(WORKING, style=ExecutionStyle.MARKET), None),
    ],
    ids=["limit-walk", "patient", "one step left", "the last step", "market"],
)
def test_how_long_an_order_rests_before_it_is_cancelled(state: LegState, rests: float | None) -> None:
    never = rests is None
    moment = 3600 if rests is None else rests
    assert told(state, moment - 0.1, OPEN) == (state, NOTHING)
    cancelled = replace(state, phase=LegPhase.CANCELLING, since=at(moment), not_before=at(moment + 10))
    assert told(state, moment, OPEN) == ((state, NOTHING) if never else (cancelled, CANCEL))


def test_a_stopped_leg_cancels_whatever_it_has_open() -> None:
    stopped = stop(replace(WORKING, style=ExecutionStyle.MARKET), "deadline")
    after = replace(stopped, phase=LegPhase.CANCELLING, since=at(2), not_before=at(12))
    assert told(stopped, 2, OPEN) == (after, CANCEL)


def test_a_resumed_order_rests_from_now_on_and_one_that_was_never_seen_is_waited_for() -> None:
    resumed = replace(WORKING, since=None)
    assert told(resumed, 50, OPEN) == (replace(WORKING, since=at(50)), NOTHING)
    unseen = replace(WORKING, order=None)
    assert told(unseen, 50) == (unseen, NOTHING)


def test_somebody_elses_cancel_is_waited_for_too() -> None:
    ending = order(1, TEN, OrderStatus.CANCELLING, "2")
    after = replace(CANCELLING, order=ending, since=at(3))
    assert told(WORKING, 3, ending) == (after, NOTHING)


@pytest.mark.parametrize(
    ("known", "told_now", "counts"),
    [
        (order(1, TEN, OrderStatus.OPEN, "4"), order(1, TEN, OrderStatus.OPEN, "3"), "known"),
        (order(1, TEN, OrderStatus.OPEN, "4"), order(1, TEN, OrderStatus.CANCELLING, "4"), "new"),
        (order(1, TEN, OrderStatus.OPEN, "4"), order(1, TEN, OrderStatus.OPEN, "5"), "new"),
        (order(1, TEN, OrderStatus.CANCELLED, "4"), order(1, TEN, OrderStatus.OPEN, "4"), "known"),
        (order(1, TEN, OrderStatus.OPEN, "4"), None, "known"),
    ],
    ids=["fewer fills", "the same fills", "more fills", "it had ended", "no report"],
)
def test_a_report_that_lags_behind_takes_nothing_back(
    known: BrokerOrder, told_now: BrokerOrder | None, counts: str
) -> None:
    state, _ = told(replace(CANCELLING, order=known), 1, told_now)
    assert state.orders == ((known,) if counts == "known" else (told_now,))


# While a cancel runs


def test_a_cancel_without_a_sign_of_it_is_asked_for_again() -> None:
    waiting = replace(CANCELLING, not_before=at(10))
    assert told(waiting, 9.9, OPEN) == (waiting, NOTHING)
    assert told(waiting, 10, OPEN) == (replace(waiting, not_before=at(20)), CANCEL)
    assert told(CANCELLING, 3, OPEN) == (replace(CANCELLING, not_before=at(13)), CANCEL)


def test_a_cancel_under_way_is_waited_for_and_then_given_up() -> None:
    stuck = replace(CANCELLING, order=order(1, TEN, OrderStatus.CANCELLING, "2"))
    assert told(stuck, 59.9) == (stuck, NOTHING)
    frozen = ended(stuck, LegStatus.FROZEN, "order order-1 did not end within 60 s of its cancel", 60)
    assert told(stuck, 60) == (frozen, NOTHING)
    assert abandoned(stuck, "gone", at(1)) == ended(stuck, LegStatus.FROZEN, "gone", 1)


def after_the_end(state: LegState, last: BrokerOrder, seconds: float) -> LegState:
    return replace(
        state, phase=LegPhase.READY, chain=(*state.chain, last), order=None, since=at(seconds), not_before=None
    )


def test_after_its_cancel_the_walk_goes_on_by_one_step() -> None:
    last = order(2, Decimal(7), OrderStatus.CANCELLED, "2")
    state = replace(CANCELLING, chain=(order(1, TEN, OrderStatus.CANCELLED, "3"),), walked=1, not_before=at(9))
    assert told(state, 4, last) == (replace(after_the_end(state, last, 4), walked=2), NOTHING)


@pytest.mark.parametrize(
    ("state", "status"),
    [(WORKING, OrderStatus.CANCELLED), (WORKING, OrderStatus.REJECTED), (CANCELLING, OrderStatus.REJECTED)],
)
def test_an_end_that_was_not_asked_for_is_tried_again_after_a_pause(state: LegState, status: OrderStatus) -> None:
    last = order(1, TEN, status, "3")
    reason = f"the broker ended the order: {status.value}"
    after = replace(after_the_end(state, last, 4), refusals=1, reason=reason, not_before=at(9))
    assert told(state, 4, last) == (after, NOTHING)


@pytest.mark.parametrize(
    ("status", "filled", "stopping", "outcome", "reason"),
    [
        (OrderStatus.FILLED, "10", "", LegStatus.FILLED, ""),
        (OrderStatus.FILLED, "10", "deadline", LegStatus.FILLED, ""),
        (OrderStatus.CANCELLED, "9.995", "deadline", LegStatus.FILLED, ""),
        (OrderStatus.CANCELLED, "9.5", "deadline", LegStatus.PARTIAL, "deadline"),
        (OrderStatus.CANCELLED, "0.5", "deadline", LegStatus.PARTIAL, "deadline"),
        (OrderStatus.CANCELLED, "0", "deadline", LegStatus.UNFILLED, "deadline"),
        (OrderStatus.EXPIRED, "4", "", LegStatus.PARTIAL, "the broker ended the order: expired"),
        (OrderStatus.DONE_FOR_DAY, "0", "", LegStatus.UNFILLED, "the broker ended the order: done_for_day"),
        (OrderStatus.REPLACED, "4", "", LegStatus.FROZEN, "order order-1 was replaced by one that cannot be found"),
    ],
)
def test_what_is_filled_when_a_leg_ends_decides_what_it_is_called(
    status: OrderStatus, filled: str, stopping: str, outcome: LegStatus, reason: str
) -> None:
    state, last = replace(CANCELLING, stopping=stopping), order(1, TEN, status, filled)
    assert told(state, 4, last) == (ended(after_the_end(state, last, 4), outcome, reason, 4), NOTHING)


def test_a_leg_that_was_too_small_to_order_is_not_called_filled() -> None:
    tiny = start(leg(quantity="0.009"))
    assert told(tiny, 1) == (ended(tiny, LegStatus.UNFILLED, "", 1), NOTHING)


def test_a_leg_of_less_than_a_share_can_be_filled() -> None:
    half = replace(CANCELLING, leg=leg(quantity="0.5"), intended=Decimal("0.5"))
    assert told(half, 4, order(1, Decimal("0.5"), OrderStatus.FILLED, "0.5"))[0].outcome is LegStatus.FILLED


def test_a_leg_that_was_cut_and_filled_is_partial_for_the_reason_of_the_cut() -> None:
    cut = replace(WORKING, intended=Decimal(4), reason="cut from 10 to 4 shares")
    last = order(1, Decimal(4), OrderStatus.FILLED, "4")
    partial = ended(after_the_end(cut, last, 4), LegStatus.PARTIAL, "cut from 10 to 4 shares", 4)
    assert told(cut, 4, last) == (partial, NOTHING)


def test_a_leg_that_is_filled_in_the_end_keeps_no_reason_of_an_earlier_refusal() -> None:
    last = order(1, TEN, OrderStatus.FILLED, "10")
    state, _ = told(replace(WORKING, refusals=1, reason="insufficient buying power"), 4, last)
    assert (state.outcome, state.reason) == (LegStatus.FILLED, "")


# What a buy may cost


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
    assert told(state, 0) == sent(state, Step(1, shares, price, price), 0, **began)


def test_a_short_buy_waits_for_cash_that_comes_and_a_while_for_cash_that_lags() -> None:
    began: dict[str, Any] = {"style": ExecutionStyle.LIMIT_WALK, "arrival_mid": MID, "started_at": at(0)}
    coming = buying("500", cash_coming=True, short_since=at(-60))
    assert told(coming, 0) == (replace(coming, short_since=None, **began), NOTHING)
    lagging = buying("500", cash_lags=True)
    waiting = replace(lagging, short_since=at(0), **began)
    assert told(lagging, 0) == (waiting, NOTHING)
    assert told(waiting, 29.9) == (waiting, NOTHING)
    assert told(waiting, 30)[1] != NOTHING
    assert told(buying("1011", cash_coming=True), 0)[1] != NOTHING, "cash covers it: there is nothing to wait for"


@pytest.mark.parametrize(("filled", "outcome"), [("0", LegStatus.UNFILLED), ("4", LegStatus.PARTIAL)])
def test_a_buy_that_cash_does_not_let_go_on_is_cut_to_what_it_has(filled: str, outcome: LegStatus) -> None:
    bought = (order(1, TEN, OrderStatus.CANCELLED, filled),)
    state = buying("0.50", chain=bought, style=ExecutionStyle.LIMIT_WALK, arrival_mid=MID, started_at=at(0))
    reason = f"cut to {filled} shares: cash falls short"
    cut = ended(state, outcome, reason, 3, intended=Decimal(filled), short_since=at(3))
    assert told(state, 3) == (cut, NOTHING)


@pytest.mark.parametrize("cash", ["0", "-20"])
def test_without_cash_nothing_is_bought_even_if_the_price_fell(cash: str) -> None:
    fallen = QUOTE.model_copy(update={"bid": Decimal("85.90"), "ask": Decimal("86.10")})
    state, actions = advance(buying(cash), fallen, None, SCHEDULED, RULES)
    assert (state.outcome, actions) == (LegStatus.UNFILLED, NOTHING)
