"""What becomes of an order once it was sent, when one source is late, silent or wrong: the arrows beside the walk's."""

from dataclasses import replace
from decimal import Decimal

import pytest

from alchemiser_common.errors import BrokerRefused
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, OrderStatus
from alchemiser_trading.orders.leg_ends import unsent
from alchemiser_trading.orders.legs import Cancel, LegPhase, LegState, Step
from alchemiser_trading.orders.order_watch import checked, refused, reheard, settled, unheard
from alchemiser_trading.orders.smart_execution import advance, stop
from support.legs import (
    AT_MID,
    CANCELLING,
    CHECKING,
    CONFIRMED,
    MID,
    NOTHING,
    OPEN,
    READY,
    RULES,
    SENT,
    TEN,
    WORKING,
    at,
    confirmed,
    ended,
    fresh,
    leg,
    order,
)

CANCEL = (Cancel("order-1"),)
FOUR = order(1, TEN, OrderStatus.OPEN, "4")
SECOND = replace(
    WORKING,
    pending=Step(2, Decimal(6), AT_MID, MID),
    steps=2,
    walked=1,
    chain=CHECKING.chain,
    order=order(2, Decimal(6), OrderStatus.OPEN),
)
SENT_SECOND = replace(SECOND, phase=LegPhase.SENT, order=None)


# The position's word


@pytest.mark.parametrize(
    ("moved", "agrees"),
    [("4", True), ("4.000000001", True), ("3.999999999", True), ("4.000000002", False), ("0", False), ("10", False)],
)
def test_the_next_order_waits_until_the_position_says_what_the_orders_say(moved: str, *, agrees: bool) -> None:
    doubtful = replace(CONFIRMED, unknown=Decimal(3))
    agreed = replace(doubtful, proved=Decimal(4), unknown=Decimal(0), confirmed=False)
    done = replace(agreed, phase=LegPhase.READY, since=at(5))
    after = done if agrees else doubtful
    assert checked(doubtful, Decimal(moved), at(5), RULES) == (after, NOTHING)
    assert after.remaining == (6 if agrees else 3), "what is not known counts as filled"


@pytest.mark.parametrize(
    ("moved", "unknown", "reason", "beyond"),
    [
        (Decimal(6), "0", "the position has moved by 6 shares, the orders' reports say 4", "2"),
        (Decimal(6), "5", "the position has moved by 6 shares, the orders' reports say 4", "5"),
        (Decimal(0), "0", "the position has moved by 0 shares, the orders' reports say 4", "0"),
        (None, "1", "the position cannot be read", "6"),
    ],
    ids=["more went", "more may have gone", "none went", "not to be read"],
)
def test_a_position_that_never_agrees_freezes_the_leg(
    moved: Decimal | None, unknown: str, reason: str, beyond: str
) -> None:
    doubtful = replace(CONFIRMED, unknown=Decimal(unknown))
    assert checked(doubtful, moved, at(29.9), RULES) == (doubtful, NOTHING), "positions may lag behind fills"
    frozen = ended(doubtful, LegStatus.FROZEN, reason, 30, LegReason.CONTRADICTION, unknown=Decimal(beyond))
    assert checked(doubtful, moved, at(30), RULES) == (frozen, NOTHING)


def test_an_end_that_no_look_up_confirms_is_none() -> None:
    reason = "no look-up confirms how the last order ended"
    assert checked(CHECKING, Decimal(4), at(5), RULES) == (CHECKING, NOTHING), (
        "list and position are two, and it is one more"
    )
    frozen = ended(CHECKING, LegStatus.FROZEN, reason, 30, LegReason.CONTRADICTION, unknown=Decimal(6))
    assert checked(CHECKING, Decimal(4), at(30), RULES) == (frozen, NOTHING)


@pytest.mark.parametrize(
    ("looked_up", "agrees"),
    [
        (order(1, TEN, OrderStatus.CANCELLED, "4"), True),
        (order(1, TEN, OrderStatus.EXPIRED, "4"), True),
        (order(1, TEN, OrderStatus.CANCELLED, "3"), False),
        (order(1, TEN, OrderStatus.FILLED, "4"), False),
        (order(2, TEN, OrderStatus.CANCELLED, "4"), False),
        (None, False),
    ],
)
def test_a_look_up_confirms_an_end_if_it_says_the_same(looked_up: BrokerOrder | None, *, agrees: bool) -> None:
    after, actions = advance(CHECKING, None, looked_up, at(2), RULES)
    assert (after.phase, after.confirmed, actions) == (LegPhase.CHECKING, agrees, NOTHING)


