"""From what happened to the run's status: every finding, every reason, every stop."""

from dataclasses import replace
from decimal import Decimal

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import LegStatus, RunStatus
from alchemiser_common.ports.broker import OrderStatus
from alchemiser_common.records.plan import SkippedLeg
from alchemiser_trading.orders.legs import LegPhase, LegState, Step, start
from alchemiser_trading.orders.loose import LastLook
from alchemiser_trading.orders.order_gateway import Stop, StopKind
from alchemiser_trading.orders.reconcile import Difference, Finding
from alchemiser_trading.orders.settling import Afterwards
from alchemiser_trading.runs.reporting import Ending, endings, leg_reports, reason_of, status_of
from support.legs import AT_MID, MID, TEN, at, leg, order
from support.messages import ACCOUNT
from support.reconciling import A, plan

AFTER, ALONE = Afterwards(ACCOUNT, ()), LastLook()
ORDER = order(1, TEN, OrderStatus.OPEN, "4")


def ended(outcome: LegStatus | None, side: Side = Side.SELL, filled: str = "4", **changes: object) -> LegState:
    chain = (order(1, TEN, OrderStatus.CANCELLED, filled),) if Decimal(filled) else ()
    state = replace(start(leg(side)), phase=LegPhase.DONE, outcome=outcome, chain=chain, ended_at=at(9), steps=1)
    return replace(state, pending=Step(1, TEN, AT_MID, MID), **changes)  # type: ignore[arg-type]


ALL, PART = ended(LegStatus.FILLED, filled="10"), ended(LegStatus.PARTIAL)
LEGS: list[tuple[str, LegState, Ending]] = [
    ("filled", ALL, Ending.ALL_DONE),
    ("partial", PART, Ending.LESS),
    ("unfilled", ended(LegStatus.UNFILLED, filled="0"), Ending.LESS),
    ("refused", ended(LegStatus.REFUSED, filled="0"), Ending.LESS),
    ("without an outcome", ended(None), Ending.LESS),
    ("cut for want of cash", ended(LegStatus.PARTIAL, Side.BUY, intended=Decimal(4)), Ending.LESS_BY_ITS_NATURE),
    ("cut to nothing", ended(LegStatus.UNFILLED, Side.BUY, "0", intended=Decimal(0)), Ending.LESS_BY_ITS_NATURE),
    ("cut, and got less", ended(LegStatus.PARTIAL, Side.BUY, intended=Decimal(7)), Ending.LESS),
    (
        "cut for now, and stopped",
        ended(LegStatus.PARTIAL, Side.BUY, intended=Decimal(4), for_now=True),
        Ending.LESS,
    ),
    ("a buy that got less", ended(LegStatus.PARTIAL, Side.BUY), Ending.LESS),
    ("frozen", ended(LegStatus.FROZEN), Ending.UNSETTLED),
    ("frozen, all of it filled", ended(LegStatus.FROZEN, filled="10"), Ending.UNSETTLED),
    ("unfilled, perhaps not", ended(LegStatus.UNFILLED, filled="0", unknown=Decimal(1)), Ending.UNSETTLED),
    ("filled, perhaps more", replace(ALL, unknown=Decimal(1)), Ending.UNSETTLED),
    ("its request lost", ended(LegStatus.UNFILLED, filled="0", lost=True), Ending.UNSETTLED),
    ("its order open", ended(LegStatus.PARTIAL, filled="0", order=ORDER), Ending.UNSETTLED),
]
STATUS = {
    Ending.ALL_DONE: RunStatus.COMPLETED,
    Ending.LESS_BY_ITS_NATURE: RunStatus.COMPLETED,
    Ending.LESS: RunStatus.PARTIAL,
    Ending.STOPPED: RunStatus.HALTED,
    Ending.LIMITED: RunStatus.HALTED,
    Ending.UNSETTLED: RunStatus.HALTED,
    Ending.NOT_ALONE: RunStatus.HALTED,
}


@pytest.mark.parametrize(("state", "finding"), [row[1:] for row in LEGS], ids=[row[0] for row in LEGS])
def test_what_a_leg_came_to(state: LegState, finding: Ending) -> None:
    for others in ([], [ALL]):
        assert endings([*others, state], (), None, AFTER, ALONE) == {Ending.ALL_DONE, finding}
        assert status_of([state, *others], (), None, AFTER, ALONE) is STATUS[finding]


BY_NATURE = {
    LegReason.CASH_SHORT,
    LegReason.LESS_THAN_ONE_SHARE,
    LegReason.PART_OF_A_SHARE_STAYS,
    LegReason.SMALL_TRADE,
    LegReason.DUST,
}
LIMITS = {
    LegReason.LIMIT_ORDERS,
    LegReason.LIMIT_TURNOVER,
    LegReason.LIMIT_SYMBOL_WEIGHT,
    LegReason.LIMIT_DAILY_LOSS,
}


