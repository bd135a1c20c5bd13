"""TradingService: a decision in, its execution report out, once, however often the decision is delivered."""

import logging
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

from alchemiser_common import keys
from alchemiser_common.errors import Conflict, LeaseHeld, StateCorrupt
from alchemiser_common.ids import scheduled_time
from alchemiser_common.messages.base import Message
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.event import RunEvent
from alchemiser_common.messages.report import ExecutionReport, RunStatus, StageFailure
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.broker import Broker
from alchemiser_common.ports.clock import EXCHANGE_ZONE, Clock
from alchemiser_common.ports.events import EventBus
from alchemiser_common.ports.state import ABSENT, Put, StateStore, put
from alchemiser_common.settings import Settings
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.journal.journal import Journal, Origin, listing, new_head
from alchemiser_trading.journal.phases import phase_of
from alchemiser_trading.runs.parity import Parity, compare_stored
from alchemiser_trading.runs.run import Run, make_tools
from alchemiser_trading.runs.shadow import shadow_run

_log = logging.getLogger(__name__)


class TradingService:
    """One account's trading stage.

    `paper_key` says whether the broker key is a paper key (None: unknown, which live trading refuses); `worker` names
    this process in the lease.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        state: StateStore,
        archive: Archive,
        events: EventBus,
        clock: Clock,
        settings: Settings,
        paper_key: bool | None = None,
        worker: str = "trading",
    ) -> None:
        self._store = state
        self._archive = archive
        self._events = events
        self._clock = clock
        self._settings = settings
        self._worker = worker
        self._tools = make_tools(state, broker, clock, settings, paper_key=paper_key)

    def execute(self, decision: TradeDecision, *, time_left: Callable[[], timedelta]) -> ExecutionReport:
        """Trade the decision and report. `time_left` is what remains of the process.

        Every permanent outcome (completed, partial, skipped, expired, halted, failed) is journaled, archived and
        returned. A decision of a run that has ended places nothing and gets the stored report, with a reason that says
        so. Raises TransientError only, so that the queue delivers again: the lease is held, a store or the broker
        stays away, or the process must end first. The exception is StateCorrupt, when there is no readable journal to
        record anything in; the message then ends as a dead letter.
        """
        origin = Origin(
            run_id=decision.run_id,
            cycle_id=decision.cycle_id,
            pipeline=decision.pipeline,
            account_alias=decision.account_alias,
            decision_hash=decision.content_hash(),
            not_after=decision.not_after,
        )
        if self._settings.shadow:
            return self._shadow(decision, origin)
        journal = Journal.open(self._store, origin, self._clock.now())
        if journal.head.phase.final:
            return self._again(journal, decision.session)
        lease = self._lease()
        try:
            self._end_overdue(lease, decision.run_id, time_left)
            journal = Journal.open(self._store, origin, self._clock.now())
            if journal.head.phase.final:
                return self._again(journal, decision.session)
            run = Run(self._tools, journal, lease, time_left, decision.trace)
            report = run.execute(decision)
        finally:
            lease.release()
        if report.decision_hash == origin.decision_hash:
            self._keep(keys.decision_object(decision.session, decision.run_id), decision)
        self._tell(decision.session, report)
        return report

    def _shadow(self, decision: TradeDecision, origin: Origin) -> ExecutionReport:
        """Plan, store and report beside the pipeline that trades."""
        known = Journal.load(self._store, decision.run_id)
        if known is not None:
            return self._again(known, decision.session)
        shadow = shadow_run(self._tools, decision)
        plan = () if shadow.plan is None else (put(keys.plan_record(decision.run_id), shadow.plan, ABSENT),)
        self._end_unplaced(origin, shadow.report, *plan)
        self._keep(keys.decision_object(decision.session, decision.run_id), decision)
        self._tell(decision.session, shadow.report)
        return shadow.report

    def _end_unplaced(self, origin: Origin, report: ExecutionReport, *with_it: Put) -> None:
        """Store a run that ends without ever having had a lease, in one write."""
        head = new_head(origin, phase_of(report.status), self._clock.now())
        self._store.write(
            put(keys.journal_record(origin.run_id), head.model_copy(update={"reason": report.reason}), ABSENT),
            put(keys.report_record(origin.run_id), report, ABSENT),
            *with_it,
            *listing(self._store, origin),
        )

    def record_failure(self, failure: StageFailure) -> ExecutionReport:
        """Record why a run ended before trading. A run that trades, or has traded, is not touched by it.

        Raises TransientError.
        """
        now = self._clock.now()
        day = scheduled_time(failure.cycle_id).astimezone(EXCHANGE_ZONE).date()
        journal = Journal.load(self._store, failure.run_id)
        if journal is not None and journal.head.phase.final:
            return self._again(journal, day)
        report = ExecutionReport(
            run_id=failure.run_id,
            cycle_id=failure.cycle_id,
            pipeline=failure.pipeline,
            trace=failure.trace,
            account_alias=failure.account_alias,
            decision_hash="",
            status=RunStatus.FAILED,
            reason=f"{failure.stage.value}: {failure.error}: {failure.reason}",
        )
        if journal is not None:
            reason = f"a decision of the run is being executed; not recorded: {report.reason}"
            _log.error("failure after a decision", extra={"reason": reason})
            return report.model_copy(update={"status": journal.head.phase.status, "reason": reason})
        origin = Origin(
            run_id=failure.run_id,
            cycle_id=failure.cycle_id,
            pipeline=failure.pipeline,
            account_alias=failure.account_alias,
            decision_hash="",
            not_after=now,
        )
        self._end_unplaced(origin, report)
        _log.error("run failed before trading", extra={"stage": failure.stage.value, "reason": report.reason})
        self._tell(day, report)
        return report

    def end_overdue(self, *, time_left: Callable[[], timedelta]) -> ExecutionReport | None:
        """End a run that nobody delivers any more: its deadline has passed, its orders may still be open.

        None if there is none. Raises LeaseHeld while it may still go on.
        """
        lease = self._lease()
        try:
            return self._end_overdue(lease, None, time_left)
        finally:
            lease.release()

    def parity(self, report: ExecutionReport) -> Parity | None:
        """How the run of the report compares with the other pipeline's of its cycle; None until both have ended."""
        return compare_stored(self._store, report, self._clock.now()) if report.status.final else None

    def _lease(self) -> AccountLease:
        return AccountLease.acquire(
            self._store,
            self._clock,
            self._settings.account_alias,
            owner=self._worker,
            duration=timedelta(seconds=self._settings.execution.lease_seconds),
        )

    def _end_overdue(
        self, lease: AccountLease, run: UUID | None, time_left: Callable[[], timedelta]
    ) -> ExecutionReport | None:
        other, until = lease.unfinished_run, lease.unfinished_until
        if other is None or other == run:
            return None
        if until is None or self._clock.now() < until:
            raise LeaseHeld(f"run {other} has not ended and may go on until {until}")
        journal = Journal.load(self._store, other)
        if journal is None:
            raise StateCorrupt(f"the lease names run {other} as unfinished, but it has no journal")
        _log.warning("ending an overdue run", extra={"overdue_run": str(other)})
        plan = journal.required_plan()
        report = Run(self._tools, journal, lease, time_left).wind_down("overdue: ended by a later delivery")
        self._tell(plan.session, report)
        return report

    def _again(self, journal: Journal, day: date) -> ExecutionReport:
        """The report of a run that has ended, for a delivery that does nothing."""
        report = journal.report()
        if report is None:
            raise StateCorrupt(f"run {journal.head.run_id} is {journal.head.phase.value} without a report")
        self._tell(day, report)
        ended = journal.head.updated_at.isoformat(timespec="seconds")
        reason = (
            f"this run ended before ({report.status.value} at {ended}, {report.orders_placed} orders); nothing placed"
        )
        _log.info("run has ended before", extra={"status": report.status.value})
        full = f"{reason}; then: {report.reason}" if report.reason else reason
        return report.model_copy(update={"orders_placed": 0, "reason": full})

    def _tell(self, day: date, report: ExecutionReport) -> None:
        """Archive the report and publish the run's end; a redelivery does both again."""
        self._keep(keys.report_object(day, report.run_id), report)
        self._events.publish(RunEvent.of(report))

    def _keep(self, key: str, message: Message) -> None:
        """Archive; what is there already stays."""
        try:
            self._archive.put(key, message.model_dump_json().encode())
        except Conflict as error:
            _log.warning("archived before with other content", extra={"archive_key": key, "reason": str(error)})
