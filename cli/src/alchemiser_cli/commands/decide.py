"""`alchemiser decide`: what the strategies would hold, from a file of daily bars alone."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from alchemiser_cli.console import note, out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.options import AsJson, AsOf, StrategyNames
from alchemiser_cli.research import Outcome, PriceFile, choose, consolidate, evaluate, symbols_of
from alchemiser_common.messages.decision import SignalStatus
from alchemiser_simulator import read_history

app = typer.Typer()


@app.command()
def decide(
    data: Annotated[
        Path, typer.Option(help="Daily bars, Parquet or CSV: date, symbol, close; or one column of closes a symbol.")
    ],
    as_of: AsOf = None,
    strategy: StrategyNames = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What the strategies would hold after a close. Uses no broker and no stored state.

    A strategy that lacks data says so (status `unknown`) and its share stays in cash.
    """
    with command(as_json=as_json) as context:
        shares = choose(context.settings.strategies, strategy or [])
        bars = PriceFile(read_history(data)).bars(symbols_of(shares), as_of.date() if as_of else None)
        outcomes = evaluate(shares, bars)
        day, targets = bars.dates[-1], consolidate(outcomes)
        context.emit(_as_json(day, outcomes, targets), lambda: _print(day, outcomes, targets))


def _as_json(day: date, outcomes: Sequence[Outcome], targets: Mapping[str, float]) -> dict[str, object]:
    strategies = {
        outcome.share.strategy.name: {
            "weights": dict(sorted(outcome.result.weights.items())),
            "status": outcome.result.status.value,
        }
        for outcome in outcomes
    }
    return {"as_of": day.isoformat(), "strategies": strategies, "targets": targets}


def _print(day: date, outcomes: Sequence[Outcome], targets: Mapping[str, float]) -> None:
    table = plain_table("strategy", "share", "status", "holds")
    for outcome in outcomes:
        weights = sorted(outcome.result.weights.items(), key=lambda item: -item[1])
        held = ", ".join(f"{symbol} {weight:.2%}" for symbol, weight in weights) or "cash"
        table.add_row(
            escape(outcome.share.strategy.name), f"{outcome.share.fraction:.1%}", outcome.result.status.value, held
        )
        if outcome.result.status is SignalStatus.UNKNOWN:
            note(f"{outcome.share.strategy.name}: {outcome.result.explanation.summary}")
    out.print(f"After the close of {day}:")
    out.print(table)
    totals = plain_table("symbol", "target")
    for symbol, weight in sorted(targets.items(), key=lambda item: -item[1]):
        totals.add_row(symbol, f"{weight:.2%}")
    if not targets:
        totals.add_row("cash", "100.00%")
    out.print(totals)
