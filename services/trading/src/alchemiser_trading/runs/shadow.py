"""A run beside the pipeline that trades: checks and plan, no lease, no authority, no order, no gateway."""

import logging
from dataclasses import dataclass

from alchemiser_common.errors import PermanentError
from alchemiser_common.messages.base import Stage
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.ports.broker import MarketReader
from alchemiser_common.records.plan import Plan
from alchemiser_trading.orders.legs import start
from alchemiser_trading.runs.latency import with_latency
from alchemiser_trading.runs.reporting import leg_reports
from alchemiser_trading.runs.run import status_for
from alchemiser_trading.runs.tools import Tools, planned

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a shadow run comes to."""

    report: ExecutionReport
    plan: Plan | None
    """None if a check refused the decision."""


def shadow_run(tools: Tools[MarketReader], decision: TradeDecision) -> Shadow:
    """Plan as the trading run would. A permanent error becomes the report; raises TransientError only."""
    began = tools.clock.now()
    report = ExecutionReport(
        **decision.following(),
        decision_hash=decision.content_hash(),
        status=RunStatus.SHADOWED,
        reason="shadow: planned, nothing sent",
    )
    plan: Plan | None = None
    try:
        plan, _ = planned(tools, decision, tools.checks.run_in_shadow(decision))
        legs = leg_reports(plan, [start(leg) for leg in plan.legs])
        report = report.model_copy(update={"legs": legs, "account_before": plan.account, "notes": plan.notes})
    except PermanentError as error:
        reason = f"shadow: {type(error).__name__}: {error}"
        changes = {"status": status_for(error), "reason": reason, "error": type(error).__name__}
        report = report.model_copy(update=changes)
    _log.info("shadow run ended", extra={"status": report.status.value, "reason": report.reason})
    traced = report.traced(Stage.TRADING, began, tools.clock.now())
    return Shadow(with_latency(traced, None, tools.settings.latency), plan)