def test_a_look_up_that_finds_it_open_or_further_takes_the_end_back() -> None:
    still, _ = advance(CHECKING, None, order(1, TEN, OrderStatus.OPEN, "4"), at(2), RULES)
    assert (still.phase, still.chain) == (LegPhase.CANCELLING, ())
    further, _ = advance(CHECKING, None, order(1, TEN, OrderStatus.CANCELLED, "7"), at(2), RULES)
    assert (further.phase, further.confirmed, further.filled) == (LegPhase.CHECKING, False, Decimal(7))


def test_a_refusal_is_confirmed_by_its_absence() -> None:
    turned = replace(CHECKING, turned_away=True)
    after, _ = advance(turned, None, None, at(2), RULES)
    assert after.confirmed
    there, _ = advance(replace(turned, chain=()), None, OPEN, at(2), RULES)
    assert there.phase is LegPhase.WORKING
    second = replace(SECOND, phase=LegPhase.CHECKING, order=None, turned_away=True)
    there, _ = advance(second, None, SECOND.order, at(2), RULES)
    assert (there.phase, there.order, there.chain) == (LegPhase.WORKING, SECOND.order, CHECKING.chain)


def test_a_refused_repetition_says_nothing_of_the_request_before_it() -> None:
    """The first copy is in the network: it may be taken when it comes, so nothing more is sent."""
    error = BrokerRefused("insufficient buying power", status=403, may_pass=True)
    after = refused(replace(SENT, sends=2), error, at(9), RULES)
    assert (after.phase, after.outcome, after.cause) == (LegPhase.DONE, LegStatus.FROZEN, LegReason.NO_ANSWER)
    assert (after.lost, after.unsettled) == (True, TEN), "all of it may be filled yet"


@pytest.mark.parametrize("sends", [1, 2])
def test_a_request_that_time_forbids_is_unsent_but_not_one_before_it(sends: int) -> None:
    after = unsent(replace(SENT, sends=sends), "no order after 15:00", at(9))
    assert (after.phase, after.lost) == (LegPhase.DONE, sends > 1)
    assert after.unsettled == (TEN if sends > 1 else 0), "the earlier one may reach the broker yet"


@pytest.mark.parametrize("state", [READY, SENT, WORKING, CANCELLING, ended(CHECKING, LegStatus.PARTIAL, "", 1)])
def test_the_position_says_nothing_to_a_leg_that_does_not_ask(state: LegState) -> None:
    assert checked(state, TEN, at(3600), RULES) == (state, NOTHING)


def test_a_slice_that_filled_whole_goes_on_at_its_place_of_the_walk_once_the_position_agrees() -> None:
    sliced = replace(CANCELLING, leg=leg(order_quantity=Decimal(4)), pending=Step(1, Decimal(4), AT_MID, MID), walked=2)
    waits, actions = advance(sliced, None, order(1, Decimal(4), OrderStatus.FILLED, "4"), at(1), RULES)
    assert (waits.phase, waits.walked, actions) == (LegPhase.CHECKING, 2, NOTHING)
    assert confirmed(waits, 2).remaining == 6


def test_a_buy_that_was_to_spend_what_there_was_is_held_again_for_the_rest() -> None:
    part = replace(CHECKING, intended=Decimal(4), for_now=True)
    held = replace(part, phase=LegPhase.HELD, intended=TEN, proved=Decimal(4), for_now=False, since=at(1))
    assert confirmed(part, 1) == held
    whole = order(1, Decimal(4), OrderStatus.FILLED, "4")
    bought = replace(WORKING, intended=Decimal(4), for_now=True, pending=Step(1, Decimal(4), AT_MID, MID))
    state, _ = advance(bought, None, whole, at(1), RULES)
    assert (state.phase, state.remaining) == (LegPhase.HELD, Decimal(6))
    stopped, _ = advance(stop(bought, "deadline"), None, whole, at(1), RULES)
    assert stopped.outcome is LegStatus.PARTIAL


# An order of the chain, heard of again


