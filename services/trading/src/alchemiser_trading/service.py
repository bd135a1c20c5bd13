"""TradingService: a decision in, its execution report out, once, however often the decision is delivered."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from alchemiser_common import keys
from alchemiser_common.errors import (
    BrokerRefused,
    BrokerUnavailable,
    Conflict,
    InvalidMessage,
    LeaseHeld,
    NotAuthorised,
    StateCorrupt,
)
from alchemiser_common.ids import RunRef
from alchemiser_common.latency import Latency
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, RunStatus, StageFailure
from alchemiser_common.ports.broker import Broker, MarketReader
from alchemiser_common.ports.clock import Clock, SteadyClock, TimeLeft
from alchemiser_common.ports.state import ABSENT, StateStore, load, load_all, put
from alchemiser_common.records.dry_walk import DryWalk
from alchemiser_common.records.lease import LeaseRecord
from alchemiser_common.records.loose import LooseOrders
from alchemiser_common.records.parity import Parity
from alchemiser_common.settings import Settings
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.journal.journal import Journal, new_head
from alchemiser_trading.orders.order_gateway import read_skew
from alchemiser_trading.orders.steady_broker import SteadyBroker
from alchemiser_trading.runs.dry_walk import dry_walk
from alchemiser_trading.runs.due import missed_today
from alchemiser_trading.runs.ends import RunEnds
from alchemiser_trading.runs.latency import stored_latency
from alchemiser_trading.runs.run import Run
from alchemiser_trading.runs.shadow import shadow_run
from alchemiser_trading.runs.tools import Tools, loose_ends, make_tools

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
        """Go on with a run that nobody delivers any more, or end it; None if there is none."""
        ...

    def walk_dry(self, run: RunRef, *, time_left: TimeLeft) -> None:
        """Find out what a run's orders would have come to, if it has planned and sent none."""
        ...

    def missed_today(self) -> RunRef | None:
        """The run that today lacks, after its deadline; None if there is one, or none was due."""
        ...

    def parity(self, report: ExecutionReport) -> Parity | None:
        """A new verdict on the cycle that this run is of; None if it is not for this process to make one now."""
        ...

    def latency(self, report: ExecutionReport) -> Latency | None:
        """How long the run took against its budget."""
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
        self._tools = make_tools(state, SteadyBroker(broker), clock, settings)

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
            self._look_again(time_left)
            return self._ends.again(journal, decision.session, decision)
        tools = self._tools_now()
        lease = self._lease(tools.clock)
        try:
            self._end_unfinished(tools, lease, decision.run_id, time_left)
            journal = self._journal(decision)
            if journal.head.phase.final:
                return self._ends.again(journal, decision.session, decision)
            run = Run(tools, journal, lease, time_left, decision.trace, self._ends.keep_early)
            report = run.execute(decision)
        finally:
            lease.release()
        self._ends.keep_decision(decision, report)
        self._ends.tell(decision.session, report)
        return report

    def record_failure(self, failure: StageFailure) -> ExecutionReport:
        """Record why a run ended before trading. A run that trades, or has traded, is not touched by it.

        Raises TransientError.
        """
        return self._ends.record_failure(failure)

    def end_overdue(self, *, time_left: TimeLeft) -> ExecutionReport | None:
        """Go on with a run that no worker has, or end it if its deadline has passed; look for loose orders after it.

        None if there is no such run. Raises LeaseHeld while a worker has the account, OutOfTime as `execute`.
        """
        if not self._something_left():
            return None  # without taking the lease: a decision that comes now must not find it held
        tools = self._tools_now()
        lease = self._lease(tools.clock)
        try:
            unfinished = lease.unfinished_run
            if unfinished is None:
                loose_ends(tools, lease, time_left).look_again()
                return None
            journal = self._of_unfinished(unfinished)
            plan = journal.required_plan()
            run = Run(tools, journal, lease, time_left)
            if lease.unfinished_until is not None and tools.clock.now() < lease.unfinished_until:
                _log.warning("going on with a run that no worker has", extra={"unfinished_run": str(unfinished)})
                report = run.go_on()
            else:
                report = run.wind_down("overdue: ended by the watch")
            self._ends.tell(plan.session, report)
            return report
        finally:
            lease.release()

    def walk_dry(self, run: RunRef, *, time_left: TimeLeft) -> None:
        """Nothing: what this service plans it trades."""

    def missed_today(self) -> RunRef | None:
        """As the protocol says. Raises StoreUnavailable, StateCorrupt, BrokerUnavailable."""
        return missed_today(self._store, self._tools.broker, self._settings, self._clock.now())

    def parity(self, report: ExecutionReport) -> Parity | None:
        """As the protocol says."""
        return self._ends.parity(report)

    def latency(self, report: ExecutionReport) -> Latency | None:
        """How long the run of the report took against the budget; None if its journal cannot be read.

        Raises StoreUnavailable.
        """
        return stored_latency(self._store, report, self._settings.latency)

    def _journal(self, decision: TradeDecision) -> Journal:
        """The run's journal as it is now, made if this is the first delivery."""
        fresh = new_head(
            decision.run,
            RunStatus.RECEIVED,
            self._clock.now(),
            decision_hash=decision.content_hash(),
            not_after=decision.not_after,
        )
        return Journal.open(self._store, fresh)

    def _tools_now(self) -> Tools[Broker]:
        """The tools with a clock that does not go back as long as this delivery lasts."""
        clock = SteadyClock(self._clock)
        return replace(self._tools, clock=clock, checks=replace(self._tools.checks, clock=clock))

    def _something_left(self) -> bool:
        """Whether a run has not ended, or one that has left orders that may be open."""
        known = load(self._store, keys.lease_record(self._settings.account_alias), LeaseRecord)
        return (known is not None and known.value.unfinished_run is not None) or self._loose_orders()

    def _loose_orders(self) -> bool:
        partition = keys.account_partition(self._settings.account_alias)
        records = load_all(self._store, partition, LooseOrders, prefix=keys.LOOSE_PREFIX)
        return any(record.value.orders for record in records)

    def _look_again(self, time_left: TimeLeft) -> None:
        """Loose orders of runs that have ended, if there are some and nobody works on the account."""
        if not self._loose_orders():
            return
        tools = self._tools_now()
        lease = self._lease(tools.clock)
        try:
            loose_ends(tools, lease, time_left).look_again()
        finally:
            lease.release()

    def _lease(self, clock: Clock) -> AccountLease:
        return AccountLease.acquire(
            self._store,
            clock,
            self._settings.account_alias,
            owner=self._worker,
            duration=timedelta(seconds=self._settings.execution.lease_seconds),
            witness=lambda: self._passed(clock),
        )

    # Before its first order, and each minute until its last, a worker compares its clock with the broker's and stops
    # where they differ by more than `max_clock_skew_seconds` (`Checks`, `stop_by_clock`). What has passed at the broker
    # by twice that has passed for everybody who may be sending.
    def _passed(self, clock: Clock) -> datetime | None:
        """A moment that the broker's clock has certainly passed, aware UTC; None if the broker does not tell."""
        try:
            skew = read_skew(self._tools.broker, clock)
        except (BrokerUnavailable, BrokerRefused) as error:
            _log.warning("the broker's clock cannot be read", extra={"reason": str(error)})
            return None
        margin = timedelta(seconds=2 * self._settings.execution.max_clock_skew_seconds)
        return None if skew is None else clock.now() + skew - margin

    def _end_unfinished(self, tools: Tools[Broker], lease: AccountLease, run: UUID, time_left: TimeLeft) -> None:
        """End another run that is in the way. Raises LeaseHeld while it may still go on."""
        other, until = lease.unfinished_run, lease.unfinished_until
        if other is None or other == run:
            return
        if until is None or tools.clock.now() < until:
            raise LeaseHeld(f"run {other} has not ended and may go on until {until}")
        journal = self._of_unfinished(other)
        _log.warning("ending an overdue run", extra={"overdue_run": str(other)})
        plan = journal.required_plan()
        report = Run(tools, journal, lease, time_left).wind_down("overdue: ended by a later delivery")
        self._ends.tell(plan.session, report)

    def _of_unfinished(self, run: UUID) -> Journal:
        journal = Journal.load(self._store, run)
        if journal is None:
            raise StateCorrupt(f"the lease names run {run} as unfinished, but it has no journal")
        return journal


