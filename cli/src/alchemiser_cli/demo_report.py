"""A demo's stored runs as the report's rows. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date

from alchemiser_cli.report.model import OrderRow, SessionRow
from alchemiser_common.errors import StateCorrupt
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, LegReport
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_readmodel.runs import RunSummary


def session_rows(
    days: Sequence[date],
    runs: Sequence[RunSummary],
    decisions: Sequence[TradeDecision | None],
    initial_equity: float,
) -> tuple[SessionRow, ...]:
    """One row a session; a run that ended before trading keeps the equity before it."""
    rows: list[SessionRow] = []
    equity = cash = initial_equity
    weights: tuple[tuple[str, float], ...] = ()
    for day, run, decision in zip(days, runs, decisions, strict=True):
        report = run.report
        if report is not None and report.account_after is not None:
            equity, cash = float(report.account_after.equity), float(report.account_after.cash)
            weights = tuple((item.symbol, item.actual) for item in report.residuals if item.actual > 0)
        rows.append(
            SessionRow(
                day=day,
                equity=equity,
                cash=cash,
                weights=weights,
                orders=order_rows(day, report),
                status=run.status,
                run_id=str(run.run_id),
                reason=run.reason,
                notes=run.notes,
                signals=() if decision is None else decision.signals,
                as_of=None if decision is None else decision.as_of,
            )
        )
    return tuple(rows)


def starting_equity(run: RunSummary) -> float:
    """Equity before the first session's orders. Raises StateCorrupt if the run has no report."""
    if run.report is None or run.report.account_before is None:
        raise StateCorrupt(
            f"the first run, {run.run_id}, ended as {run.status} before it read the account: {run.reason}"
        )
    return float(run.report.account_before.equity)


def order_rows(day: date, report: ExecutionReport | None) -> tuple[OrderRow, ...]:
    """The report's legs that traded."""
    if report is None:
        return ()
    return tuple(row for leg in report.legs if (row := _order(day, leg)) is not None)


def executed_orders(runs: Iterable[RunSummary]) -> tuple[OrderRow, ...]:
    """Every leg of the runs that traded, in their order."""
    return tuple(
        row
        for run in runs
        if run.report is not None and run.record is not None
        for row in order_rows(run.record.scheduled_at.astimezone(EXCHANGE_ZONE).date(), run.report)
    )


def _order(day: date, leg: LegReport) -> OrderRow | None:
    """The leg as traded, or None if nothing was."""
    if leg.filled <= 0 or leg.average_price is None:
        return None
    return OrderRow(
        day=day,
        symbol=leg.symbol,
        side=leg.side,
        quantity=leg.filled,
        price=leg.average_price,
        arrival_mid=leg.arrival_mid,
        slippage_bps=leg.slippage_bps,
        steps=leg.steps,
        seconds=leg.duration.total_seconds(),
    )
