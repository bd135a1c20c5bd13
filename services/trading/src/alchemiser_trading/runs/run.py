"""One delivery's work on one run, under the account's lease: plan once, reconcile, execute, report.

Enters with a journal that has not ended and leaves with one that has, or with a TransientError for the next delivery.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched

from alchemiser_common import keys
from alchemiser_common.errors import (
    AlchemiserError,
    BrokerUnavailable,
    Conflict,
    DecisionExpired,
    DecisionRefused,
    LeaseHeld,
    LimitBreached,
    MarketClosed,
    OutOfTime,
    PermanentError,
    StateCorrupt,
    TradingHalted,
    TransientError,
    Unreconciled,
)
from alchemiser_common.messages.base import Stage, StageTime
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.ports.broker import Broker
from alchemiser_common.ports.clock import TimeLeft
from alchemiser_common.ports.state import Put, load, put_over
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.loose import LooseOrders
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.targets import StoredTargets
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.books.run_end import book_run
from alchemiser_trading.journal.journal import Journal
from alchemiser_trading.orders.executor import Executor
from alchemiser_trading.orders.leg_ends import given_up
from alchemiser_trading.orders.legs import LegState
from alchemiser_trading.orders.loose import LastLook, LooseEnds, named, of_run
from alchemiser_trading.orders.order_gateway import Mandate, OrderGateway, Stop, StopKind, step_id
from alchemiser_trading.orders.order_tracker import OrderTracker
from alchemiser_trading.orders.reconcile import compare_orders, resume
from alchemiser_trading.orders.settling import Afterwards, Settling
from alchemiser_trading.runs.checks import Permit
from alchemiser_trading.runs.latency import with_latency
from alchemiser_trading.runs.reporting import leg_reports, reason_of, residuals, status_of
from alchemiser_trading.runs.tools import Tools, last_targets, loose_ends, planned

_log = logging.getLogger(__name__)
_TRADED = frozenset({RunStatus.COMPLETED, RunStatus.PARTIAL})
_TARGETS_AT_ONCE = 90
"""Of one write, beside the lease."""
_MOST_FAILURES = 3
"""Deliveries that may fail; hand-overs do not count."""


@dataclass(frozen=True, slots=True)
class Run:
    """One delivery of one run, under the account's lease. Invariant: the journal is not final when it begins."""

    tools: Tools[Broker]
    journal: Journal
    lease: AccountLease
    time_left: TimeLeft
    trace: tuple[StageTime, ...] = ()
    when_frozen: Callable[[TradeDecision], None] = lambda _: None
    """Told of the decision as soon as its plan is stored: whatever becomes of this process, it is what was traded."""

    def execute(self, decision: TradeDecision) -> ExecutionReport:
        """Plan (once) and execute. A permanent error becomes the run's report; TransientError goes up."""
        return self._to_its_end(lambda: self._begin(decision))

    def go_on(self) -> ExecutionReport:
        """Execute the plan that an earlier delivery froze; as `execute`."""
        return self._to_its_end(self._continue)

    def wind_down(self, reason: str) -> ExecutionReport:
        """Send nothing new: cancel what is open, count the fills, report."""
        return self._to_its_end(lambda: self._drive(None, Stop(StopKind.DEADLINE, reason)))

    # How a delivery ends that does not end as it should. Before the plan is frozen nothing was sent, and the error is
    # the run's report. Afterwards orders may be open, and no error whatever leaves them behind:
    #
    #     out of time, lease lost      the next delivery goes on; that is planned, and counts for nothing
    #     broker or store away         the same, counted; the third time nothing new is sent and the run is wound down
    #     a permanent error            wound down at once
    #     winding down fails, too      the end is written from the journal alone: fills that are known, the rest named
    #                                  as unknown and kept among the loose orders
    def _to_its_end(self, work: Callable[[], ExecutionReport]) -> ExecutionReport:
        try:
            return work()
        except PermanentError as error:
            return self._refused(error)
        except (OutOfTime, LeaseHeld, Conflict):
            raise
        except TransientError as error:
            return self._failed(error)

    def _failed(self, error: TransientError) -> ExecutionReport:
        """Count a failed delivery; after the last one that is allowed the run ends. Raises the error before."""
        try:
            failures = self.journal.failed(self.lease, self.tools.clock.now())
        except TransientError:
            raise error from None
        if failures < _MOST_FAILURES:
            raise error
        reason = f"given up after {failures} deliveries that failed, the last one with: {error}"
        if self.journal.head.phase is RunStatus.RECEIVED:
            return self._end_unplaced(RunStatus.FAILED, reason, type(error).__name__)
        return self._ended_anyhow(Stop(StopKind.HALTED, reason, type(error).__name__))

    def _refused(self, error: PermanentError) -> ExecutionReport:
        reason, name = f"{type(error).__name__}: {error}", type(error).__name__
        if self.journal.head.phase is RunStatus.RECEIVED:
            return self._end_unplaced(status_for(error), reason, name)
        return self._ended_anyhow(Stop(StopKind.HALTED, reason, name))

    def _ended_anyhow(self, stop: Stop) -> ExecutionReport:
        """Wind down, or if that fails write the end from the journal."""
        try:
            return self._drive(None, stop)
        except (PermanentError, BrokerUnavailable) as error:
            _log.exception("not wound down", extra={"reason": str(error)})
            return self._end_unread(stop, error)

    def _end_unplaced(self, status: RunStatus, reason: str, error: str) -> ExecutionReport:
        """The end of a run of which there is no plan: it sent nothing, or what it sent cannot be told."""
        _log.error("run ends", extra={"error": error, "status": status.value, "reason": reason})
        report = self._report(status, reason, error)
        self.journal.finish(self.lease, report, status, self.tools.clock.now())
        return report

    def _end_unread(self, stop: Stop, error: AlchemiserError) -> ExecutionReport:
        """The end of a run of which the broker shows nothing: what the journal knows, and what it cannot know named."""
        reason = f"{stop.reason}; not wound down: {error}; orders of this run may still be open"
        try:
            plan = self.journal.required_plan()
        except StateCorrupt:
            return self._end_unplaced(RunStatus.HALTED, reason, stop.error)
        now, intents = self.tools.clock.now(), self.journal.intents()
        legs = tuple(given_up(state, reason, now) for state in resume(plan, intents, {}, now))
        loose = of_run(self.journal.head.run_id, plan.session, legs, (), self._id_of)
        last_order = max((intent.written_at for intent in intents), default=None)
        report = self._report(RunStatus.HALTED, "; ".join((reason, *named(loose))), stop.error, last_order)
        report = report.model_copy(update=self._told(plan, legs) | {"account_before": plan.account})
        puts = book_run(self.tools.store, self.lease, self.journal.head.account_alias, plan, legs)
        self.journal.finish(self.lease, report, RunStatus.HALTED, now, *puts, *self._keep_loose(loose))
        _log.error("run ended without the broker", extra={"reason": report.reason})
        return report

    def _begin(self, decision: TradeDecision) -> ExecutionReport:
        if self.journal.head.phase is not RunStatus.RECEIVED:
            return self._continue()
        permit = self.tools.checks.run(decision)
        self._freeze(decision, permit)
        return self._drive(permit, None)

    def _continue(self) -> ExecutionReport:
        plan = self.journal.required_plan()
        try:
            permit = self.tools.checks.run_again(self.journal.head, plan)
        except DecisionRefused as error:
            return self._drive(None, _stop_for(error))
        return self._drive(permit, None)

    def _freeze(self, decision: TradeDecision, permit: Permit) -> None:
        """Make the plan from the account as it is now, within the limits, and store it for good.

        What earlier runs left open is ended first; what is open then is somebody else's.
        """
        tools, ends = self.tools, self._loose_ends()
        found = ends.look_again()
        seen = ends.last_look((), ())
        if seen.unread:
            raise BrokerUnavailable(seen.unread)
        if seen.any:
            raise Unreconciled(f"open orders before the first of this run: {'; '.join(seen.lines)}")
        others = ends.of_others()
        if others:
            raise Unreconciled(others[0])
        plan, writes = planned(tools, decision, permit.account)
        for write in writes:
            self.lease.write(*write)
        plan = plan.model_copy(update={"notes": (*found, *seen.lines, *plan.notes)})
        self.journal.freeze(self.lease, plan, permit.authority.epoch, plan.made_at)
        self.when_frozen(decision)
        _log.info(
            "plan frozen", extra={"legs": len(plan.legs), "skipped": len(plan.skipped), "shrink": str(plan.shrink)}
        )

    def _drive(self, permit: Permit | None, stopped: Stop | None) -> ExecutionReport:
        """Reconcile, execute and settle; without a permit only to end what is open."""
        tools, rules = self.tools, self.tools.settings.execution
        plan, intents = self.journal.required_plan(), self.journal.intents()
        tracker = OrderTracker(tools.broker, tools.clock, tools.budget, plan.session)
        settling = Settling(tools.broker, tracker, tools.clock, rules, self.time_left, self._id_of, self.lease.keep)
        mandate = Mandate(
            authority_epoch=self.journal.head.authority_epoch,
            deadline=permit.deadline if permit else self.journal.head.not_after,
            skew=permit.skew if permit else timedelta(0),
            time_left=self.time_left,
        )
        legs, found = self._reconcile(plan, intents, tracker, settling, ending=stopped is not None)
        gateway = OrderGateway(
            store=tools.store,
            broker=tools.broker,
            clock=tools.clock,
            settings=tools.settings,
            journal=self.journal,
            lease=self.lease,
            budget=tools.budget,
            mandate=mandate,
        )
        executor = Executor(
            plan=plan,
            broker=tools.broker,
            clock=tools.clock,
            settings=tools.settings,
            journal=self.journal,
            lease=self.lease,
            gateway=gateway,
            tracker=tracker,
        )
        execution = executor.run(legs, stopped or found)
        seen = self._loose_ends().last_look(gateway.sent_ids, tracker.order_ids)
        ended, after = settling.afterwards(plan, execution.legs)
        return self._finish(plan, ended, execution.stop, after, seen, gateway.last_order)

    def _reconcile(
        self, plan: Plan, intents: Sequence[Intent], tracker: OrderTracker, settling: Settling, *, ending: bool
    ) -> tuple[tuple[LegState, ...], Stop | None]:
        """The legs as the broker shows them, and a stop if it shows what the journal does not explain.

        A run that is only to end goes on without the list: look-ups may still answer, and nothing new is sent.
        """
        orders = tracker.look_up_all([intent.client_order_id for intent in intents], self.lease.keep)
        try:
            listed = tracker.open_orders()
        except BrokerUnavailable:
            if not ending:
                raise
            listed = ()
        differences = compare_orders(intents, orders, listed)
        for difference in differences:
            _log.info("reconciled", extra={"finding": difference.finding.value, "detail": difference.detail})
        legs = resume(plan, intents, orders, self.tools.clock.now())
        stops = [difference for difference in differences if difference.stops]
        settled = not any(state.may_have_order or state.unknown > 0 for state in legs)
        if intents and settled and not stops and not ending:
            stops = list(settling.unexplained(plan, legs))
        return legs, Stop(StopKind.UNRECONCILED, stops[0].detail) if stops else None

    def _finish(
        self,
        plan: Plan,
        legs: Sequence[LegState],
        stop: Stop | None,
        after: Afterwards,
        seen: LastLook,
        last_order: datetime | None,
    ) -> ExecutionReport:
        loose = of_run(self.journal.head.run_id, plan.session, legs, seen.ours, self._id_of)
        status = status_of(legs, plan.skipped, stop, after, seen)
        reason = "; ".join(filter(None, (reason_of(plan, legs, stop, after), *seen.lines, *named(loose))))
        limited = any(leg.cause is not None and leg.cause.by_limit for leg in plan.skipped)
        error = stop.error if stop is not None else LimitBreached.__name__ if limited else ""
        report = self._report(status, reason, error, last_order).model_copy(
            update=self._told(plan, legs)
            | {
                "account_before": plan.account,
                "account_after": after.account,
                "residuals": residuals(plan, after),
            }
        )
        if status in _TRADED:
            self._keep_targets(plan)
        books = self._books(plan, legs, after)
        self.journal.finish(self.lease, report, status, self.tools.clock.now(), *books, *self._keep_loose(loose))
        _log.info("run ended", extra={"status": status.value, "reason": report.reason})
        return report

    def _told(self, plan: Plan, legs: Sequence[LegState]) -> dict[str, object]:
        return {
            "decision_hash": plan.decision_hash,
            "legs": leg_reports(plan, legs),
            "orders_placed": sum(len(state.orders) for state in legs),
            "notes": plan.notes,
        }

    def _id_of(self, state: LegState) -> str:
        """The client order id of the leg's last step."""
        return step_id(self.tools.settings, self.journal.head.run_id, state.leg, state.steps)

    def _loose_ends(self) -> LooseEnds:
        return loose_ends(self.tools, self.lease, self.time_left)

    def _keep_loose(self, loose: LooseOrders) -> tuple[Put, ...]:
        if not loose.orders:
            return ()
        key = keys.loose_orders(self.journal.head.account_alias, loose.run_id)
        return (put_over(load(self.tools.store, key, LooseOrders), key, loose),)

    def _keep_targets(self, plan: Plan) -> None:
        """What each strategy that made a statement wants to hold, for the next cycle.

        Before the end, in as many writes as it takes: a run that dies in between writes the same once more.
        """
        alias = self.journal.head.account_alias
        known = last_targets(self.tools.store, alias) if plan.strategy_targets else {}
        puts = [
            put_over(known.get(item.strategy), keys.strategy_targets(alias, item.strategy), StoredTargets.of(item))
            for item in plan.strategy_targets
        ]
        for some in batched(puts, _TARGETS_AT_ONCE, strict=False):
            self.lease.write(*some)

    def _books(self, plan: Plan, legs: Sequence[LegState], after: Afterwards) -> tuple[Put, ...]:
        """What each strategy holds now, and the day's equity: with the end or not at all, for a fill counts once."""
        alias = self.journal.head.account_alias
        return book_run(self.tools.store, self.lease, alias, plan, legs, after.account, after.positions)

    def _report(
        self, status: RunStatus, reason: str, error: str, last_order: datetime | None = None
    ) -> ExecutionReport:
        head = self.journal.head
        report = ExecutionReport(
            **head.run.fields(),
            trace=self.trace,
            decision_hash=head.decision_hash,
            status=status,
            reason=reason,
            error=error,
        )
        traced = report.traced(Stage.TRADING, head.created_at, self.tools.clock.now())
        return with_latency(traced, last_order, self.tools.settings.latency)


def status_for(error: PermanentError) -> RunStatus:
    """How a run ends that meets the error before its first order."""
    if isinstance(error, DecisionExpired):
        return RunStatus.EXPIRED
    if isinstance(error, MarketClosed):
        return RunStatus.SKIPPED
    return RunStatus.HALTED if isinstance(error, TradingHalted | Unreconciled) else RunStatus.FAILED


def _stop_for(error: DecisionRefused) -> Stop:
    kind = StopKind.DEADLINE if isinstance(error, DecisionExpired | MarketClosed) else StopKind.HALTED
    return Stop(kind, str(error), type(error).__name__)
