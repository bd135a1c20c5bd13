"""Runs and decisions as terminal tables. Pure: values in, renderables out."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from alchemiser_cli.history import RunDetail, RunSummary
from alchemiser_common.messages.base import StageTime
from alchemiser_common.messages.decision import ConditionStep, Signal, TradeDecision
from alchemiser_common.messages.report import ExecutionReport, LegReport
from alchemiser_common.records.plan import Plan

_GOOD = {"completed", "filled"}
_NEUTRAL = {"skipped", "published", "started", "executing", "partial", "shadowed"}


def runs_table(runs: Iterable[RunSummary]) -> Table:
    """Newest first, one line each."""
    table = Table("scheduled", "pipeline", "run", "status", "orders", "equity", "why", box=None, header_style="bold")
    for run in runs:
        report = run.report
        equity = report.account_after.equity if report is not None and report.account_after is not None else None
        table.add_row(
            run.cycle_id.partition(":")[2].replace("T", " ").replace(":00Z", "Z"),
            run.pipeline,
            str(run.run_id)[:8],
            status_text(run.status),
            str(report.orders_placed) if report is not None else "",
            money(equity),
            Text(run.reason, overflow="ellipsis", no_wrap=True),
        )
    return table


def run_view(run: RunDetail) -> Group:
    """One run from snapshot to fills."""
    summary = run.summary
    parts: list[RenderableType] = [
        Text.assemble(
            ("run ", "dim"),
            str(summary.run_id),
            ("  cycle ", "dim"),
            summary.cycle_id,
            ("  ", ""),
            status_text(summary.status),
        )
    ]
    if summary.reason:
        parts.append(Text(summary.reason))
    if run.snapshot is not None:
        shot = run.snapshot
        parts.append(
            Text(
                f"snapshot: {len(shot.bars.symbols)} symbols x {len(shot.bars.dates)} bars up to {shot.as_of} "
                f"({shot.bar_policy.value}), equity {money(shot.account.equity)}, {len(shot.positions)} positions",
                style="dim",
            )
        )
    if run.decision is not None:
        parts += [Text(), decision_view(run.decision)]
    if run.plan is not None:
        parts += [Text(), plan_table(run.plan)]
    if summary.report is not None:
        parts += [Text(), legs_table(summary.report), Text(), timeline(summary.report)]
    return Group(*parts)


def decision_view(decision: TradeDecision) -> Group:
    """Signals with their reasons, and the targets they add up to."""
    tree = signals_tree(decision.as_of.isoformat(), decision.signals)
    table = Table("symbol", "target", "asked for by", box=None, header_style="bold")
    for target in sorted(decision.targets, key=lambda item: -item.weight):
        shares = ", ".join(f"{share.strategy} {share.weight:.1%}" for share in target.shares)
        table.add_row(target.symbol, f"{target.weight:.2%}", shares)
    return Group(tree, Text(), table)


def signals_tree(as_of: str, signals: Iterable[Signal]) -> Tree:
    """Every signal with the conditions and rankings on its path."""
    tree = Tree(Text(f"signals (bars up to {as_of})", style="bold"), guide_style="dim")
    for signal in signals:
        _add_signal(tree, signal)
    return tree


def _add_signal(tree: Tree, signal: Signal) -> None:
    weights = ", ".join(f"{item.symbol} {item.weight:.1%}" for item in signal.weights) or "cash"
    fragile = Text(" fragile", style="yellow") if signal.explanation.fragile else Text()
    branch = tree.add(
        Text.assemble(
            (signal.strategy, "bold"), f" ({signal.allocation:.0%}, {signal.status.value}): {weights}", fragile
        )
    )
    for step in signal.explanation.steps:
        if isinstance(step, ConditionStep):
            verdict = Text("yes", style="green") if step.holds else Text("no", style="red")
            line = Text.assemble(step.text, (f"  {step.left:.4g} vs {step.right:.4g}  ", "dim"), verdict)
        else:
            ranked = ", ".join(
                f"{'*' if item.chosen else ''}{item.name} {'?' if item.value is None else format(item.value, '.4g')}"
                for item in step.candidates
            )
            line = Text.assemble(step.text, (f"  {ranked}", "dim"))
        if step.fragile:
            line.append(" fragile", style="yellow")
        branch.add(line)
    for gap in signal.explanation.unknown:
        branch.add(
            Text(
                f"unknown: {gap.indicator} of {gap.symbol} has {gap.bars_had} bars, needs {gap.bars_needed}",
                style="red",
            )
        )
    if signal.explanation.otherwise:
        other = ", ".join(f"{item.symbol} {item.weight:.1%}" for item in signal.explanation.otherwise)
        branch.add(Text(f"would have become: {other}", style="yellow"))


def plan_table(plan: Plan) -> Table:
    """What was to be traded."""
    table = Table("plan", "side", "quantity", "price", "value", box=None, header_style="bold")
    for leg in plan.legs:
        side = f"{leg.side.value} all" if leg.full_exit else leg.side.value
        table.add_row(leg.symbol, side, shares(leg.quantity), f"{leg.price:,.2f}", money(leg.value))
    for skipped in plan.skipped:
        table.add_row(skipped.symbol, skipped.side.value, "-", "", Text(f"left alone: {skipped.reason}", style="dim"))
    if not plan.legs:
        table.add_row(Text("nothing to trade: the account is at its targets", style="dim"))
    return table


def legs_table(report: ExecutionReport) -> Table:
    """What was traded, and what it cost against the middle of the quote."""
    table = Table(
        "fills",
        "side",
        "intended",
        "filled",
        "average",
        "slippage",
        "steps",
        "took",
        "status",
        box=None,
        header_style="bold",
    )
    for leg in report.legs:
        table.add_row(*_leg_cells(leg))
    if not report.legs:
        table.add_row(Text("no orders", style="dim"))
    return table


def _leg_cells(leg: LegReport) -> Sequence[RenderableType]:
    slippage = leg.slippage_bps
    return (
        leg.symbol,
        leg.side.value,
        shares(leg.intended),
        shares(leg.filled),
        "" if leg.average_price is None else f"{leg.average_price:,.4f}",
        "" if slippage is None else f"{slippage:+.1f} bp",
        str(leg.steps),
        f"{leg.duration.total_seconds():.0f} s",
        Text.assemble(status_text(leg.status.value), f" {leg.reason}" if leg.reason else ""),
    )


def timeline(report: ExecutionReport) -> Table:
    """When each stage worked."""
    table = Table("stage", "started", "took", box=None, header_style="bold")
    for stage in report.trace:
        table.add_row(stage.stage.value, f"{stage.started:%Y-%m-%d %H:%M:%S}Z", _took(stage))
    return table


def _took(stage: StageTime) -> str:
    return f"{(stage.finished - stage.started).total_seconds():.1f} s"


def status_text(status: str) -> Text:
    """Coloured by whether a person must look."""
    return Text(status, style="green" if status in _GOOD else "yellow" if status in _NEUTRAL else "bold red")


def money(amount: Decimal | None) -> str:
    """Dollars with cents."""
    return "" if amount is None else f"{amount:,.2f}"


def shares(quantity: Decimal) -> str:
    """A quantity to the thousandth of a share; `show --json` has it in full."""
    return f"{quantity:,.3f}".rstrip("0").rstrip(".")
