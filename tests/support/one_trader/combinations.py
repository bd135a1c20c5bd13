"""The rows of the table, what comes of each, and the table in figures."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

from alchemiser_common.ids import Pipeline
from support.alarms import Point
from support.one_trader.phases import called


class Standing(StrEnum):
    """What the record of authority says."""

    NONE = "none"
    MONOLITH = "monolith"
    MODULAR = "modular"
    UNREADABLE = "unreadable"
    CHANGED = "changed mid-run"
    """With whoever the phase lets trade; taken from it in the middle of its run, and given back."""


class Crash(StrEnum):
    """Where the first process of each pipeline dies."""

    NOWHERE = "nowhere"
    BEFORE_LEASE = "before the lease"
    AFTER_LEASE = "after the lease"
    BEFORE_POST = "between intent and POST"
    AFTER_POST = "after the POST"


@dataclass(frozen=True, slots=True)
class Combination:
    """One row of the table."""

    phase: str
    authority: Standing
    on: Mapping[Pipeline, bool]
    """Whose function is told to trade, whatever its phase says."""
    crash: Crash

    def __str__(self) -> str:
        flags = ", ".join(f"{pipeline.value} {'on' if on else 'off'}" for pipeline, on in self.on.items())
        return f"phase {self.phase}, authority {self.authority.value}, {flags}, dies {self.crash.value}"


def combinations(phase: str) -> Iterator[Combination]:
    """All of one phase: authority x both flags x where a process dies; nowhere comes first."""
    for authority, monolith, modular, crash in product(Standing, (False, True), (False, True), Crash):
        yield Combination(phase, authority, {Pipeline.MONOLITH: monolith, Pipeline.MODULAR: modular}, crash)


@dataclass(frozen=True, slots=True)
class Sent:
    """An order that came to the exchange."""

    pipeline: Pipeline | None
    """Whose; None if no intent explains it."""
    authorised: bool
    """Whether the record said at that moment that this pipeline may, under the epoch that its intent names."""


@dataclass
class Outcome:
    """What came of a cycle; `verdict` is the stored one, or nothing."""

    sent: list[Sent] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    alarms: tuple[str, ...] = ()
    verdict: str = ""
    completed: bool = False
    """A run ended with all it had planned, or as much as there is by nature."""
    left_open: int = 0
    come_to: frozenset[Crash] = frozenset()
    """Where the first process of a pipeline came to, and could have died."""

    @property
    def traders(self) -> set[Pipeline]:
        """Who sent orders."""
        return {item.pipeline for item in self.sent if item.pipeline is not None}

    def faults(self, of: Combination) -> Iterator[str]:
        """What must not be."""
        if len(self.traders) > 1:
            yield "two traders"
        if any(item.pipeline is None for item in self.sent):
            yield "an order that no intent explains"
        if any(not of.on[pipeline] for pipeline in self.traders):
            yield "a trader that is told to plan only"
        if any(not item.authorised for item in self.sent):
            yield "an order without authority"
        if not self.alarms and (not self.completed or self.left_open):
            yield "no alarm, though the cycle came to nothing" if not self.sent else "no alarm, though it was cut short"


# Two rows are one if nothing that happens can tell them apart: the flag of a function that nobody calls in this phase
# is read by nobody, and a process that never comes to a point does not die there. Both are seen, not supposed: the
# second by playing the row in which nobody dies. Rows of a change of authority are played each, for the moment of the
# change hangs on the death. `every` plays all the same.
def played(
    play: Callable[[Combination], Outcome], phase: str, *, every: bool = False
) -> Iterator[tuple[Combination, Outcome, bool]]:
    """Each row of a phase with what came of it, and whether it was played itself."""
    known: dict[object, Outcome] = {}
    for row in combinations(phase):
        flags = tuple(row.on[pipeline] for pipeline in Pipeline if called(phase, pipeline))
        undisturbed = known.get((row.authority, flags, Crash.NOWHERE))
        crash = row.crash
        if undisturbed is not None and row.authority is not Standing.CHANGED and crash not in undisturbed.come_to:
            crash = Crash.NOWHERE
        same = known.get((row.authority, flags, crash))
        outcome = same if same is not None and not every else play(row)
        known[row.authority, flags, crash] = outcome
        yield row, outcome, outcome is not same


@dataclass
class Count:
    """The table in figures."""

    rows: int = 0
    played: int = 0
    two: int = 0
    none: int = 0
    silent: int = 0
    """Of them without an alarm."""
    faults: list[str] = field(default_factory=list)

    def add(self, row: Combination, outcome: Outcome, *, own: bool) -> None:
        """One more row."""
        self.rows += 1
        self.played += own
        self.two += len(outcome.traders) > 1
        self.none += not outcome.traders
        self.silent += not outcome.traders and not outcome.alarms
        self.faults += [f"{row}: {fault}" for fault in outcome.faults(row)]

    def __str__(self) -> str:
        alarmed = "each alarmed" if not self.silent else f"{self.silent} of them in silence"
        return (
            f"{self.rows} combinations ({self.played} played), {self.two} with two traders, {self.none} with none, "
            f"{alarmed}"
        )
