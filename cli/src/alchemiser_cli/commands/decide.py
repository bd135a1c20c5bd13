"""`alchemiser decide`: what the strategies would hold, from a file of daily bars alone."""

import json
import os
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from alchemiser_cli.console import note, out, reported_errors
from alchemiser_cli.research import Outcome, PriceFile, choose, consolidate, evaluate, symbols_of
from alchemiser_common.messages.decision import SignalStatus
from alchemiser_common.settings_files import read_settings
from alchemiser_simulator import read_history

app = typer.Typer()


@app.command()
def decide(
    data: Annotated[
        Path, typer.Option(help="Daily bars, Parquet or CSV: date, symbol, close; or one column of closes a symbol.")
    ],
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Decide after this day's close; default: the last.")
    ] = None,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            help="Name or symphony file; repeat for several in equal parts. Default: the settings' portfolio."
        ),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """What the strategies would hold after a close. Uses no broker and no stored state.

    A strategy that lacks data says so (status `unknown`) and its share stays in cash.
    """
    with reported_errors():
        shares = choose(read_settings(os.environ, Path.cwd()).settings.strategies, strategy or [])
        bars = PriceFile(read_history(data)).bars(symbols_of(shares), as_of.date() if as_of else None)
        outcomes = evaluate(shares, bars)
        targets = consolidate(outcomes)
        if as_json:
            typer.echo(json.dumps(_as_json(bars.dates[-1], outcomes, targets)))
            return
        _print(bars.dates[-1], outcomes, targets)


def _as_json(day: date, outcomes: Sequence[Outcome], targets: dict[str, float]) -> dict[str, object]:
    strategies = {
        outcome.share.strategy.name: {
            "weights": dict(sorted(outcome.result.weights.items())),
            "status": outcome.result.status.value,
        }
        for outcome in outcomes
    }
    return {"as_of": day.isoformat(), "strategies": strategies, "targets": targets}


def _print(day: date, outcomes: Sequence[Outcome], targets: dict[str, float]) -> None:
    from rich.table import Table  # JSON does without

    table = Table("strategy", "share", "status", "holds", box=None, header_style="bold")
    for outcome in outcomes:
        weights = sorted(outcome.result.weights.items(), key=lambda item: -item[1])
        held = ", ".join(f"{symbol} {weight:.2%}" for symbol, weight in weights) or "cash"
        table.add_row(outcome.share.strategy.name, f"{outcome.share.fraction:.1%}", outcome.result.status.value, held)
        if outcome.result.status is SignalStatus.UNKNOWN:
            note(f"{outcome.share.strategy.name}: {outcome.result.explanation.summary}")
    out.print(f"After the close of {day}:")
    out.print(table)
    totals = Table("symbol", "target", box=None, header_style="bold")
    for symbol, weight in sorted(targets.items(), key=lambda item: -item[1]):
        totals.add_row(symbol, f"{weight:.2%}")
    if not targets:
        totals.add_row("cash", "100.00%")
    out.print(totals)
