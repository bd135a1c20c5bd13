"""One delivery's work on one run, under the account's lease: plan once, reconcile, execute, report.

Enters with a journal that has not ended and leaves with one that has, or with a TransientError for the next delivery.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched

from alchemiser_common import keys
from alchemiser_common.errors import (
    DecisionExpired,
    DecisionRefused,
    LimitBreached,
    MarketClosed,
    PermanentError,
    TradingHalted,
    Unreconciled,
)
from alchemiser_common.messages.base import Stage, StageTime
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.ports.broker import Broker
from alchemiser_common.ports.clock import TimeLeft
from alchemiser_common.ports.state import Put, put_over
from alchemiser_common.records.journal import Intent, Phase
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.targets import StoredTargets
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.books.run_end import book_run
from alchemiser_trading.journal.journal import Journal
from alchemiser_trading.journal.phases import phase_of
from alchemiser_trading.orders.executor import Executor
from alchemiser_trading.orders.legs import LegState
from alchemiser_trading.orders.order_gateway import Mandate, OrderGateway, Stop, StopKind
from alchemiser_trading.orders.order_tracker import OrderTracker
from alchemiser_trading.orders.reconcile import compare_orders, foreign_orders, resume
from alchemiser_trading.orders.settling import Afterwards, Settling
from alchemiser_trading.runs.checks import Permit
from alchemiser_trading.runs.reporting import leg_reports, reason_of, residuals, status_of
from alchemiser_trading.runs.tools import Tools, last_targets, planned

_log = logging.getLogger(__name__)
_TRADED = frozenset({RunStatus.COMPLETED, RunStatus.PARTIAL})
_TARGETS_AT_ONCE = 90
"""Of one write, beside the lease."""


@dataclass(frozen=True, slots=True)
class Run:
    """One delivery of one run, under the account's lease. Invariant: the journal is not final when it begins."""

    tools: Tools[Broker]
    journal: Journal
    lease: AccountLease
    time_left: TimeLeft
    trace: tuple[StageTime, ...] = ()

    def execute(self, decision: TradeDecision) -> ExecutionReport:
        """Plan (once) and execute. A permanent error becomes the run's report; TransientError goes up."""
        try:
            if self.journal.head.phase is Phase.RECEIVED:
                permit = self.tools.checks.run(decision)
                self._freeze(decision, permit)
                return self._drive(permit, None)
            plan = self.journal.required_plan()
            try:
                permit = self.tools.checks.run_again(self.journal.head, plan)
            except DecisionRefused as error:
                return self._drive(None, _stop_for(error))
            return self._drive(permit, None)
        except PermanentError as error:
            return self.refuse(error)

    def wind_down(self, reason: str) -> ExecutionReport:
        """Send nothing new: cancel what is open, count the fills, report."""
        try:
            return self._drive(None, Stop(StopKind.DEADLINE, reason))
        except PermanentError as error:
            return self.refuse(error)

    def refuse(self, error: PermanentError) -> ExecutionReport:
        """End the run with an error as its report."""
        status, reason = status_for(error), f"{type(error).__name__}: {error}"
        if self.journal.head.phase is not Phase.RECEIVED:
            # It could not be wound down: a person must look at the broker.
            status, reason = RunStatus.HALTED, f"{reason}; orders of this run may still be open"
        _log.error("run ends", extra={"error": type(error).__name__, "status": status.value, "reason": reason})
        report = self._report(status, reason, type(error).__name__)
        self.journal.finish(self.lease, report, phase_of(status), self.tools.clock.now())
        return report

    def _freeze(self, decision: TradeDecision, permit: Permit) -> None:
        """Make the plan from the account as it is now, check it against the limits, and store it for good."""
        tools = self.tools
        foreign = foreign_orders(tools.broker.open_orders().orders, (), ())
        if foreign:
            raise Unreconciled(f"{len(foreign)} open orders before the first of this run: {foreign[0].detail}")
        plan, writes = planned(tools, decision, permit.account)
        for write in writes:
            self.lease.write(*write)
        self.journal.freeze(self.lease, plan, permit.authority.epoch, plan.made_at)
        _log.info(
            "plan frozen", extra={"legs": len(plan.legs), "skipped": len(plan.skipped), "shrink": str(plan.shrink)}
        )

    def _drive(self, permit: Permit | None, stopped: Stop | None) -> ExecutionReport:
        """Reconcile, execute and settle; without a permit only to end what is open."""
        tools, rules = self.tools, self.tools.settings.execution
        plan, intents = self.journal.required_plan(), self.journal.intents()
        tracker = OrderTracker(tools.broker, tools.clock, tools.budget, plan.session)
        settling = Settling(tools.broker, tracker, tools.clock, rules, self.time_left)
        mandate = Mandate(
            authority_epoch=self.journal.head.authority_epoch,
            deadline=permit.deadline if permit else self.journal.head.not_after,
            skew=permit.skew if permit else timedelta(0),
            time_left=self.time_left,
        )
        legs, found = self._reconcile(plan, intents, tracker, settling)
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
        execution = executor.run(legs, found or stopped)
        ended, after = settling.afterwards(plan, execution.legs)
        return self._finish(plan, ended, execution.stop, after)

    def _reconcile(
        self, plan: Plan, intents: Sequence[Intent], tracker: OrderTracker, settling: Settling
    ) -> tuple[tuple[LegState, ...], Stop | None]:
        """The legs as the broker shows them, and a stop if it shows what the journal does not explain."""
        orders = tracker.look_up_all([intent.client_order_id for intent in intents], self.lease.keep)
        differences = compare_orders(intents, orders, tracker.open_orders())
        for difference in differences:
            _log.info("reconciled", extra={"finding": difference.finding.value, "detail": difference.detail})
        legs = resume(plan, intents, orders, self.tools.clock.now())
        stops = [difference for difference in differences if difference.stops]
        if not stops and intents and all(state.order is None or state.order.status.terminal for state in legs):
            stops = list(settling.unexplained(plan, legs))
        return legs, Stop(StopKind.UNRECONCILED, stops[0].detail) if stops else None

    def _finish(self, plan: Plan, legs: Sequence[LegState], stop: Stop | None, after: Afterwards) -> ExecutionReport:
        status = status_of(legs, plan.skipped, stop)
        report = self._report(status, reason_of(plan, legs, stop, after), stop.error if stop else "").model_copy(
            update={
                "decision_hash": plan.decision_hash,
                "legs": leg_reports(plan, legs),
                "orders_placed": sum(len(state.orders) for state in legs),
                "account_before": plan.account,
                "account_after": after.account,
                "residuals": residuals(plan, after),
                "notes": plan.notes,
            }
        )
        if status in _TRADED:
            self._keep_targets(plan)
        books = self._books(plan, legs, after)
        self.journal.finish(self.lease, report, phase_of(status), self.tools.clock.now(), *books)
        _log.info("run ended", extra={"status": status.value, "reason": report.reason})
        return report

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

    def _report(self, status: RunStatus, reason: str, error: str) -> ExecutionReport:
        head = self.journal.head
        report = ExecutionReport(
            **head.run.fields(),
            trace=self.trace,
            decision_hash=head.decision_hash,
            status=status,
            reason=reason,
            error=error,
        )
        return report.traced(Stage.TRADING, head.created_at, self.tools.clock.now())


def status_for(error: PermanentError) -> RunStatus:
    """How a run ends that meets the error before its first order."""
    if isinstance(error, DecisionExpired):
        return RunStatus.EXPIRED
    if isinstance(error, MarketClosed):
        return RunStatus.SKIPPED
    return RunStatus.HALTED if isinstance(error, TradingHalted | LimitBreached | Unreconciled) else RunStatus.FAILED


def _stop_for(error: DecisionRefused) -> Stop:
    kind = StopKind.DEADLINE if isinstance(error, DecisionExpired | MarketClosed) else StopKind.HALTED
    return Stop(kind, str(error), type(error).__name__)
