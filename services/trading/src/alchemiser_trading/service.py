"""TradingService: a decision in, its execution report out, once, however often the decision is delivered."""

import logging
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from alchemiser_common import keys
from alchemiser_common.errors import InvalidMessage, LeaseHeld, NotAuthorised, StateCorrupt
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, StageFailure
from alchemiser_common.ports.broker import Broker, MarketReader
from alchemiser_common.ports.clock import Clock, TimeLeft
from alchemiser_common.ports.state import ABSENT, StateStore, put
from alchemiser_common.records.journal import Phase
from alchemiser_common.records.parity import Parity
from alchemiser_common.settings import Settings
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.journal.journal import Journal, new_head
from alchemiser_trading.runs.ends import RunEnds
from alchemiser_trading.runs.run import Run
from alchemiser_trading.runs.shadow import shadow_run
from alchemiser_trading.runs.tools import make_tools

_log = logging.getLogger(__name__)


class DecisionService(Protocol):
    """The trading stage as its handler and the monolith see it: one that trades, or a shadow of it."""

    def execute(self, decision: TradeDecision, *, time_left: TimeLeft) -> ExecutionReport:
        """The report of the decision's run."""
        ...

    def record_failure(self, failure: StageFailure) -> ExecutionReport:
        """The report of a run that ended before this stage."""
        ...

    def end_overdue(self, *, time_left: TimeLeft) -> ExecutionReport | None:
        """End a run that nobody delivers any more; None if there is none."""
        ...

    def parity(self, report: ExecutionReport) -> Parity | None:
        """How the run compares with the other pipeline's."""
        ...


class TradingService:
    """One account's trading stage. `worker` names this process in the lease."""

    def __init__(
        self,
        *,
        broker: Broker,
        state: StateStore,
        ends: RunEnds,
        clock: Clock,
        settings: Settings,
        worker: str = "trading",
    ) -> None:
        self._store = state
        self._ends = ends
        self._clock = clock
        self._settings = settings
        self._worker = worker
        self._tools = make_tools(state, broker, clock, settings)

    def execute(self, decision: TradeDecision, *, time_left: TimeLeft) -> ExecutionReport:
        """Trade the decision and report. `time_left` is what remains of the process.

        Every permanent outcome (completed, partial, skipped, expired, halted, failed) is journaled, archived and
        returned. A decision of a run that has ended places nothing and gets the stored report, with a reason that says
        so. Raises TransientError only, so that the queue delivers again: the lease is held, a store or the broker
        stays away, or the process must end first. The exception is StateCorrupt, when there is no readable journal to
        record anything in; the message then ends as a dead letter.
        """
        journal = self._journal(decision)
        if journal.head.phase.final:
            return self._ends.again(journal, decision.session)
        lease = self._lease()
        try:
            self._end_overdue(lease, decision.run_id, time_left)
            journal = self._journal(decision)
            if journal.head.phase.final:
                return self._ends.again(journal, decision.session)
            run = Run(self._tools, journal, lease, time_left, decision.trace)
            report = run.execute(decision)
        finally:
            lease.release()
        if report.decision_hash == decision.content_hash():
            self._ends.keep(keys.decision_object(decision.session, decision.run_id), decision)
        self._ends.tell(decision.session, report)
        return report

    def record_failure(self, failure: StageFailure) -> ExecutionReport:
        """Record why a run ended before trading. A run that trades, or has traded, is not touched by it.

        Raises TransientError.
        """
        return self._ends.record_failure(failure)

    def end_overdue(self, *, time_left: TimeLeft) -> ExecutionReport | None:
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
        return self._ends.parity(report)

    def _journal(self, decision: TradeDecision) -> Journal:
        """The run's journal as it is now, made if this is the first delivery."""
        fresh = new_head(
            decision.run,
            Phase.RECEIVED,
            self._clock.now(),
            decision_hash=decision.content_hash(),
            not_after=decision.not_after,
        )
        return Journal.open(self._store, fresh)

    def _lease(self) -> AccountLease:
        return AccountLease.acquire(
            self._store,
            self._clock,
            self._settings.account_alias,
            owner=self._worker,
            duration=timedelta(seconds=self._settings.execution.lease_seconds),
        )

    def _end_overdue(self, lease: AccountLease, run: UUID | None, time_left: TimeLeft) -> ExecutionReport | None:
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
        self._ends.tell(plan.session, report)
        return report


class ShadowService:
    """The stage of the pipeline that only plans. It has no broker that could send an order, no lease and no journal
    but the record of its own ends.
    """

    def __init__(
        self, *, reader: MarketReader, state: StateStore, ends: RunEnds, clock: Clock, settings: Settings
    ) -> None:
        self._store = state
        self._ends = ends
        self._tools = make_tools(state, reader, clock, settings)

    def execute(self, decision: TradeDecision, *, time_left: TimeLeft) -> ExecutionReport:  # noqa: ARG002  (the stage's)
        """Plan, store and report beside the pipeline that trades; once, like it. Raises TransientError.

        Raises NotAuthorised for a run that a trading service began: the phase was moved back under it. Its orders may
        be open, and only a service that trades ends them.
        """
        known = Journal.load(self._store, decision.run_id)
        if known is not None and known.head.phase.final:
            return self._ends.again(known, decision.session)
        if known is not None and known.head.phase is not Phase.RECEIVED:
            raise NotAuthorised(
                f"run {decision.run_id} was begun by a service that trades ({known.head.phase.value}) and has not "
                f"ended; this function is a shadow and touches none of its orders. After {known.head.not_after:%H:%M} "
                "UTC the watch of the pipeline that trades ends it: docs/runbooks/stuck-run.md"
            )
        shadow = shadow_run(self._tools, decision)
        plan = () if shadow.plan is None else (put(keys.plan_record(decision.run_id), shadow.plan, ABSENT),)
        self._ends.store_unplaced(shadow.report, decision.not_after, *plan)
        self._ends.keep(keys.decision_object(decision.session, decision.run_id), decision)
        self._ends.tell(decision.session, shadow.report)
        return shadow.report

    def record_failure(self, failure: StageFailure) -> ExecutionReport:
        """As the trading service. Raises TransientError."""
        return self._ends.record_failure(failure)

    def end_overdue(self, *, time_left: TimeLeft) -> ExecutionReport | None:  # noqa: ARG002  (the stage's)
        """Raises InvalidMessage: a shadow has no run that could be overdue, and must not end another pipeline's."""
        raise InvalidMessage(
            "the watch for overdue runs asks the shadow pipeline, which holds no lease and ends no run of the account; "
            "send it to the function of the pipeline that trades"
        )

    def parity(self, report: ExecutionReport) -> Parity | None:
        """As the trading service."""
        return self._ends.parity(report)