class ShadowService:
    """The stage of the pipeline that only plans. It has no broker that could send an order, no lease of the account and
    no journal but the record of its own ends; what it walks its plan with is in memory.
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
            return self._ends.again(known, decision.session, decision)
        if known is not None and known.head.phase is not RunStatus.RECEIVED:
            raise NotAuthorised(
                f"run {decision.run_id} was begun by a service that trades ({known.head.phase.value}) and has not "
                f"ended; this function is a shadow and touches none of its orders. After {known.head.not_after:%H:%M} "
                "UTC the watch of the pipeline that trades ends it: docs/runbooks/stuck-run.md"
            )
        shadow = shadow_run(self._tools, decision)
        plan = () if shadow.plan is None else (put(keys.plan_record(decision.run_id), shadow.plan, ABSENT),)
        self._ends.store_unplaced(shadow.report, decision.not_after, *plan)
        self._ends.keep_decision(decision, shadow.report)
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

    # After the run has ended and was told, so that neither its report nor the verdict on its cycle waits for a walk or
    # is lost with one. The record is written once: a redelivery after that finds it, one before it walks anew and says
    # how late.
    def walk_dry(self, run: RunRef, *, time_left: TimeLeft) -> None:
        """Walk a shadowed run's plan and store what came of it. Raises StoreUnavailable, StateCorrupt."""
        key = keys.dry_walk_record(run.run_id)
        if self._tools.settings.execution.dry_walk_seconds == 0 or load(self._store, key, DryWalk) is not None:
            return
        journal = Journal.load(self._store, run.run_id)
        plan = None if journal is None or journal.head.phase is not RunStatus.SHADOWED else journal.plan()
        if journal is None or plan is None:
            return
        walked = dry_walk(self._tools, journal.head, plan, time_left)
        try:
            self._store.write(put(key, walked, ABSENT))
        except Conflict:
            _log.info("another delivery of the run walked first")

    def missed_today(self) -> RunRef | None:
        """None: the pipeline that trades tells."""
        return None

    def parity(self, report: ExecutionReport) -> Parity | None:
        """As the trading service."""
        return self._ends.parity(report)

    def latency(self, report: ExecutionReport) -> Latency | None:
        """As the trading service; the run ends, for the budget, with its plan."""
        return stored_latency(self._store, report, self._tools.settings.latency)
