"""SmartExecution, an order on its way: from a state and a report, the whole next state and every action."""

from dataclasses import replace
from decimal import Decimal

import pytest

from alchemiser_common.errors import BrokerRefused
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, LimitOrder, OrderStatus
from alchemiser_common.settings import ExecutionStyle
from alchemiser_trading.orders.leg_ends import frozen, unsent
from alchemiser_trading.orders.legs import Cancel, LegPhase, LegState, Resend, Step, start
from alchemiser_trading.orders.order_watch import answered, refused, throttled
from alchemiser_trading.orders.pricing import Prices
from alchemiser_trading.orders.smart_execution import advance, stop
from support.legs import (
    AT_MID,
    CANCELLING,
    FIRST,
    MID,
    NOTHING,
    OPEN,
    QUOTE,
    RULES,
    SENT,
    TEN,
    WORKING,
    at,
    ended,
    fresh,
    leg,
    order,
    told,
)

CANCEL = (Cancel("order-1"),)
ENDED = "the broker ended the order: "


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
    lost = ended(last, LegStatus.FROZEN, reason, 9, LegReason.NO_ANSWER, misses=4, not_before=at(9 + 8), lost=True)
    assert told(last, 9) == (lost, NOTHING)
    assert lost.unsettled == TEN, "not found, however often, is no proof"
    assert told(replace(last, sends=3), 9)[1] == (Resend(FIRST),)


def test_once_stopped_an_order_that_is_not_found_ends_the_leg_and_stays_unknown() -> None:
    stopped = stop(replace(SENT, misses=RULES.lookups), "deadline")
    reason = "unknown: deadline; the order's request had no answer, and it may still reach the broker"
    end = ended(stopped, LegStatus.FROZEN, reason, 5, LegReason.NO_ANSWER, lost=True)
    assert told(stopped, 5) == (end, NOTHING)
    assert end.unsettled == TEN


def test_a_request_that_was_never_made_leaves_nothing_unknown() -> None:
    end = unsent(SENT, "no order after 19:58", at(5))
    assert end == ended(SENT, LegStatus.UNFILLED, "no order after 19:58", 5, LegReason.NOT_IN_TIME)
    assert end.unsettled == 0


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


def test_a_refusal_that_may_pass_is_tried_again_after_a_pause() -> None:
    before, error = replace(SENT, misses=2), BrokerRefused("not yet", status=403, may_pass=True)
    after = replace(
        before,
        phase=LegPhase.CHECKING,
        since=at(4),
        misses=0,
        turned_away=True,
        refusals=1,
        not_before=at(4 + 5),
    )
    assert refused(before, error, at(4), RULES) == after


def test_the_last_refusal_and_one_for_good_end_the_leg() -> None:
    error = BrokerRefused("insufficient buying power", status=403, may_pass=True)
    worn = replace(SENT, refusals=RULES.max_refusals)
    cause = LegReason.BROKER_REFUSED
    away = replace(worn, turned_away=True, since=at(4), refusals=RULES.max_refusals + 1)
    end = ended(away, LegStatus.REFUSED, str(error), 4, cause)
    assert refused(worn, error, at(4), RULES) == end
    final = BrokerRefused("asset AAA is not tradable", status=422)
    away = replace(SENT, turned_away=True, since=at(4))
    assert refused(SENT, final, at(4), RULES) == ended(away, LegStatus.REFUSED, str(final), 4, cause)
    assert end.unsettled == 0


# While an order works


@pytest.mark.parametrize(
    ("state", "rests"),
    [
        (WORKING, 10),
        (replace(WORKING, style=ExecutionStyle.PATIENT), 30),
        (replace(WORKING, steps=RULES.max_steps - 1), 10),
        (replace(WORKING, steps=RULES.max_steps), None),
        (replace(WORKING, style=ExecutionStyle.MARKET), None),
        (replace(WORKING, style=None), 10),
    ],
    ids=["limit-walk", "patient", "one step left", "the last step", "market", "never saw a quote"],
)
def test_how_long_an_order_rests_before_it_is_cancelled(state: LegState, rests: float | None) -> None:
    never = rests is None
    moment = 3600 if rests is None else rests
    assert told(state, moment - 0.1, OPEN) == (state, NOTHING)
    cancelled = replace(state, phase=LegPhase.CANCELLING, since=at(moment), not_before=at(moment + 10))
    assert told(state, moment, OPEN) == ((state, NOTHING) if never else (cancelled, CANCEL))


