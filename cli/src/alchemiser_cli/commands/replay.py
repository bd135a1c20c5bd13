"""`alchemiser replay`: an archived snapshot evaluated again, and whether the decision is the same, byte for byte."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from alchemiser_cli.console import Exit, out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.options import AsCsv, AsJson, RunArgument
from alchemiser_cli.research import strategy_makers
from alchemiser_cli.stored_runs import LATEST, find_run, read_detail
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.settings import Settings
from alchemiser_readmodel.runs import RunDetail
from alchemiser_strategy.manager import Allocated, MultiStrategyManager
from alchemiser_strategy.parsers import load_symphony
from alchemiser_strategy.strategy import Strategy, TreeStrategy

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class Difference:
    """A symbol whose target weight is not the same."""

    symbol: str
    then: float
    now: float


@app.command()
def replay(
    run: RunArgument = LATEST,
    replace: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=FILE", help="Evaluate this file (an older or newer version) as strategy NAME."),
    ] = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Evaluate a run's archived snapshot again with today's strategies and compare with what was decided then.

    Exit code 0 if the decisions are the same byte for byte, 1 if they differ.
    """
    with command(as_json=as_json, as_csv=as_csv, or_demo=True) as context:
        summary = find_run(context.state, context.account, run)
        detail = read_detail(context.state, context.archive, summary)
        snapshot, then = _inputs(detail)
        now = _manager(context.settings, then, replace or []).evaluate(snapshot)
        same = now.content_hash() == then.content_hash()
        differences = _differences(then, now)
        rows = [{"symbol": item.symbol, "then": item.then, "now": item.now} for item in differences]
        context.emit(
            {
                "run_id": str(then.run_id),
                "identical": same,
                "then": then.content_hash(),
                "now": now.content_hash(),
                "differences": rows,
            },
            lambda: _print_same(then) if same else _print_differences(then, now, differences),
            rows=rows,
        )
        if not same:
            raise typer.Exit(Exit.FAILED)


def _inputs(detail: RunDetail) -> tuple[MarketSnapshot, TradeDecision]:
    if detail.snapshot is None or detail.decision is None:
        missing = "snapshot" if detail.snapshot is None else "decision"
        raise InvalidSettings(f"run {detail.summary.run_id} has no archived {missing}: {detail.summary.reason}")
    return detail.snapshot, detail.decision


def _manager(settings: Settings, then: TradeDecision, replaced: list[str]) -> MultiStrategyManager:
    """Today's strategies with the allocations of that decision."""
    makers = strategy_makers(settings.strategies)
    names = [signal.strategy for signal in then.signals]
    instead: dict[str, Strategy] = {}
    for text in replaced:
        name, _, file = text.partition("=")
        if not file:
            raise InvalidSettings(f"--replace is {text!r}; give NAME=FILE")
        instead[name] = TreeStrategy(load_symphony(Path(file)), name=name)
    lost = [name for name in names if name not in instead and name not in makers]
    if lost:
        raise InvalidSettings(
            f"the run used strategies that no longer exist: {', '.join(lost)}; give each with --replace NAME=FILE"
        )
    known = {name: makers[name]() for name in names if name not in instead} | instead
    portfolio = [Allocated(known[signal.strategy], signal.allocation) for signal in then.signals]
    return MultiStrategyManager(portfolio, on_unknown=settings.strategies.on_unknown, versions=then.versions)


def _differences(then: TradeDecision, now: TradeDecision) -> list[Difference]:
    before = {target.symbol: target.weight for target in then.targets}
    after = {target.symbol: target.weight for target in now.targets}
    return [
        Difference(symbol, before.get(symbol, 0.0), after.get(symbol, 0.0))
        for symbol in sorted(before.keys() | after.keys())
        if before.get(symbol) != after.get(symbol)
    ]


def _print_same(then: TradeDecision) -> None:
    out.print(f"[green]identical[/]: decision {then.content_hash()[:16]} of run {then.run_id}, byte for byte")


def _print_differences(then: TradeDecision, now: TradeDecision, differences: list[Difference]) -> None:
    out.print(f"[bold red]different[/]: {then.content_hash()[:16]} then, {now.content_hash()[:16]} now")
    table = plain_table("what", "then", "now", prose=("then", "now"))
    for item in differences:
        table.add_row(f"target {item.symbol}", f"{item.then:.4%}", f"{item.now:.4%}")
    for before, after in zip(then.signals, now.signals, strict=True):
        if before != after:
            was, is_now = before.explanation.summary, after.explanation.summary
            table.add_row(escape(f"signal {before.strategy}"), escape(was), escape(is_now))
    out.print(table)
