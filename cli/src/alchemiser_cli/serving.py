"""The scheduler at home: runs each session's cycle at its time, watches over it, and tells of it.

It may be killed at any moment, and started twice: a run is journaled and happens once, whoever asks for it, and the
next start goes on where the last one was. It keeps nothing of its own.
"""

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta

from alchemiser_cli.agenda import Act, Due, act_at, pause, watches
from alchemiser_cli.cycles import RunCycle, cycle_at, cycle_runner
from alchemiser_cli.stored_runs import list_runs, read_run
from alchemiser_cli.telling import Teller
from alchemiser_common.decision_time import decision_time
from alchemiser_common.errors import AlchemiserError, LeaseHeld, OutOfTime, TransientError
from alchemiser_common.ids import scheduled_time
from alchemiser_common.messages.snapshot import MarketSession
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_monolith.bootstrap import decision_service
from alchemiser_monolith.platform import Platform

_INVOCATION = timedelta(minutes=15)
_NEWEST_RUNS = 4
"""Today's, of two pipelines."""

_log = logging.getLogger(__name__)

type Say = Callable[[str], None]


class Scheduler:
    """One account's days. `say` is given a line whenever something happens."""

    def __init__(self, platform: Platform, teller: Teller, say: Say) -> None:
        self._platform = platform
        self._clock = platform.clock
        self._schedule = platform.settings.schedule
        self._teller = teller
        self._say = say
        self._run_cycle: RunCycle = cycle_runner(platform)
        self._trading = decision_service(platform)
        self._sessions: dict[date, MarketSession | None] = {}
        self._watched: datetime | None = None
        self._announced: date | None = None
        self._passed: datetime | None = None
        self._latest: Due | None = None
        """Today's cycle as it stood when it was last looked at."""

    def serve(self, sessions: int | None = None) -> None:
        """Go on for ever, or until so many sessions have been dealt with. Raises what is no passing fault."""
        done: set[date] = set()
        while True:
            try:
                settled = self.look()
            except TransientError as error:
                _log.warning("out of reach", extra={"reason": str(error)})
                self._say(f"out of reach, asked again: {error}")
                settled = None
            if settled is not None:
                done.add(settled)
            if sessions is not None and len(done) >= sessions:
                return
            self._clock.sleep(pause(self._clock.now(), self._latest).total_seconds())

    def look(self) -> date | None:
        """Do what there is to do now; the day whose cycle has ended or was missed, None before. Raises as `serve`."""
        now = self._clock.now()
        day = now.astimezone(EXCHANGE_ZONE).date()
        session = self._session(day)
        self._latest = None
        if session is None:
            return None
        due = self._due(session)
        self._announce(day, due)
        act = act_at(now, due, self._schedule)
        if act is Act.RUN:
            self._run(due)
        elif act is not Act.WAIT:
            self._tell_trouble(act, due)
        due = self._latest = self._due(session)
        if watches(now, due, self._schedule, self._watched):
            self._watch(now)
        self._tell_ends(day)
        ended = due.status is not None and due.status.final
        return day if ended or act is Act.MISSED else None

    def _session(self, day: date) -> MarketSession | None:
        """The broker's calendar is asked once a day."""
        if day not in self._sessions:
            self._sessions = {day: self._platform.broker.session_on(day)}
        return self._sessions[day]

    def _due(self, session: MarketSession) -> Due:
        at = decision_time(session, self._schedule)
        run = read_run(self._platform.state, cycle_at(self._platform.settings, at).run_id)
        return Due(at, session.closes, None if run is None else run.known_status)

    def _announce(self, day: date, due: Due) -> None:
        if self._announced != day:
            self._announced = day
            self._say(f"session {day}: decision at {due.at:%H:%M} UTC, close at {due.closes:%H:%M}")

    def _run(self, due: Due) -> None:
        cycle = cycle_at(self._platform.settings, due.at)
        self._say(f"running {cycle.run_id}")
        self._run_cycle(cycle, 1)

    # The watch of a stage, called here: it goes on with a run that was left in the middle, and looks for loose orders.
    def _watch(self, now: datetime) -> None:
        ends = self._clock.now() + _INVOCATION
        try:
            report = self._trading.end_overdue(time_left=lambda: ends - self._clock.now())
        except (LeaseHeld, OutOfTime) as error:
            _log.info("the watch comes again", extra={"reason": str(error)})
        else:
            if report is not None:
                self._say(f"the watch ended {report.run_id}: {report.status.value}")
        self._watched = now

    # In a home where nothing was ever run, nobody waits for today's cycle: whoever starts at noon begins tomorrow.
    def _tell_trouble(self, act: Act, due: Due) -> None:
        cycle, alias = cycle_at(self._platform.settings, due.at), self._platform.settings.account_alias
        if not list_runs(self._platform.state, alias, limit=1):
            if self._passed != due.at:
                self._passed = due.at
                self._say("today's decision time has passed; the first cycle is the next session's")
            return
        if self._teller.of_trouble(cycle.run_id, act.value, due.at, self._clock.now()):
            self._say(f"the cycle of {due.at:%Y-%m-%d %H:%M} UTC is {act.value}")

    def _tell_ends(self, day: date) -> None:
        for run in list_runs(self._platform.state, self._platform.settings.account_alias, limit=_NEWEST_RUNS):
            if scheduled_time(run.cycle_id).astimezone(EXCHANGE_ZONE).date() != day:
                continue
            try:
                told = self._teller.of_run(run, self._clock.now())
            except AlchemiserError as error:
                self._say(f"nobody is told of the run: {error}")
            else:
                if told:
                    self._say(f"run {run.run_id} is {run.status}{': ' if run.reason else ''}{run.reason}")