@pytest.mark.parametrize(
    ("prices", "walked", "limit", "cancelled"),
    [
        (fresh(10), 0, "100.00", True),
        (fresh(10), 3, "98.91", False),
        (fresh(10), 3, "98.95", False),
        (Prices(QUOTE.model_copy(update={"bid": Decimal(98), "ask": Decimal("98.2"), "at": at(10)})), 3, "98.95", True),
        (None, 0, "100.00", False),
        (Prices(), 0, "100.00", False),
        (Prices(QUOTE.model_copy(update={"bid": Decimal(101), "at": at(10)})), 0, "100.00", False),
        (Prices(QUOTE.model_copy(update={"bid": Decimal(10), "ask": Decimal("10.1"), "at": at(10)})), 0, "1", False),
    ],
    ids=[
        "a better step",
        "the last step",
        "it takes the far side",
        "the market moved away",
        "not read",
        "no quote",
        "crossed",
        "not the plan's",
    ],
)
def test_a_rested_order_makes_room_only_for_a_better_price(
    prices: Prices | None, walked: int, limit: str, cancelled: bool
) -> None:
    limit_order = LimitOrder(Decimal(limit))
    step = Step(1, TEN, limit_order, Decimal(limit))
    state = replace(WORKING, walked=walked, pending=step, order=order(1, TEN, OrderStatus.OPEN, "0", limit_order))
    after, actions = advance(state, prices, None, at(10), RULES)
    assert (after.phase, actions) == ((LegPhase.CANCELLING, CANCEL) if cancelled else (LegPhase.WORKING, NOTHING))


def test_a_stopped_leg_cancels_whatever_it_has_open() -> None:
    stopped = stop(replace(WORKING, style=ExecutionStyle.MARKET), "deadline")
    after = replace(stopped, phase=LegPhase.CANCELLING, since=at(2), not_before=at(12))
    assert told(stopped, 2, OPEN) == (after, CANCEL)


def test_a_resumed_order_rests_from_now_on_and_one_that_was_never_seen_is_waited_for() -> None:
    resumed = replace(WORKING, since=None)
    assert told(resumed, 50, OPEN) == (replace(WORKING, since=at(50)), NOTHING)
    unseen = replace(WORKING, order=None)
    assert told(unseen, 50) == (unseen, NOTHING)
    search = replace(SENT, sends=0, misses=1, not_before=at(51))
    assert advance(unseen, None, None, at(50), RULES) == (search, NOTHING), "what is not shown is looked for"


def test_somebody_elses_cancel_is_waited_for_too() -> None:
    ending = order(1, TEN, OrderStatus.CANCELLING, "2")
    after = replace(CANCELLING, order=ending, since=at(3))
    assert told(WORKING, 3, ending) == (after, NOTHING)


@pytest.mark.parametrize(
    ("report", "filled", "status"),
    [
        (order(1, TEN, OrderStatus.OPEN, "3"), 4, OrderStatus.OPEN),
        (order(1, TEN, OrderStatus.CANCELLING, "4"), 4, OrderStatus.CANCELLING),
        (order(1, TEN, OrderStatus.OPEN, "5"), 5, OrderStatus.OPEN),
        (order(1, TEN, OrderStatus.CANCELLED, "3"), 4, OrderStatus.OPEN),
        (None, 4, OrderStatus.OPEN),
    ],
    ids=["fewer fills", "the same fills", "more fills", "it ended with fewer fills", "no report"],
)
def test_a_report_that_lags_behind_takes_nothing_back(
    report: BrokerOrder | None, filled: int, status: OrderStatus
) -> None:
    state, _ = told(replace(CANCELLING, order=order(1, TEN, OrderStatus.OPEN, "4")), 1, report)
    assert state.order is not None
    assert state.filled == state.order.filled_quantity == filled
    assert state.order.status is status
    assert state.order.average_price == Decimal(100)


# While a cancel runs


