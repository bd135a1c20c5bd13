"""Plays a scenario to its end and judges it: deliveries until a report, watches, the next run, in milliseconds.

Everything is drawn from the seed and all time is the exchange's, so a number is all that a replay needs.
"""

import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from alchemiser_common.errors import OutOfTime, TransientError
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport
from alchemiser_trading.service import DecisionService
from support.faulty_ports import FaultyArchive, FaultyStore, Killed
from support.liar.deeds import DEEDS
from support.liar.liar import Liar, Process
from support.liar.oracles import (
    Violation,
    Watched,
    afterwards,
    at_the_end,
    in_liveness,
    loose,
    named_orders,
    nothing_left,
)
from support.liar.scenario import Deed, Mishap, Mode, Quirk, Scenario, scenario
from support.liar.telling import Lie
from support.liar.world import NOT_AFTER, Endless, Exchange, World, rules
from support.trading_rig import SCHEDULED

_DELIVERIES = 8
_WATCHES = 4
_WATCHED_EVERY = 600.0
_PLAYED = ("/explorer.py", "/guards.py", "/memory.py")
"""Files of the liar that call what is tested, stand in its place, or raise what a port may."""
_NEXT = timedelta(minutes=75)
"""Between one decision and the next, long enough for anything that is in the network to arrive."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a scenario."""

    drawn: Scenario
    violations: tuple[Violation, ...]
    report: ExecutionReport | None
    trace: tuple[str, ...]
    told: tuple[str, ...]
    """The kinds of lies that were told."""
    requests: int

    def __str__(self) -> str:
        found = [f"VIOLATED  {violation}" for violation in self.violations]
        return "\n".join([*self.drawn.described(), *found, *self.trace])


@dataclass
class _Play:
    """One scenario under way."""

    world: World
    drawn: Scenario
    liar: Liar
    watched: Watched
    process: Process
    violations: list[Violation] = field(default_factory=list)
    report: ExecutionReport | None = None
    ended: datetime = SCHEDULED
    failures: int = 0
    """Deliveries that failed, not counting those that only had no time left."""

    def deliver(self, decision: TradeDecision, *, mishaps: bool = True) -> None:
        """As a queue does: until there is a report, or it gives up."""
        for number in range(_DELIVERIES):
            self.world.tell(f"-- delivery {number}")
            self._begin(
                []
                if not mishaps
                else [part for part in self.drawn.parts if isinstance(part, Mishap) and part.delivery == number]
            )
            if self._try(lambda service, left: service.execute(decision, time_left=left)):
                return
            self.world.advance(self.world.settings.execution.lease_seconds + 1)

    def watch(self) -> None:
        """As the schedule does: end what nobody delivers any more."""
        self.world.tell("-- watch")
        self._begin([])
        self._try(lambda service, left: service.end_overdue(time_left=left))

    def _begin(self, mishaps: list[Mishap]) -> None:
        self.process = self.liar.process = Process(self.world, mishaps)
        self.process.over = self.watched.true

    def _service(self) -> DecisionService:
        world = self.world
        return world.rig.service(
            broker=world.exchange.broker(world.clock, self.liar),
            state=FaultyStore(world.state, self.process),
            archive=FaultyArchive(world.archive, self.process),
            events=world.events,
            worker=f"process at {world.now:%H:%M:%S}",
        )

    def _try(self, work: Callable[[DecisionService, Callable[[], timedelta]], ExecutionReport | None]) -> bool:
        """Whether it is done: with a report, or with an error that must not be."""
        world, began = self.world, self.world.now
        left = timedelta(seconds=self.drawn.process_seconds)
        self.watched.working = True
        try:
            report = work(self._service(), lambda: left - (world.now - began))
        except (TransientError, Killed) as error:
            self.failures += not isinstance(error, OutOfTime)
            world.tell(f"   {type(error).__name__}: {error}")
            return False
        except Endless as error:
            self.violations.append(Violation("does not end", str(error)))
            return True
        except Exception as error:
            if _of_the_liar(error):
                raise
            self.violations.append(Violation("raw error", f"{type(error).__name__}: {error}"))
            world.tell(f"   {type(error).__name__}: {error}")
            return False
        finally:
            self.watched.working = False
        if report is None:
            return True
        world.tell(f"   {report.status.value}: {report.reason}")
        if report.run_id == self.watched.run and self.report is None:
            self.report, self.ended = report, world.now
            self.violations.extend(at_the_end(self.watched, report, self.liar))
        return True