@pytest.mark.parametrize(
    ("state", "report", "filled", "phase"),
    [
        (CHECKING, order(1, TEN, OrderStatus.CANCELLED, "7"), 7, LegPhase.CHECKING),
        (CHECKING, order(1, TEN, OrderStatus.CANCELLED, "3"), 4, LegPhase.CHECKING),
        (CHECKING, order(1, TEN, OrderStatus.FILLED, "11"), 4, LegPhase.CHECKING),
        (CHECKING, order(1, TEN, OrderStatus.FILLED, "10").model_copy(update={"symbol": "BBB"}), 4, LegPhase.CHECKING),
        (CHECKING, order(1, TEN, OrderStatus.FILLED, "7"), 4, LegPhase.CHECKING),
        (CHECKING, order(1, TEN, OrderStatus.OPEN, "10"), 10, LegPhase.CHECKING),
        (SENT_SECOND, order(1, TEN, OrderStatus.CANCELLED, "7"), 4, LegPhase.SENT),
        (CHECKING, order(9, TEN, OrderStatus.CANCELLED, "7"), 4, LegPhase.CHECKING),
        (CHECKING, order(1, TEN, OrderStatus.OPEN, "3"), 4, LegPhase.CANCELLING),
        (CHECKING, order(1, TEN, OrderStatus.CANCELLING, "7"), 7, LegPhase.CANCELLING),
        (confirmed(CHECKING, 1), order(1, TEN, OrderStatus.CANCELLED, "7"), 7, LegPhase.READY),
        (confirmed(CHECKING, 1), FOUR, 4, LegPhase.CANCELLING),
        (SECOND, order(1, TEN, OrderStatus.CANCELLED, "7"), 7, LegPhase.CANCELLING),
        (SECOND, order(1, TEN, OrderStatus.CANCELLED, "4"), 4, LegPhase.WORKING),
    ],
    ids=[
        "a late fill",
        "fewer than known",
        "more than can be",
        "another symbol's",
        "called filled with too few",
        "all of it, whatever the status",
        "while the next one may be on its way",
        "another order",
        "open after all",
        "open after all, with a fill",
        "a late fill before the next order",
        "open after all before the next order",
        "a late fill beside an order that was sized without it",
        "nothing new",
    ],
)
def test_an_order_that_had_ended_may_have_filled_more_or_be_open_after_all(
    state: LegState, report: BrokerOrder, filled: int, phase: LegPhase
) -> None:
    after = reheard(state, report, at(9))
    assert (after.filled, after.phase) == (Decimal(filled), phase)
    assert sum(item.quantity or 0 for item in after.orders) == sum(item.quantity or 0 for item in state.orders)
    if phase is LegPhase.CANCELLING:
        assert after.order is not None
        cancel = (Cancel(after.order.order_id),)
        if after.order.status is OrderStatus.OPEN:
            assert advance(after, None, None, at(9), RULES)[1] == cancel, "it is cancelled at once"


def test_a_leg_that_is_done_hears_no_more() -> None:
    done = ended(CHECKING, LegStatus.PARTIAL, "", 1)
    assert reheard(done, order(1, TEN, OrderStatus.OPEN, "7"), at(9)) is done


def test_an_order_that_was_refused_and_is_there_all_the_same_is_the_legs_order() -> None:
    refused = replace(SENT, phase=LegPhase.CHECKING, refusals=1, turned_away=True, not_before=at(9))
    state, actions = advance(refused, None, FOUR, at(1), RULES)
    assert (state.phase, state.order, actions) == (LegPhase.WORKING, FOUR, NOTHING)


def test_a_stopped_leg_does_not_wait_for_the_position() -> None:
    stopped = stop(CHECKING, "deadline")
    partial = ended(stopped, LegStatus.PARTIAL, "deadline", 3, LegReason.STOPPED)
    assert advance(stopped, None, None, at(3), RULES) == (partial, NOTHING)


# Nobody answers


def test_what_could_not_be_asked_for_is_not_taken_for_absent_and_a_leg_that_is_to_end_waits_a_while() -> None:
    assert unheard(SENT, at(3600), RULES) == (SENT, NOTHING)
    assert unheard(WORKING, at(3600), RULES) == (WORKING, NOTHING)
    sent = stop(SENT, "halted")
    assert unheard(sent, at(59.9), RULES) == (sent, NOTHING)
    lost, actions = unheard(sent, at(60), RULES)
    assert (lost.outcome, lost.cause, lost.lost, lost.unsettled, actions) == (
        LegStatus.FROZEN,
        LegReason.NO_ANSWER,
        True,
        TEN,
        NOTHING,
    )


def test_a_stopped_leg_cancels_blindly_and_gives_up_what_never_answers() -> None:
    state, actions = unheard(stop(WORKING, "halted"), at(1), RULES)
    assert (state.phase, actions) == (LegPhase.CANCELLING, CANCEL)
    assert unheard(state, at(10.9), RULES) == (state, NOTHING)
    state, actions = unheard(state, at(11), RULES)
    assert actions == CANCEL, "asked again"
    state, actions = unheard(state, at(61), RULES)
    assert (state.outcome, state.unsettled, actions) == (LegStatus.FROZEN, TEN, CANCEL)


# Reports that cannot be true

ODD = order(1, TEN, OrderStatus.FILLED, "4")


