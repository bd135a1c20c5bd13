"""What a run leaves behind: orders of which it is not known whether they ended."""

from dataclasses import replace
from decimal import Decimal

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, OrderStatus
from alchemiser_common.records.loose import LooseOrder, LooseOrders
from alchemiser_trading.orders.legs import LegPhase, LegState
from alchemiser_trading.orders.loose import LastLook, named, of_run
from support.legs import CANCELLING, CHECKING, READY, SENT, TEN, WORKING, ended, order
from support.messages import RUN, SESSION

PART = order(1, TEN, OrderStatus.OPEN, "4")


def client_id(state: LegState) -> str:
    return f"client-{state.steps}"


def left_by(*legs: LegState, still_open: tuple[BrokerOrder, ...] = ()) -> LooseOrders:
    return of_run(RUN, SESSION.day, legs, still_open, client_id)


def loose(filled: str, reason: str, quantity: Decimal = TEN, step: int = 1) -> LooseOrder:
    return LooseOrder(
        client_order_id=f"client-{step}",
        symbol="AAA",
        side=Side.SELL,
        quantity=quantity,
        filled=Decimal(filled),
        reason=reason,
    )


def done(state: LegState, outcome: LegStatus = LegStatus.FROZEN, **changes: object) -> LegState:
    return replace(ended(state, outcome, "why", 9), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "left"),
    [
        (done(READY, LegStatus.UNFILLED), None),
        (done(CHECKING, LegStatus.PARTIAL), None),
        (done(CHECKING), None),
        (done(CHECKING, LegStatus.PARTIAL, unknown=Decimal(3)), "4"),
        (done(SENT, lost=True), "0"),
        (done(WORKING), "0"),
        (done(CANCELLING, order=PART), "4"),
        (done(CANCELLING, order=order(1, TEN, OrderStatus.OPEN, "10")), None),
        (done(READY, LegStatus.FROZEN, unknown=Decimal(3)), None),
    ],
    ids=[
        "never sent",
        "ended",
        "frozen, with all orders ended",
        "ended, perhaps with more",
        "its request lost",
        "open",
        "open, with fills",
        "open, and all filled",
        "no step was ever written",
    ],
)
def test_a_leg_leaves_the_order_that_may_still_fill(state: LegState, left: str | None) -> None:
    assert state.phase is LegPhase.DONE
    kept = left_by(state)
    assert (kept.run_id, kept.session) == (RUN, SESSION.day)
    assert kept.orders == (() if left is None else (loose(left, "why"),))


def test_what_the_last_look_saw_open_is_kept_too_and_nothing_twice() -> None:
    other = order(7, TEN, OrderStatus.CANCELLING, "2")
    kept = left_by(done(CANCELLING, order=PART), done(CHECKING), still_open=(PART, other))
    assert kept.orders == (loose("4", "why"), loose("2", "open although it was cancelled", step=7))
    by_amount = other.model_copy(update={"quantity": None})
    assert left_by(still_open=(by_amount,)).orders[0].quantity == 0


def test_each_is_named_with_what_is_known_and_what_becomes_of_it() -> None:
    kept = left_by(done(CANCELLING, order=PART))
    (line,) = named(kept)
    assert line.startswith("may be open: sell 10 AAA (client-1), at least 4 filled; ")
    assert "looked up and cancelled" in line
    assert named(left_by()) == ()


def test_a_last_look_without_a_finding_says_nothing() -> None:
    assert (LastLook().any, LastLook().lines) == (False, ())