def test_a_cancel_without_a_sign_of_it_is_asked_for_again() -> None:
    waiting = replace(CANCELLING, not_before=at(10))
    assert told(waiting, 9.9, OPEN) == (waiting, NOTHING)
    assert told(waiting, 10, OPEN) == (replace(waiting, not_before=at(20)), CANCEL)
    assert told(CANCELLING, 3, OPEN) == (replace(CANCELLING, not_before=at(13)), CANCEL)


def test_a_cancel_under_way_is_waited_for_and_then_given_up() -> None:
    stuck = replace(CANCELLING, order=order(1, TEN, OrderStatus.CANCELLING, "2"))
    assert told(stuck, 59.9) == (stuck, NOTHING)
    cause = LegReason.CONTRADICTION
    given_up = ended(stuck, LegStatus.FROZEN, "order order-1 did not end within 60 s of its cancel", 60, cause)
    assert told(stuck, 60) == (given_up, CANCEL), "what may be open is cancelled again"
    assert (given_up.filled, given_up.unsettled) == (Decimal(2), Decimal(8))
    assert frozen(stuck, "gone", at(1)) == (ended(stuck, LegStatus.FROZEN, "gone", 1, cause), CANCEL)
    none_open = replace(stuck, order=None, phase=LegPhase.CHECKING)
    assert frozen(none_open, "gone", at(1))[1] == NOTHING


def test_only_the_end_of_a_cancel_that_was_taken_is_waited_for_with_patience() -> None:
    refused_one = answered(CANCELLING, taken=False, now=at(0))
    assert refused_one == replace(CANCELLING, cancel_taken=False)
    asked, actions = told(refused_one, 600, OPEN)
    assert (asked, actions) == (replace(refused_one, not_before=at(610)), CANCEL), "the order is open, and known"
    taken = answered(asked, taken=True, now=at(600))
    assert taken == replace(asked, cancel_taken=True, since=at(600))
    assert answered(taken, taken=False, now=at(610)) == taken, "a second one is refused while the first is under way"
    assert told(taken, 659, OPEN.model_copy(update={"status": OrderStatus.CANCELLING}))[0].phase is LegPhase.CANCELLING
    assert told(taken, 660, OPEN)[0].outcome is LegStatus.FROZEN
    assert answered(CANCELLING, taken=True, now=at(9)) == replace(CANCELLING, cancel_taken=True)
    again = replace(WORKING, cancel_taken=False, since=at(0), stopping="deadline")
    assert told(again, 1, OPEN)[0].cancel_taken is None, "the next cancel is another one"
    stopped = stop(asked, "deadline")
    assert told(stopped, 620, OPEN)[0].outcome is LegStatus.FROZEN, "it is looked for after the legs"


def after_the_end(state: LegState, last: BrokerOrder, seconds: float) -> LegState:
    return replace(
        state, phase=LegPhase.CHECKING, chain=(*state.chain, last), order=None, since=at(seconds), not_before=None
    )


def test_after_its_cancel_the_walk_goes_on_by_one_step() -> None:
    last = order(2, Decimal(7), OrderStatus.CANCELLED, "2")
    step = Step(2, Decimal(7), AT_MID, MID)
    state = replace(
        CANCELLING, pending=step, chain=(order(1, TEN, OrderStatus.CANCELLED, "3"),), walked=1, not_before=at(9)
    )
    assert told(state, 4, last) == (replace(after_the_end(state, last, 4), walked=2), NOTHING)


@pytest.mark.parametrize(
    ("state", "status"),
    [(WORKING, OrderStatus.CANCELLED), (WORKING, OrderStatus.REJECTED), (CANCELLING, OrderStatus.REJECTED)],
)
def test_an_end_that_was_not_asked_for_is_tried_again_after_a_pause(state: LegState, status: OrderStatus) -> None:
    last = order(1, TEN, status, "3")
    after = replace(after_the_end(state, last, 4), refusals=1, not_before=at(9))
    assert told(state, 4, last) == (after, NOTHING)


