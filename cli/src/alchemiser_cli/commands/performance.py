"""`alchemiser performance`: what the account earned, whole and by strategy, symbol or month, transfers taken out."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alchemiser_cli.console import out
from alchemiser_cli.context import CommandContext, command
from alchemiser_cli.options import DAY, AsCsv, AsJson, MarketData
from alchemiser_common.errors import InvalidSettings

if TYPE_CHECKING:
    from alchemiser_readmodel.performance import Performance
    from alchemiser_readmodel.symbol_gains import SymbolGain

app = typer.Typer()


class Part(StrEnum):
    """By what a profit is taken apart."""

    STRATEGY = "strategy"
    SYMBOL = "symbol"
    MONTH = "month"


@app.command()
def performance(
    first: Annotated[datetime | None, typer.Option("--from", formats=DAY, help="First session that counts.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=DAY, help="Last session that counts.")] = None,
    by: Annotated[Part, typer.Option("--by", help="By what the profit is taken apart.")] = Part.STRATEGY,
    benchmark: Annotated[str | None, typer.Option(help="Symbol to hold beside it, by --data's closes.")] = None,
    data: MarketData = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show what the account earned between two sessions, and what of it each strategy, symbol or month did.

    Time-weighted: what was deposited or withdrawn is nobody's profit. The parts add up to the account's profit by the
    broker's equity, to the cent; what is in no book (interest, fees, holdings that are not managed) has its own line.
    As CSV it prints each session's worth.
    """
    with command(as_json=as_json, as_csv=as_csv, or_demo=True) as context:
        from alchemiser_cli.stored_account import planned_runs, read_curve
        from alchemiser_readmodel.performance import performance as earned
        from alchemiser_readmodel.performance import since
        from alchemiser_readmodel.symbol_gains import symbol_gains

        start, end = (None if day is None else day.date() for day in (first, last))
        curve = read_curve(context.state, context.account)
        found = earned(since(curve, start, end))
        if found is None:
            raise InvalidSettings(
                f"account {context.account} has {len(since(curve, start, end))} sessions on record between "
                f"{start or 'its first'} and {end or 'its last'}; a profit needs two"
            )
        gains: Sequence[SymbolGain] = ()
        if by is Part.SYMBOL:
            runs = planned_runs(context.state, context.account)
            gains = symbol_gains([run for run in runs if found.whole.since <= run.plan.session <= found.whole.until])
        beside = None if benchmark is None else _benchmark(context, found, benchmark.upper(), data)
        _emit(context, found, by, gains, beside)


def _emit(
    context: CommandContext,
    found: "Performance",
    by: Part,
    gains: "Sequence[SymbolGain]",
    beside: tuple[str, float] | None,
) -> None:
    from alchemiser_cli.performance_view import (
        months_table,
        performance_json,
        performance_view,
        strategies_table,
        symbols_table,
    )
    from alchemiser_cli.worth_rows import worth_rows

    tables = {
        Part.STRATEGY: lambda: strategies_table(found),
        Part.SYMBOL: lambda: symbols_table(found, gains),
        Part.MONTH: lambda: months_table(found),
    }
    notes = [] if beside is None else [f"{beside[0]}, held from close to close: {beside[1]:+.2%}"]
    context.emit(
        performance_json(found, gains if by is Part.SYMBOL else None, beside),
        lambda: out.print(performance_view(found, tables[by](), notes)),
        rows=worth_rows(found),
    )


def _benchmark(context: CommandContext, found: "Performance", symbol: str, data: Path | None) -> tuple[str, float]:
    """The benchmark's return between the same two days. Raises InvalidSettings where the data have no such close."""
    from alchemiser_cli.benchmark_closes import benchmark_closes

    closes = benchmark_closes(symbol, data, context.settings.home)

    def close(day: date) -> float:
        value = closes.get(day)
        if value is None:
            raise InvalidSettings(f"--benchmark {symbol}: the data have no close of {day}; give others with --data")
        return value

    return symbol, close(found.whole.until) / close(found.whole.since) - 1
