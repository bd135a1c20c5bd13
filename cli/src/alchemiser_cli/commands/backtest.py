"""`alchemiser backtest`: what the strategies would have earned on a file of daily bars."""

import os
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from alchemiser_cli.console import note, out, reported_errors
from alchemiser_cli.report import backtest_page, terminal
from alchemiser_cli.report.model import BacktestReport
from alchemiser_cli.research import PriceFile, choose, symbols_of
from alchemiser_cli.simulated import open_market
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.settings_files import read_settings
from alchemiser_strategy.backtest import Backtest, Fill, combine, run_backtest
from alchemiser_strategy.bars import Bars
from alchemiser_strategy.engine.history import History
from alchemiser_strategy.strategy_history import strategy_history

app = typer.Typer()


@app.command()
def backtest(
    data: Annotated[
        Path | None, typer.Option(help="Daily bars, Parquet or CSV; without it the bundled sample market, a model.")
    ] = None,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            help="Name or symphony file; repeat for several in equal parts. Default: the settings' portfolio."
        ),
    ] = None,
    start: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First session.")] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last session.")] = None,
    costs: Annotated[float, typer.Option(help="Costs in basis points of what is traded.", min=0)] = 0.0,
    fill: Annotated[
        Fill, typer.Option(help="Fill at the next session's open, or (optimistic) at the close decided on.")
    ] = Fill.NEXT_OPEN,
    page: Annotated[Path, typer.Option(help="Where to write the HTML page.")] = Path("backtest.html"),
) -> None:
    """Evaluate the strategies on every day at once and print what holding their weights would have earned.

    History before the first session warms the indicators up; a day on which a strategy lacks data leaves its share
    in cash.
    """
    with reported_errors():
        market = open_market(data)
        if market.notice:
            note(market.notice)
        shares = choose(read_settings(os.environ, Path.cwd()).settings.strategies, strategy or [])
        prices = PriceFile(market.history)
        bars = prices.bars(symbols_of(shares))
        began = time.perf_counter()
        histories = [(strategy_history(share.strategy, bars), share.fraction) for share in shares]
        first, last = _span(bars.dates, histories, start.date() if start else None, end.date() if end else None)
        result = _simulated(prices, bars, histories, first, last, costs, fill)
        note(f"{last - first} sessions computed in {time.perf_counter() - began:.2f} s")
        report = BacktestReport(
            title="Alchemiser backtest",
            strategies=tuple((share.strategy.name, share.fraction) for share in shares),
            days=result.days,
            equity=result.equity,
            weights=result.weights,
            symbols=result.symbols,
            costs_bps=costs,
            fill=fill.value,
            source=market.history.source,
            notice=market.notice,
            traded=result.turnover,
        )
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(backtest_page.render(report), encoding="utf-8")
        out.print(terminal.backtest(report))
        out.print(f"Page: {page}")


def _span(
    days: Sequence[date], histories: Sequence[tuple[History, float]], start: date | None, end: date | None
) -> tuple[int, int]:
    """Rows first..last (exclusive): from `start`, or from the first day that every strategy can be told."""
    told = [int(np.argmax(history.known)) if history.known.any() else len(days) for history, _ in histories]
    first = bisect_left(days, start) if start else max(told)
    last = bisect_right(days, end) if end else len(days)
    if last - first < 2:
        raise InvalidSettings(
            f"{max(last - first, 0)} sessions to simulate; the data hold {days[0]} to {days[-1]}, and the strategies "
            f"can all be told from {days[max(told)] if max(told) < len(days) else 'no day'} on"
        )
    return first, last


def _simulated(
    prices: PriceFile,
    bars: Bars,
    histories: Sequence[tuple[History, float]],
    first: int,
    last: int,
    costs: float,
    fill: Fill,
) -> Backtest:
    symbols, weights = combine(histories)
    table = prices.prices(symbols).between(first, last)
    return run_backtest(bars.dates[first:last], symbols, weights[first:last], table, costs_bps=costs, fill=fill)