@pytest.mark.parametrize(
    ("state", "lost", "actions"),
    [(SENT, True, NOTHING), (WORKING, False, CANCEL), (CANCELLING, False, CANCEL)],
    ids=["sent", "working", "cancelling"],
)
def test_a_contradiction_is_asked_again_for_a_while_and_then_freezes_the_leg(
    state: LegState, *, lost: bool, actions: tuple[Cancel, ...]
) -> None:
    odd, did = advance(state, None, ODD, at(1), RULES)
    assert (odd, did) == (replace(state, odd_since=at(1)), NOTHING), "it proves nothing"
    assert advance(odd, None, ODD, at(60.9), RULES) == (odd, NOTHING)
    after, did = advance(odd, None, ODD, at(61), RULES)
    reason = "the broker contradicts itself: order order-1 is called filled with 4 of 10 shares"
    assert (after, did) == (
        ended(odd, LegStatus.FROZEN, reason, 61, LegReason.CONTRADICTION, lost=lost),
        actions,
    )
    assert (after.filled, after.unsettled) == (Decimal(0), TEN)


def test_a_report_that_fits_ends_the_patience_with_those_that_did_not() -> None:
    odd, _ = advance(WORKING, None, ODD, at(1), RULES)
    assert advance(odd, None, OPEN, at(2), RULES) == (WORKING, NOTHING)
    ended_after_all, _ = advance(odd, None, order(1, TEN, OrderStatus.FILLED, "10"), at(2), RULES)
    assert (ended_after_all.outcome, ended_after_all.odd_since) == (LegStatus.FILLED, None)


def test_a_stopped_leg_cancels_an_order_whose_reports_cannot_be_true() -> None:
    state, actions = advance(stop(WORKING, "halted"), None, ODD, at(1), RULES)
    assert (state.phase, state.odd_since, actions) == (LegPhase.CANCELLING, at(1), CANCEL)
    assert advance(state, None, ODD, at(5), RULES) == (state, NOTHING), "it was asked"


def test_an_order_that_is_not_shown_any_more_stays_what_it_was() -> None:
    assert advance(WORKING, None, None, at(1), RULES) == (WORKING, NOTHING)
    assert advance(CANCELLING, None, None, at(1), RULES)[0].order == OPEN
    assert advance(replace(WORKING, order=FOUR), fresh(1), None, at(1), RULES)[0].filled == 4


# A frozen leg, looked at again

FROZEN = replace(
    WORKING,
    phase=LegPhase.DONE,
    outcome=LegStatus.FROZEN,
    reason="the broker contradicts itself",
    cause=LegReason.CONTRADICTION,
    order=FOUR,
)
AGREED = order(1, TEN, OrderStatus.CANCELLED, "4")
STILL_OPEN = order(1, TEN, OrderStatus.OPEN, "4")
CALLED_FILLED = order(1, TEN, OrderStatus.FILLED, "0")
MORE = order(1, TEN, OrderStatus.CANCELLED, "6")
REPLACED = order(1, TEN, OrderStatus.REPLACED, "4")


@pytest.mark.parametrize(
    ("listed", "found", "moved", "known"),
    [
        (AGREED, AGREED, "4", True),
        (None, AGREED, "4", False),
        (AGREED, None, "4", False),
        (AGREED, AGREED, None, False),
        (AGREED, AGREED, "0", False),
        (AGREED, AGREED, "10", False),
        (STILL_OPEN, AGREED, "4", False),
        (AGREED, STILL_OPEN, "4", False),
        (CALLED_FILLED, AGREED, "4", False),
        (AGREED, CALLED_FILLED, "4", False),
        (MORE, AGREED, "4", False),
        (AGREED, MORE, "6", False),
        (MORE, MORE, "6", True),
        (REPLACED, REPLACED, "4", False),
    ],
)
def test_a_frozen_leg_is_known_again_once_list_look_up_and_position_agree_and_is_done_all_the_same(
    listed: BrokerOrder | None, found: BrokerOrder | None, moved: str | None, *, known: bool
) -> None:
    after = settled(FROZEN, listed, found, None if moved is None else Decimal(moved))
    if not known:
        assert after == FROZEN
        return
    assert (after.phase, after.outcome, after.unsettled) == (LegPhase.DONE, LegStatus.PARTIAL, Decimal(0))
    assert after.filled == Decimal(str(moved))
    assert after.reason == FROZEN.reason


def test_a_leg_whose_request_was_lost_is_known_again_once_its_order_is_found_to_have_ended() -> None:
    lost = replace(FROZEN, order=None, lost=True, chain=())
    nothing = order(1, TEN, OrderStatus.CANCELLED, "0")
    assert settled(lost, nothing, nothing, Decimal(0)).outcome is LegStatus.UNFILLED
    assert settled(lost, None, None, Decimal(0)) == lost
