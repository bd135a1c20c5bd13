"""Runs many seeds, in this process or in as many as the machine has processors, and tells what they came to."""

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context

from support.liar.explorer import Played, explore, play, shrunk
from support.liar.scenario import Mode, scenario
from support.liar.world import Exchange
from support.quiet import quiet

_AT_ONCE = 50
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Found:
    """A seed that violates, and what it violates."""

    seed: int
    what: tuple[str, ...]


@dataclass
class Tally:
    """What a number of seeds came to."""

    mode: Mode
    seeds: int = 0
    requests: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    lies: Counter[str] = field(default_factory=Counter)
    """Seeds in which a lie of that kind was told."""
    found: list[Found] = field(default_factory=list)

    def add(self, played: Played) -> None:
        """One seed more."""
        self.seeds += 1
        self.requests += played.requests
        self.ends[played.report.status.value if played.report else "no report"] += 1
        self.lies.update(played.told)
        if played.violations:
            what = dict.fromkeys(violation.what for violation in played.violations)
            self.found.append(Found(played.drawn.seed, tuple(what)))

    def merge(self, other: "Tally") -> None:
        """Another part's."""
        self.seeds += other.seeds
        self.requests += other.requests
        self.ends += other.ends
        self.lies += other.lies
        self.found += other.found

    @property
    def kinds(self) -> Counter[str]:
        """Seeds by what they violate."""
        return Counter(what for found in self.found for what in found.what)

    def __str__(self) -> str:
        return f"{self.seeds} seeds, {self.requests} requests, {len(self.found)} violate; ends {dict(self.ends)}"


@cache
def exchange() -> Exchange:
    """This process's."""
    return Exchange()


def tally(mode: Mode, seeds: Sequence[int]) -> Tally:
    """These seeds, one after another."""
    total = Tally(mode)
    with quiet():
        for played in explore(exchange(), mode, seeds):
            total.add(played)
    return total


def tally_by_all(mode: Mode, seeds: range) -> Tally:
    """The same by every processor of the machine."""
    parts = [seeds[first : first + _AT_ONCE] for first in range(0, len(seeds), _AT_ONCE)]
    total = Tally(mode)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for part in pool.map(tally, [mode] * len(parts), parts):
            total.merge(part)
    return total


def traces(mode: Mode, seeds: Sequence[int]) -> list[tuple[str, ...]]:
    """Word for word what was said."""
    with quiet():
        return [played.trace for played in explore(exchange(), mode, seeds)]


def told(found: Tally) -> str:
    """Every violation by its seed, and the first of each kind with all that led to it, as small as it gets."""
    lines = [str(found), *(f"{count:6}  {what}" for what, count in found.kinds.most_common())]
    shown: set[str] = set()
    for item in found.found:
        lines.append(f"{found.mode.value} seed {item.seed}: {', '.join(item.what)}")
        if shown.issuperset(item.what) or len(shown) >= _SHOWN:
            continue
        shown.update(item.what)
        with quiet():
            lines.append(str(shrunk(exchange(), play(exchange(), scenario(item.seed, found.mode)))))
    return "\n".join(lines)