def _of_the_liar(error: BaseException) -> bool:
    """Whether it was raised by the liar and not by what is tested, or what stands in for it."""
    innermost = [frame.filename for frame in traceback.extract_tb(error.__traceback__)[-2:]]
    return any("/support/liar/" in name and not name.endswith(_PLAYED) for name in innermost)


def play(exchange: Exchange, drawn: Scenario) -> Played:
    """The scenario, from the first delivery until everything that was under way has arrived and been looked at."""
    world = World(exchange, rules())
    for symbol, quantity in drawn.holdings.items():
        world.hold(symbol, quantity)
    if drawn.power < 1:
        world.power_cap = world.cash * Decimal(f"{drawn.power:.3f}")
    decision = world.rig.decision(drawn.weights, not_after=NOT_AFTER)
    process = Process(world, [])
    liar = Liar(world, [part for part in drawn.parts if isinstance(part, Lie)], process)
    watched = Watched(world, drawn, decision.run_id, world.now)
    under_way = _Play(world, drawn, liar, watched, process)
    world.state.told = lambda puts: watched.wrote([put.key.sort for put in puts])
    world.each_step = lambda span: watched.passed(span, liar.sent)
    for part in drawn.parts:
        if isinstance(part, Quirk):
            world.misbehave(part.fault)
        elif isinstance(part, Deed):
            _happens(world, part)
    if drawn.mode is Mode.LIVENESS:
        world.after(drawn.truth_after, lambda: _all_true(under_way))
    try:
        _to_the_end(under_way, decision)
    except Endless as error:
        under_way.violations.append(Violation("does not end", str(error)))
    unique = tuple(dict.fromkeys(under_way.violations))
    return Played(drawn, unique, under_way.report, tuple(world.trace), tuple(liar.told), world.requests)


def _to_the_end(under_way: _Play, decision: TradeDecision) -> None:
    world, watched = under_way.world, under_way.watched
    under_way.deliver(decision)
    world.advance(max((NOT_AFTER - world.now).total_seconds() + 60, 60.0))
    for number in range(_WATCHES):
        needed = under_way.report is None or loose(world) or named_orders(None, world.state)
        if number > 0 and not needed:
            break
        under_way.watch()
        if needed:
            world.advance(_WATCHED_EVERY)
    under_way.violations.extend(afterwards(watched, under_way.report, under_way.liar))
    if under_way.drawn.mode is Mode.SAFETY:
        return
    under_way.violations.extend(in_liveness(watched, under_way.report, under_way.ended, under_way.failures))
    if loose(world):
        moment = SCHEDULED + _NEXT
        world.clock.move_to(moment)
        later = world.rig.decision(
            under_way.drawn.weights, scheduled=moment, not_after=moment + (NOT_AFTER - SCHEDULED)
        )
        under_way.deliver(later, mishaps=False)
        under_way.violations.extend(nothing_left(watched))


def _all_true(under_way: _Play) -> None:
    under_way.world.tell("-- from here on all is true")
    under_way.liar.stop()
    under_way.process.over = True
    under_way.watched.true = True


def _happens(world: World, deed: Deed) -> None:
    moment = SCHEDULED + timedelta(seconds=deed.after)

    def act() -> None:
        world.tell(f"   {deed}")
        DEEDS[deed.name](world, deed.symbol, deed.size)

    if deed.after <= 0:
        act()
    else:
        world.at(moment, act)


def explore(exchange: Exchange, mode: Mode, seeds: Iterable[int]) -> Iterator[Played]:
    """Each seed's outcome."""
    for seed in seeds:
        yield play(exchange, scenario(seed, mode))


def shrunk(exchange: Exchange, played: Played) -> Played:
    """The same violation with as few parts as it needs: each is left out that it happens without."""
    kinds = {violation.what for violation in played.violations}
    number = 0
    while number < len(played.drawn.parts):
        smaller = play(exchange, played.drawn.without(number))
        if kinds & {violation.what for violation in smaller.violations}:
            played = smaller
        else:
            number += 1
    plain = play(exchange, replace(played.drawn, power=1.0, process_seconds=900.0))
    return plain if kinds & {violation.what for violation in plain.violations} else played
