"""What the verdicts on cycles say to a person: one as a whole, the newest of many, and how long they have been good.

In come stored verdicts, and of runs only which cycle they are of and how they stand.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Protocol

from alchemiser_common.ids import scheduled_time
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.records.parity import Difference, Parity, Verdict


class ListedRun(Protocol):
    """A run as a list shows it."""

    @property
    def cycle_id(self) -> str:
        """Of which cycle."""
        ...

    @property
    def status(self) -> str:
        """The latest that any stage knows, as `RunStatus` spells it."""
        ...


@dataclass(frozen=True, slots=True)
class VerdictView:
    """A verdict as a person is told it, from its name to its evidence."""

    cycle_id: str
    verdict: Verdict
    by: str
    """Where what differs comes from; empty if nothing does, or a side is missing."""
    judged: datetime
    line: str
    """All of it in one line; empty if there is nothing to say."""
    lacking: tuple[str, ...]
    """A sentence for each side that came to no plan."""
    differences: tuple[Difference, ...]
    """The decisive ones first."""

    @classmethod
    def of(cls, parity: Parity) -> "VerdictView":
        """Of a stored verdict."""
        return cls(
            cycle_id=parity.cycle_id,
            verdict=parity.verdict,
            by="" if parity.cause is None else parity.cause.value,
            judged=parity.at,
            line=parity.detail,
            lacking=tuple(map(str, parity.lacking)),
            differences=parity.differences,
        )

    @property
    def broken(self) -> bool:
        """Whether a person should look."""
        return self.verdict.broken

    @property
    def remark(self) -> str:
        """What stands in place of evidence where there is none; otherwise empty."""
        return "" if self.differences or self.lacking else self.line or "nothing differs"


def newest_first(verdicts: Iterable[Parity], runs: Iterable[ListedRun]) -> list[Parity]:
    """Each cycle's verdict once, of no cycle before the oldest of these runs; of all without runs."""
    oldest = min((scheduled_time(run.cycle_id) for run in runs), default=None)
    found = {verdict.cycle_id: verdict for verdict in verdicts}
    kept = [cycle for cycle in found if oldest is None or scheduled_time(cycle) >= oldest]
    return [found[cycle] for cycle in sorted(kept, key=scheduled_time, reverse=True)]


def agree(parity: Parity | None, statuses: Sequence[str | None]) -> bool:
    """Whether a cycle of both pipelines needs no person: its verdict is good, or there was nothing to decide and both
    say so. `statuses` are how the two runs stand, None for one that left no record.
    """
    if parity is not None:
        return not parity.verdict.broken
    return all(status == RunStatus.SKIPPED for status in statuses)


def days_alike(verdicts: Iterable[Parity], runs: Iterable[ListedRun], zone: tzinfo) -> int:
    """The newest trading days in a row on which every cycle was decided alike by both pipelines; days are the zone's.

    Days without session are no trading days. A day with a cycle that lacks a verdict, or has a bad one, ends it.
    """
    found = {parity.cycle_id: parity.verdict for parity in verdicts}
    statuses: dict[str, list[str]] = {}
    for run in runs:
        statuses.setdefault(run.cycle_id, []).append(run.status)
    alike: dict[date, bool] = {}
    for cycle in sorted({*statuses, *found}, key=scheduled_time, reverse=True):
        if cycle not in found and all(status == RunStatus.SKIPPED for status in statuses[cycle]):
            continue
        day = scheduled_time(cycle).astimezone(zone).date()
        alike[day] = alike.get(day, True) and cycle in found and not found[cycle].broken
    days = list(alike.values())
    return days.index(False) if False in days else len(days)