@pytest.mark.parametrize("cause", [None, *LegReason])
def test_what_a_trade_that_was_not_planned_comes_to(cause: LegReason | None) -> None:
    expected = Ending.LIMITED if cause in LIMITS else Ending.LESS_BY_ITS_NATURE if cause in BY_NATURE else Ending.LESS
    left = SkippedLeg(symbol="ZZZ", side=Side.BUY, value=Decimal(100), reason="because", cause=cause)
    assert endings([ALL], [left], None, AFTER, ALONE) == {Ending.ALL_DONE, expected}
    assert status_of([ALL], [left], None, AFTER, ALONE) is STATUS[expected]
    assert endings([], [left], None, AFTER, ALONE) == {Ending.ALL_DONE, expected}, "nothing else was wanted"
    untradable = left.model_copy(update={"untradable": True})
    wanted = Ending.LIMITED if cause in LIMITS else Ending.LESS
    assert endings([ALL], [untradable], None, AFTER, ALONE) == {Ending.ALL_DONE, wanted}


@pytest.mark.parametrize("kind", list(StopKind))
def test_what_a_stop_comes_to(kind: StopKind) -> None:
    stop = Stop(kind, "because")
    complete = Ending.NOT_ALONE if kind is StopKind.UNRECONCILED else Ending.ALL_DONE
    assert status_of([ALL], (), stop, AFTER, ALONE) is STATUS[complete]
    assert status_of([], (), stop, AFTER, ALONE) is STATUS[complete]
    incomplete = {StopKind.UNRECONCILED: Ending.NOT_ALONE, StopKind.HALTED: Ending.STOPPED}.get(kind, Ending.LESS)
    assert status_of([ALL, PART], (), stop, AFTER, ALONE) is STATUS[incomplete]
    assert incomplete in endings([PART], (), stop, AFTER, ALONE)


DIFFERENCE = Difference(Finding.POSITION, "AAA", "6 shares at the broker, 10 by the fills")


@pytest.mark.parametrize(
    ("after", "seen", "finding", "named"),
    [
        (Afterwards(ACCOUNT, (), (DIFFERENCE,)), ALONE, Ending.UNSETTLED, "position AAA: 6 shares at the broker"),
        (AFTER, LastLook(ours=(ORDER,)), Ending.UNSETTLED, "still open after a cancel: sell order of AAA, order-1"),
        (AFTER, LastLook(unread="timed out"), Ending.UNSETTLED, "could not be listed: timed out"),
        (AFTER, LastLook(foreign=("buy order of X",)), Ending.NOT_ALONE, "not this system's: buy order of X"),
        (
            AFTER,
            LastLook(foreign=("buy order of X",), other_home=True),
            Ending.NOT_ALONE,
            "another home trades this account: buy order of X",
        ),
    ],
    ids=["a position", "ours is open", "not listed", "a person's", "another home's"],
)
def test_what_is_seen_afterwards_outweighs_what_the_legs_came_to(
    after: Afterwards, seen: LastLook, finding: Ending, named: str
) -> None:
    for legs in ([], [ALL], [PART], [ended(LegStatus.FROZEN)]):
        assert finding in endings(legs, (), None, after, seen)
        assert status_of(legs, (), None, after, seen) is RunStatus.HALTED
    assert named in "; ".join((reason_of(plan(A), [ALL], None, after), *seen.lines))
    assert seen.any is (seen is not ALONE)


def test_the_worst_finding_decides_and_everyone_of_them_has_a_status() -> None:
    cut = SkippedLeg(symbol="Z", side=Side.BUY, value=Decimal(1), reason="limit", cause=LegReason.LIMIT_TURNOVER)
    small = SkippedLeg(symbol="Y", side=Side.BUY, value=Decimal(1), reason="small", cause=LegReason.SMALL_TRADE)
    stop, after = Stop(StopKind.HALTED, "by ann"), Afterwards(ACCOUNT, (), (DIFFERENCE,))
    assert endings([ALL, PART], [cut, small], stop, after, LastLook(foreign=("x",))) == set(Ending)
    assert set(STATUS) == set(Ending)
    worst = [STATUS[finding] for finding in Ending]
    order_of = [RunStatus.COMPLETED, RunStatus.PARTIAL, RunStatus.HALTED]
    assert worst == sorted(worst, key=order_of.index), "a later finding is never the better one"


@pytest.mark.parametrize(
    ("state", "filled", "unknown"),
    [(PART, 4, 0), (replace(PART, unknown=Decimal(2)), 4, 2), (ended(LegStatus.FROZEN, filled="0", lost=True), 0, 10)],
)
def test_a_report_claims_what_was_reported_and_names_the_rest_as_unknown(
    state: LegState, filled: int, unknown: int
) -> None:
    (told,) = leg_reports(plan(A), [state])
    assert (told.intended, told.filled, told.unknown) == (TEN, Decimal(filled), Decimal(unknown))
