"""The ends of runs: stored in one write, archived, told to the world, compared with the other pipeline's.

Nothing here trades: a shadow has it too.
"""

import logging
from datetime import date, datetime

from alchemiser_common import keys
from alchemiser_common.errors import Conflict, StateCorrupt, StoreUnavailable
from alchemiser_common.messages.base import Message
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.event import RunEvent
from alchemiser_common.messages.report import ExecutionReport, RunStatus, StageFailure
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.clock import EXCHANGE_ZONE, Clock
from alchemiser_common.ports.events import EventBus
from alchemiser_common.ports.state import ABSENT, Put, StateStore, load, put, put_over
from alchemiser_common.records.journal import JournalHead
from alchemiser_common.records.parity import Parity
from alchemiser_trading.journal.journal import Journal, listing, new_head
from alchemiser_trading.runs.parity.second_side import compare_stored

_log = logging.getLogger(__name__)


class RunEnds:
    """The ends of one account's runs."""

    def __init__(self, state: StateStore, archive: Archive, events: EventBus, clock: Clock) -> None:
        self._store = state
        self._archive = archive
        self._events = events
        self._clock = clock

    def store_unplaced(self, report: ExecutionReport, not_after: datetime, *with_it: Put) -> None:
        """Store a run that ends without ever having had a lease, in one write.

        It has no journal, or one that says no more than that its decision was received. Raises Conflict if it was
        begun meanwhile.
        """
        key = keys.journal_record(report.run_id)
        known = load(self._store, key, JournalHead)
        if known is not None and known.value.phase is not RunStatus.RECEIVED:
            raise Conflict(f"run {report.run_id} is {known.value.phase.value}: it was begun meanwhile")
        head = new_head(
            report.run,
            report.status,
            self._clock.now(),
            decision_hash=report.decision_hash,
            not_after=not_after,
        )
        self._store.write(
            put_over(known, key, head.model_copy(update={"reason": report.reason})),
            put(keys.report_record(report.run_id), report, ABSENT),
            *with_it,
            *listing(self._store, report.run),
        )

    def record_failure(self, failure: StageFailure) -> ExecutionReport:
        """Record why a run ended before trading. A run that trades, or has traded, is not touched by it.

        Raises TransientError.
        """
        now = self._clock.now()
        day = failure.run.scheduled_at.astimezone(EXCHANGE_ZONE).date()
        journal = Journal.load(self._store, failure.run_id)
        if journal is not None and journal.head.phase.final:
            return self.again(journal, day)
        report = ExecutionReport(
            **failure.following(),
            decision_hash="",
            status=RunStatus.FAILED,
            reason=f"{failure.stage.value}: {failure.error}: {failure.reason}",
            error=failure.error,
        )
        if journal is not None:
            reason = f"a decision of the run is being executed; not recorded: {report.reason}"
            _log.error("failure after a decision", extra={"reason": reason})
            status = journal.head.phase.reported
            return report.model_copy(update={"status": status, "reason": reason, "error": ""})
        self.store_unplaced(report, now)
        _log.error("run failed before trading", extra={"stage": failure.stage.value, "reason": report.reason})
        self.tell(day, report)
        return report

    def parity(self, report: ExecutionReport) -> Parity | None:
        """A new verdict on the cycle of the report's run, if this process is the one to make it: `compare_stored`."""
        if not report.status.final:
            return None
        return compare_stored(self._store, self._archive, report.cycle_id, self._clock.now())

    def again(self, journal: Journal, day: date, decision: TradeDecision | None = None) -> ExecutionReport:
        """The report of a run that has ended, for a delivery that trades nothing; `decision` is what it delivers.

        The process that ended the run may have died, or met an archive that was away, before all was archived and told.
        """
        report = journal.report()
        if report is None:
            raise StateCorrupt(f"run {journal.head.run_id} is {journal.head.phase.value} without a report")
        if decision is not None:
            self.keep_decision(decision, report)
        self.tell(day, report)
        ended = journal.head.updated_at.isoformat(timespec="seconds")
        reason = (
            f"this run ended before ({report.status.value} at {ended}, {report.orders_placed} orders); nothing placed"
        )
        _log.info("run has ended before", extra={"status": report.status.value})
        full = f"{reason}; then: {report.reason}" if report.reason else reason
        return report.model_copy(update={"orders_placed": 0, "reason": full})

    def tell(self, day: date, report: ExecutionReport) -> None:
        """Archive the report and publish the run's end; a redelivery does both again."""
        self.keep(keys.report_object(day, report.run_id), report)
        self._events.publish(RunEvent.of(report))

    def keep_decision(self, decision: TradeDecision, report: ExecutionReport) -> None:
        """Archive the decision if it is the one that the report's run executed."""
        if report.decision_hash == decision.content_hash():
            self.keep(keys.decision_object(decision.session, decision.run_id), decision)

    def keep_early(self, decision: TradeDecision) -> None:
        """Archive the decision of a plan that is about to be traded, if the archive answers.

        A run that is killed and then ended by the watch, which has no decision, can be explained and compared only so.
        """
        try:
            self.keep(keys.decision_object(decision.session, decision.run_id), decision)
        except StoreUnavailable as error:
            _log.warning("decision not archived yet", extra={"reason": str(error)})

    def keep(self, key: str, message: Message) -> None:
        """Archive; what is there already stays."""
        try:
            self._archive.put(key, message.model_dump_json().encode())
        except Conflict as error:
            _log.warning("archived before with other content", extra={"archive_key": key, "reason": str(error)})
