"""What the drill has seen and asserted: acts, cycles, looks at the gate, counts. Its output and page come of it."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


class DrillFailed(Exception):
    """An assertion that did not hold, with the act it was in."""


@dataclass(frozen=True)
class OrderSeen:
    """One order at the exchange that was filled."""

    symbol: str
    side: str
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True)
class RunSeen:
    """How one pipeline's run of a cycle ended."""

    pipeline: str
    status: str
    orders: int
    reason: str


@dataclass(frozen=True)
class CycleSeen:
    """One cycle."""

    number: int
    act: int
    phase: str
    due: datetime
    authority: str
    runs: Sequence[RunSeen]
    verdict: str
    """Nothing in a phase that compares nothing."""
    cause: str
    detail: str
    equity: Decimal
    orders: Sequence[OrderSeen]
    alarms: Sequence[str]
    """That went off during the cycle."""
    seeded: str
    """What was wrong on purpose."""

    @property
    def day(self) -> date:
        """Of the session."""
        return self.due.date()


@dataclass(frozen=True)
class GateSeen:
    """One look at the gate, or one attempt to pass it."""

    after: int
    """Cycles played before it."""
    step: str
    by: str
    """What asked: `phase check` or `deploy`."""
    passed: bool
    blockers: Sequence[str]


@dataclass
class Act:
    """A part of the story."""

    number: int
    title: str
    lines: list[str] = field(default_factory=list)
    checks: int = 0
    seconds: float = 0.0


@dataclass
class Tale:
    """The whole of it."""

    acts: list[Act] = field(default_factory=list)
    cycles: list[CycleSeen] = field(default_factory=list)
    gate: list[GateSeen] = field(default_factory=list)
    phases: list[tuple[int, str, str]] = field(default_factory=list)
    """After how many cycles the stage went into which phase, and who has authority from then on."""
    failed: str = ""
    started: float = field(default_factory=time.monotonic)
    _act_started: float = 0.0

    @property
    def checks(self) -> int:
        """Assertions made."""
        return sum(act.checks for act in self.acts)

    @property
    def act(self) -> Act:
        """The one that is played."""
        return self.acts[-1]

    def begin(self, title: str) -> None:
        """The next act; the one before has ended."""
        self.end()
        self.acts.append(Act(len(self.acts) + 1, title))
        self._act_started = time.monotonic()

    def end(self) -> None:
        """The act is over: one line of it is printed."""
        if self.acts and self._act_started:
            act = self.act
            act.seconds = time.monotonic() - self._act_started
            self._act_started = 0.0
            told = "; ".join(act.lines)
            line = f"act {act.number}  {act.title}: {told}  [{act.checks} asserted, {act.seconds:.0f} s]"
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    def say(self, line: str) -> None:
        """Into the act's line."""
        self.act.lines.append(line)

    def note(self, line: str) -> None:
        """Progress, for whoever waits."""
        sys.stderr.write(f"  {time.monotonic() - self.started:4.0f} s  {line}\n")
        sys.stderr.flush()

    def check(self, holds: bool, what: str, found: object = "") -> None:
        """One assertion. Raises DrillFailed naming it."""
        self.act.checks += 1
        if not holds:
            after = f" after cycle {len(self.cycles)}" if self.cycles else ""
            self.failed = f"act {self.act.number}, {self.act.title}{after}: {what}" + (
                f" (found: {found})" if found != "" else ""
            )
            raise DrillFailed(self.failed)

    def equal(self, found: object, wanted: object, what: str) -> None:
        """One assertion of equality."""
        self.check(found == wanted, what, f"{found!r} instead of {wanted!r}")
