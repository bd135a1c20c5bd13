"""What stored verdicts say to a person."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from alchemiser_common.ids import Pipeline, cycle_id
from alchemiser_common.messages.base import Stage
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.records.parity import Cause, Difference, Lacking, Parity, Verdict
from alchemiser_readmodel.verdicts import VerdictView, agree, days_alike, newest_first

FIRST = datetime(2026, 11, 2, 14, 45, tzinfo=UTC)
GOOD, EQUAL, BAD, SILENT = Verdict.IDENTICAL, Verdict.EQUIVALENT, Verdict.DIFFERENT, Verdict.MISSING


@dataclass(frozen=True)
class Run:
    cycle_id: str
    status: str = RunStatus.COMPLETED.value


def cycle(day: int, hours: float = 0) -> str:
    return cycle_id("paper", FIRST + timedelta(days=day, hours=hours))


def judged(day: int, verdict: Verdict = GOOD, **changes: object) -> Parity:
    found = Parity(cycle_id=cycle(day), verdict=verdict, at=FIRST)
    return found.model_copy(update=changes)


def test_each_cycles_verdict_is_shown_once_the_newest_first_and_none_from_before_the_oldest_run() -> None:
    known = [judged(3), judged(1), judged(2, SILENT), judged(2, SILENT)]
    assert newest_first(known, []) == [judged(3), judged(2, SILENT), judged(1)]
    assert newest_first(known, [Run(cycle(4)), Run(cycle(2))]) == [judged(3), judged(2, SILENT)]


DIFFERS = Difference(where="tecl weight TQQQ", monolith="0.5", modular="0.25")
LACKS = Lacking(pipeline=Pipeline.MODULAR, stage=Stage.DATA, why="no run is on record")


@pytest.mark.parametrize(
    ("parity", "by", "remark", "broken"),
    [
        (judged(1), "", "nothing differs", False),
        (judged(1, detail="builds: a and b"), "", "builds: a and b", False),
        (judged(1, EQUAL, cause=Cause.DATA, differences=(DIFFERS,), detail="x"), "data", "", False),
        (judged(1, BAD, cause=Cause.UNPROVEN, detail="gone"), "unproven", "gone", True),
        (judged(1, SILENT, lacking=(LACKS,), detail="x"), "", "", True),
    ],
)
def test_a_verdict_is_told_with_its_evidence_or_what_stands_in_its_place(
    parity: Parity, by: str, remark: str, broken: bool
) -> None:
    view = VerdictView.of(parity)
    assert (view.by, view.remark, view.broken) == (by, remark, broken)
    assert view.differences == parity.differences
    assert view.lacking == tuple("modular has no plan: data: no run is on record" for _ in parity.lacking)


@pytest.mark.parametrize(
    ("parity", "statuses", "expected"),
    [
        (judged(1), ("completed", "failed"), True),
        (judged(1, SILENT), ("skipped", "skipped"), False),
        (None, ("skipped", "skipped"), True),
        (None, ("completed", "skipped"), False),
        (None, ("skipped", None), False),
    ],
)
def test_without_a_verdict_only_two_sides_that_skip_agree(
    parity: Parity | None, statuses: tuple[str | None, ...], expected: bool
) -> None:
    assert agree(parity, statuses) is expected


def test_days_are_the_zones_and_one_bad_cycle_or_one_without_verdict_ends_the_row() -> None:
    good = [judged(day) for day in (4, 3, 2)]
    runs = [Run(cycle(day)) for day in (4, 3, 2, 1)]
    assert days_alike(good, runs, EXCHANGE_ZONE) == 3
    assert days_alike([judged(5, EQUAL), *good], runs, EXCHANGE_ZONE) == 4
    assert days_alike([judged(5, BAD), *good], runs, EXCHANGE_ZONE) == 0
    evening = judged(4, BAD, cycle_id=cycle(4, 9.5))  # 19:15 in New York, and the next day in UTC
    assert days_alike([judged(5), evening, *good], runs, EXCHANGE_ZONE) == 1
    assert days_alike([judged(5), evening, *good], runs, UTC) == 0
    closed = [Run(cycle(5), "skipped"), Run(cycle(5), "skipped")]
    assert days_alike(good, [*closed, *runs], EXCHANGE_ZONE) == 3
    assert days_alike(good, [closed[0], Run(cycle(5)), *runs], EXCHANGE_ZONE) == 0
