"""What may still be learned of a leg that is done, and what stays unknown."""

from dataclasses import replace
from decimal import Decimal

import pytest

from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, OrderStatus
from alchemiser_trading.orders.leg_ends import closed, contradicted, given_up, last_report
from alchemiser_trading.orders.legs import LegState
from support.legs import CANCELLING, CHECKING, READY, SENT, TEN, WORKING, at, ended, order

PART = order(1, TEN, OrderStatus.OPEN, "4")
LOST = ended(SENT, LegStatus.FROZEN, "no answer", 9, LegReason.NO_ANSWER, lost=True)
OPEN_END = ended(CANCELLING, LegStatus.FROZEN, "it did not end", 9, LegReason.CONTRADICTION, order=PART)
ENDED = ended(CHECKING, LegStatus.PARTIAL, "deadline", 9, LegReason.STOPPED)


@pytest.mark.parametrize(
    ("state", "report", "filled", "unsettled", "may_have_order"),
    [
        (LOST, order(1, TEN, OrderStatus.FILLED, "10"), "10", "0", False),
        (LOST, order(1, TEN, OrderStatus.CANCELLED, "3"), "3", "0", False),
        (LOST, order(1, TEN, OrderStatus.OPEN, "3"), "3", "7", True),
        (LOST, order(1, TEN, OrderStatus.FILLED, "3"), "0", "10", True),
        (LOST, order(1, TEN, OrderStatus.REPLACED, "3"), "3", "7", False),
        (OPEN_END, order(1, TEN, OrderStatus.CANCELLED, "6"), "6", "0", False),
        (OPEN_END, order(1, TEN, OrderStatus.CANCELLED, "2"), "4", "6", True),
        (OPEN_END, order(1, TEN, OrderStatus.OPEN, "2"), "4", "6", True),
    ],
)
def test_what_the_order_came_to_by_the_end_of_the_run(
    state: LegState, report: BrokerOrder, filled: str, unsettled: str, *, may_have_order: bool
) -> None:
    after = last_report(state, report)
    assert (after.filled, after.unsettled) == (Decimal(filled), Decimal(unsettled))
    assert after.may_have_order is may_have_order
    assert after.outcome is LegStatus.FROZEN


@pytest.mark.parametrize(
    ("state", "outcome", "unsettled"),
    [
        (ENDED, LegStatus.PARTIAL, "0"),
        (replace(ENDED, unknown=Decimal(3)), LegStatus.PARTIAL, "0"),
        (replace(ENDED, outcome=LegStatus.FROZEN, unknown=Decimal(3)), LegStatus.PARTIAL, "0"),
        (last_report(LOST, order(1, TEN, OrderStatus.FILLED, "10")), LegStatus.FILLED, "0"),
        (last_report(LOST, order(1, TEN, OrderStatus.CANCELLED, "0")), LegStatus.UNFILLED, "0"),
        (LOST, LegStatus.FROZEN, "10"),
        (OPEN_END, LegStatus.FROZEN, "6"),
    ],
)
def test_where_orders_have_ended_and_the_position_agrees_nothing_is_unknown(
    state: LegState, outcome: LegStatus, unsettled: str
) -> None:
    assert (closed(state).outcome, closed(state).unsettled) == (outcome, Decimal(unsettled))


TWO = replace(ENDED, chain=(order(1, TEN, OrderStatus.CANCELLED, "4"), order(2, TEN, OrderStatus.CANCELLED, "3")))
TWO_AGREED_ON_4 = replace(TWO, proved=Decimal(4))


@pytest.mark.parametrize(
    ("state", "moved", "filled", "unsettled"),
    [
        (ENDED, None, "4", "0"),
        (ENDED, "4", "4", "0"),
        (ENDED, "0", "0", "4"),
        (ENDED, "-2", "0", "4"),
        (ENDED, "7", "4", "3"),
        (ENDED, "70", "4", "6"),
        (TWO, "5", "0", "7"),
        (TWO_AGREED_ON_4, "5", "4", "3"),
        (TWO_AGREED_ON_4, "2", "2", "5"),
        (replace(TWO_AGREED_ON_4, unknown=Decimal(3)), "2", "2", "8"),
        (replace(ENDED, unknown=Decimal(5)), "7", "4", "5"),
        (OPEN_END, "0", "0", "10"),
        (OPEN_END, "7", "4", "6"),
        (LOST, "3", "0", "10"),
        (LOST, "10", "0", "10"),
        (replace(READY, outcome=LegStatus.UNFILLED), "3", "0", "0"),
    ],
)
def test_what_only_orders_or_only_the_position_show_is_unknown_and_counts_once(
    state: LegState, moved: str | None, filled: str, unsettled: str
) -> None:
    after = contradicted(state, None if moved is None else Decimal(moved))
    assert (after.filled, after.unsettled) == (Decimal(filled), Decimal(unsettled))
    if after.filled < state.filled:
        assert (after.outcome, after.cause) == (LegStatus.FROZEN, LegReason.CONTRADICTION)
        assert f"{state.filled} shares" in after.reason
    else:
        assert after.outcome is state.outcome


def test_a_leg_of_which_nothing_can_be_read_any_more_is_unknown_from_its_first_step_on() -> None:
    never, sent = given_up(READY, "gone", at(1)), given_up(WORKING, "gone", at(1))
    assert (never.outcome, never.cause, never.unsettled) == (LegStatus.UNFILLED, LegReason.STOPPED, Decimal(0))
    assert (sent.outcome, sent.cause, sent.unsettled) == (LegStatus.FROZEN, LegReason.NO_ANSWER, TEN)
    assert given_up(ENDED, "gone", at(1)) is ENDED
