"""`alchemiser decide`: what the strategies would hold, from a file of daily bars alone."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from alchemiser_cli.console import note, out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.options import AsCsv, AsJson, AsOf, Since, StrategyNames, Without
from alchemiser_cli.price_file import price_file, read_prices
from alchemiser_cli.research import Outcome, choose, consolidate, evaluate, recent_moves, symbols_of
from alchemiser_common.messages.decision import SignalStatus, UnknownReading
from alchemiser_common.text import and_more

app = typer.Typer()
_MOST_NAMED = 5


@app.command()
def decide(
    data: Annotated[
        Path, typer.Option(help="Daily prices: a file, folder or zip of any form that `alchemiser prices` reads.")
    ],
    as_of: AsOf = None,
    since: Since = None,
    strategy: StrategyNames = None,
    without: Without = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """What the strategies would hold after a close. Uses no broker and no stored state.

    A strategy that lacks data says so (status `unknown`) and its share stays in cash. One with a rebalancing rule is
    followed from `--since` on and may hold (status `hold`): then the weights are what its targets have drifted to.
    As CSV it prints the targets.
    """
    with command(as_json=as_json, as_csv=as_csv) as context:
        shares = choose(context.settings.strategies, strategy or [])
        file = price_file(
            read_prices(data, context.settings.home),
            symbols_of(shares),
            without or (),
            context.settings.data.carry_gaps,
        )
        bars = file.bars(symbols_of(shares), as_of.date() if as_of else None)
        outcomes = evaluate(shares, bars, since.date() if since else None)
        day, targets = bars.dates[-1], consolidate(outcomes)
        remarks = [*file.remarks, *recent_moves(shares, bars)]
        context.emit(
            {**_as_json(day, outcomes, targets), "without": sorted(file.without), "remarks": remarks},
            lambda: _print(day, outcomes, targets, remarks),
            rows=[{"symbol": symbol, "target": weight} for symbol, weight in targets.items()],
        )


def _as_json(day: date, outcomes: Sequence[Outcome], targets: Mapping[str, float]) -> dict[str, object]:
    strategies = {
        outcome.share.strategy.name: {
            "weights": dict(sorted(outcome.result.weights.items())),
            "status": outcome.result.status.value,
            "unknown": [item.model_dump(mode="json") for item in outcome.result.explanation.unknown],
            "unsettled": [item.model_dump(mode="json") for item in outcome.result.explanation.unsettled],
        }
        for outcome in outcomes
    }
    return {"as_of": day.isoformat(), "strategies": strategies, "targets": targets}


def _notes(outcome: Outcome) -> list[str]:
    """What a person should know beside the weights."""
    name, explanation = outcome.share.strategy.name, outcome.result.explanation
    if outcome.result.status is SignalStatus.UNKNOWN:
        return [f"{name}: {explanation.summary}"]
    left_out = [f"{item.symbol} ({item.indicator}: {_bars(item)})" for item in explanation.unknown]
    unsettled = [f"{item.indicator} of {item.symbol} ({_bars(item)})" for item in explanation.unsettled]
    notes = [f"{name}: left out of a ranking: {', '.join(and_more(left_out, _MOST_NAMED))}"] if left_out else []
    if unsettled:
        notes.append(f"{name}: not settled yet: {', '.join(and_more(unsettled, _MOST_NAMED))}")
    return notes


def _bars(item: UnknownReading) -> str:
    return f"{item.bars_had} of {item.bars_needed} bars"


def _print(day: date, outcomes: Sequence[Outcome], targets: Mapping[str, float], remarks: Sequence[str]) -> None:
    table = plain_table("strategy", "share", "status", "holds", least=("share", "status"), prose=("holds",))
    for outcome in outcomes:
        weights = sorted(outcome.result.weights.items(), key=lambda item: -item[1])
        held = ", ".join(f"{symbol} {weight:.2%}" for symbol, weight in weights) or "cash"
        table.add_row(
            escape(outcome.share.strategy.name), f"{outcome.share.fraction:.1%}", outcome.result.status.value, held
        )
        for words in _notes(outcome):
            note(words)
    out.print(f"After the close of {day}:")
    out.print(table)
    totals = plain_table("symbol", "target")
    for symbol, weight in sorted(targets.items(), key=lambda item: -item[1]):
        totals.add_row(symbol, f"{weight:.2%}")
    if not targets:
        totals.add_row("cash", "100.00%")
    out.print(totals)
    for remark in remarks:
        out.print(escape(f"- {remark}"), soft_wrap=True)
