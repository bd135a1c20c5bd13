"""Runs and decisions as terminal tables. Pure: values in, renderables out."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from alchemiser_cli import formats
from alchemiser_cli.console import plain_table
from alchemiser_common.ids import scheduled_time
from alchemiser_common.messages.base import StageTime
from alchemiser_common.messages.decision import ConditionStep, Signal, TradeDecision
from alchemiser_common.messages.report import ExecutionReport, LegReport
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.records.dry_walk import DryWalk
from alchemiser_common.records.plan import Plan
from alchemiser_common.text import named
from alchemiser_readmodel.runs import RunDetail, RunSummary

_MOST_NAMED = 5
_GOOD = {"completed", "filled"}
_NEUTRAL = {"skipped", "published", "started", "executing", "partial", "shadowed"}


def runs_table(runs: Iterable[RunSummary]) -> Table:
    """Newest first, one line each."""
    table = plain_table(
        "scheduled",
        "pipeline",
        "run",
        "status",
        "orders",
        "equity",
        "why",
        least=("pipeline", "why", "orders", "equity", "status"),
        prose=("why",),
    )
    for run in runs:
        report = run.report
        equity = report.account_after.equity if report is not None and report.account_after is not None else None
        table.add_row(
            formats.moment(scheduled_time(run.cycle_id)).replace(":00Z", "Z"),
            run.pipeline,
            str(run.run_id)[:8],
            status_text(run.status),
            str(report.orders_placed) if report is not None else "",
            formats.amount(equity),
            Text(run.reason),
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
    parts += [Text(f"note: {note}", style="yellow") for note in run.notes]
    if run.snapshot is not None:
        parts.append(Text(_snapshot_line(run.snapshot), style="dim"))
    if run.decision is not None:
        parts += [Text(), decision_view(run.decision)]
    if run.plan is not None:
        parts += [Text(), plan_table(run.plan)]
    if summary.report is not None:
        parts += [Text(), legs_table(summary.report.legs), Text(), timeline(summary.report)]
    if run.dry_walk is not None:
        parts += [Text(), Text(_dry_walk_line(run.dry_walk), style="yellow"), legs_table(run.dry_walk.legs)]
    return Group(*parts)


def _snapshot_line(snapshot: MarketSnapshot) -> str:
    symbols, dates = len(snapshot.bars.symbols), len(snapshot.bars.dates)
    equity = formats.amount(snapshot.account.equity)
    return (
        f"snapshot: {symbols} symbols x {dates} bars up to {snapshot.as_of} ({snapshot.bar_policy.value}), "
        f"equity {equity}, {len(snapshot.positions)} positions"
    )


def decision_view(decision: TradeDecision) -> Group:
    """Signals with their reasons, and the targets they add up to."""
    tree = signals_tree(decision.as_of.isoformat(), decision.signals)
    table = plain_table("symbol", "target", "asked for by", prose=("asked for by",))
    for target in sorted(decision.targets, key=lambda item: -item.weight):
        shares = ", ".join(f"{share.strategy} {share.weight:.1%}" for share in target.shares)
        table.add_row(target.symbol, f"{target.weight:.2%}", Text(shares))
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
    for gap in signal.explanation.unsettled:
        branch.add(
            Text(
                f"unsettled: {gap.indicator} of {gap.symbol} has {gap.bars_had} bars, settles with {gap.bars_needed}",
                style="yellow",
            )
        )
    if signal.explanation.otherwise:
        other = ", ".join(f"{item.symbol} {item.weight:.1%}" for item in signal.explanation.otherwise)
        branch.add(Text(f"would have become: {other}", style="yellow"))


def plan_table(plan: Plan) -> Table:
    """What was to be traded."""
    table = plain_table("plan", "side", "quantity", "price", "value", least=("price",), prose=("plan", "value"))
    for leg in plan.legs:
        side = f"{leg.side.value} all" if leg.full_exit else leg.side.value
        table.add_row(
            leg.symbol, side, formats.shares(leg.quantity), formats.amount(leg.price), formats.amount(leg.value)
        )
    for skipped in plan.skipped:
        table.add_row(skipped.symbol, skipped.side.value, "-", "", Text(f"left alone: {skipped.reason}", style="dim"))
    for holding in plan.holdings:
        if holding.shares:
            kept = [f"{formats.shares(item.quantity)} {item.symbol}" for item in holding.shares]
            table.add_row(Text(f"{holding.strategy} holds {named(kept, _MOST_NAMED)}", style="dim"))
    if not plan.legs:
        table.add_row(Text("nothing to trade: the account holds what is wanted", style="dim"))
    return table


def _dry_walk_line(walk: DryWalk) -> str:
    took = (walk.ended - walk.began).total_seconds()
    said = f": {walk.reason}" if walk.reason else ""
    return f"simulated, nothing of it was sent: a dry walk at {formats.moment(walk.began)}, {took:.0f} s{said}"


def legs_table(legs: Sequence[LegReport]) -> Table:
    """What was traded, and what it cost against the middle of the quote."""
    table = plain_table(
        "fills",
        "side",
        "intended",
        "filled",
        "average",
        "slippage",
        "steps",
        "took",
        "status",
        least=("took", "steps", "slippage", "intended"),
        prose=("status",),
    )
    for leg in legs:
        table.add_row(*_leg_cells(leg))
    if not legs:
        table.add_row(Text("no legs", style="dim"))
    return table


def legs_rows(report: ExecutionReport | None) -> list[dict[str, object]]:
    """The same for `--csv`."""
    return [] if report is None else [leg.model_dump(mode="json") for leg in report.legs]


def _leg_cells(leg: LegReport) -> Sequence[RenderableType]:
    return (
        leg.symbol,
        leg.side.value,
        formats.shares(leg.intended),
        formats.shares(leg.filled),
        formats.price(leg.average_price),
        formats.slippage(leg.slippage_bps),
        str(leg.steps),
        f"{leg.duration.total_seconds():.0f} s",
        Text.assemble(status_text(leg.status.value), f" {leg.reason}" if leg.reason else ""),
    )


def timeline(report: ExecutionReport) -> Table:
    """When each stage worked."""
    table = plain_table("stage", "started", "took")
    for stage in report.trace:
        table.add_row(stage.stage.value, formats.moment(stage.started), _took(stage))
    return table


def _took(stage: StageTime) -> str:
    return f"{(stage.finished - stage.started).total_seconds():.1f} s"


def status_text(status: str) -> Text:
    """Coloured by whether a person must look."""
    return Text(status, style="green" if status in _GOOD else "yellow" if status in _NEUTRAL else "bold red")