@pytest.mark.parametrize(
    ("status", "filled", "stopping", "outcome", "reason", "cause"),
    [
        (OrderStatus.FILLED, "10", "", LegStatus.FILLED, "", None),
        (OrderStatus.FILLED, "10", "deadline", LegStatus.FILLED, "", None),
        (OrderStatus.OPEN, "10", "", LegStatus.FILLED, "", None),
        (OrderStatus.CANCELLED, "9.995", "deadline", LegStatus.FILLED, "", None),
        (OrderStatus.CANCELLED, "9.5", "deadline", LegStatus.PARTIAL, "deadline", LegReason.STOPPED),
        (OrderStatus.CANCELLED, "0.5", "deadline", LegStatus.PARTIAL, "deadline", LegReason.STOPPED),
        (OrderStatus.CANCELLED, "0", "deadline", LegStatus.UNFILLED, "deadline", LegReason.STOPPED),
        (OrderStatus.EXPIRED, "4", "", LegStatus.PARTIAL, ENDED + "expired", LegReason.BROKER_ENDED),
        (OrderStatus.DONE_FOR_DAY, "0", "", LegStatus.UNFILLED, ENDED + "done_for_day", LegReason.BROKER_ENDED),
    ],
)
def test_what_is_filled_when_a_leg_ends_decides_what_it_is_called(
    status: OrderStatus, filled: str, stopping: str, outcome: LegStatus, reason: str, cause: LegReason | None
) -> None:
    state, last = replace(CANCELLING, stopping=stopping), order(1, TEN, status, filled)
    assert told(state, 4, last) == (ended(after_the_end(state, last, 4), outcome, reason, 4, cause), NOTHING)


def test_an_order_replaced_by_one_that_cannot_be_found_may_have_filled_whole() -> None:
    last = order(1, TEN, OrderStatus.REPLACED, "4")
    reason = "order order-1 was replaced by one that cannot be found"
    after = after_the_end(CANCELLING, last, 4)
    lost = ended(after, LegStatus.FROZEN, reason, 4, LegReason.CONTRADICTION, unknown=Decimal(6))
    assert told(CANCELLING, 4, last) == (lost, NOTHING)


def test_a_leg_that_was_too_small_to_order_is_not_called_filled() -> None:
    tiny = start(leg(quantity="0.009"))
    assert told(tiny, 1) == (ended(tiny, LegStatus.UNFILLED, "", 1), NOTHING)


def test_a_leg_of_less_than_a_share_can_be_filled() -> None:
    part = Decimal("0.5")
    half = replace(CANCELLING, leg=leg(quantity="0.5"), intended=part, pending=Step(1, part, AT_MID, MID))
    assert told(half, 4, order(1, Decimal("0.5"), OrderStatus.FILLED, "0.5"))[0].outcome is LegStatus.FILLED


def test_a_leg_that_was_cut_and_filled_is_partial_for_the_reason_of_the_cut() -> None:
    step = Step(1, Decimal(4), AT_MID, MID)
    cut = replace(WORKING, intended=Decimal(4), pending=step, reason="cut from 10 to 4", cause=LegReason.CASH_SHORT)
    last = order(1, Decimal(4), OrderStatus.FILLED, "4")
    partial = ended(after_the_end(cut, last, 4), LegStatus.PARTIAL, "cut from 10 to 4", 4, LegReason.CASH_SHORT)
    assert told(cut, 4, last) == (partial, NOTHING)


def test_a_leg_that_was_cut_keeps_its_reason_through_a_refusal_that_passed() -> None:
    step, why = Step(2, Decimal(4), AT_MID, MID), {"reason": "cut from 10 to 4", "cause": LegReason.CASH_SHORT}
    cut = replace(SENT, intended=Decimal(4), pending=step, reason="cut from 10 to 4", cause=LegReason.CASH_SHORT)
    away = refused(cut, BrokerRefused("insufficient buying power", status=403, may_pass=True), at(1), RULES)
    assert {"reason": away.reason, "cause": away.cause} == why, "only the last refusal is why a leg ends"
    again = replace(away, phase=LegPhase.WORKING, turned_away=False)
    state, _ = told(again, 4, order(1, Decimal(4), OrderStatus.FILLED, "4"))
    assert state.outcome is LegStatus.PARTIAL
    assert {"reason": state.reason, "cause": state.cause} == why


def test_a_leg_that_is_filled_in_the_end_keeps_no_reason_of_an_earlier_refusal() -> None:
    last = order(1, TEN, OrderStatus.FILLED, "10")
    state, _ = told(replace(WORKING, refusals=1, reason="insufficient buying power"), 4, last)
    assert (state.outcome, state.reason, state.cause) == (LegStatus.FILLED, "", None)
