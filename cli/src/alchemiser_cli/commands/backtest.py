"""`alchemiser backtest`: what the strategies would have earned on a file of daily bars."""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.markup import escape

from alchemiser_cli.console import note, out, write_page
from alchemiser_cli.context import command
from alchemiser_cli.options import DAY, FirstSession, MarketData, StrategyNames
from alchemiser_cli.report import backtest_page, terminal
from alchemiser_cli.report.model import BacktestReport
from alchemiser_cli.research import PriceFile, Share, choose, symbols_of
from alchemiser_cli.share_actions import corporate_actions, market_with
from alchemiser_cli.simulated import Market, open_market
from alchemiser_common.errors import InvalidSettings
from alchemiser_strategy.backtest import Fill, run_backtest
from alchemiser_strategy.bars import Bools
from alchemiser_strategy.corporate_actions import CorporateActions
from alchemiser_strategy.strategy_history import strategy_history

app = typer.Typer()


@app.command()
def backtest(
    data: MarketData = None,
    strategy: StrategyNames = None,
    start: FirstSession = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=DAY, help="Last session.")] = None,
    costs: Annotated[float, typer.Option(help="Costs in basis points of what is traded.", min=0)] = 0.0,
    fill: Annotated[
        Fill, typer.Option(help="Fill at the next session's open, or (optimistic) at the close decided on.")
    ] = Fill.NEXT_OPEN,
    actions: Annotated[
        Path | None,
        typer.Option(
            help="JSON file with corporate actions of the market (docs/simulator.md has the kinds). Prices are then "
            "taken as they traded, and shares follow splits, dividends, new names, mergers, spin-offs and removals."
        ),
    ] = None,
    page: Annotated[Path, typer.Option(help="Where to write the HTML page.")] = Path("backtest.html"),
) -> None:
    """Evaluate the strategies on every day at once and print what holding their weights would have earned.

    History before the first session warms the indicators up; a day on which a strategy lacks data leaves its share
    in cash.
    """
    with command() as context:
        market = open_market(data, context.settings.home)
        if market.notice:
            note(market.notice)
        if actions is not None:
            market = market_with(market, actions)
        shares = choose(context.settings.strategies, strategy or [])
        span = (start.date() if start else None, end.date() if end else None)
        report = _backtest(
            market, shares, span, costs, fill, None if actions is None else corporate_actions(market.history)
        )
        write_page(page, backtest_page.render(report))
        out.print(terminal.backtest(report))
        out.print(f"Page: {escape(str(page))}")


def _backtest(
    market: Market,
    shares: Sequence[Share],
    span: tuple[date | None, date | None],
    costs: float,
    fill: Fill,
    actions: CorporateActions | None,
) -> BacktestReport:
    """The strategies on the market between two days (None: as early, as late as can be); `costs` in basis points.

    With `actions`, which are the market's, on prices as they traded.
    """
    prices = PriceFile(market.history)
    bars = prices.bars(symbols_of(shares))
    began = time.perf_counter()
    known = [strategy_history(share.strategy, bars).known for share in shares]
    first, last = _rows(bars.dates, known, span)
    # Each strategy begins at target on the first day, as it would if it were traded from then on.
    histories = [strategy_history(share.strategy, bars, bars.dates[first]).between(first, last) for share in shares]
    if actions is None:
        table = prices.prices(symbols_of(shares)).between(first, last)
    else:
        table = prices.traded_prices(actions.reachable(symbols_of(shares))).between(first, last)
    parts = [(history, share.fraction) for history, share in zip(histories, shares, strict=True)]
    result = run_backtest(parts, table, costs_bps=costs, fill=fill, actions=actions)
    note(f"{last - first} sessions computed in {time.perf_counter() - began:.2f} s")
    return BacktestReport(
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


def _rows(days: Sequence[date], known: Sequence[Bools], span: tuple[date | None, date | None]) -> tuple[int, int]:
    """Rows first..last (exclusive): from the first day given, or from the first on which every strategy decides."""
    start, end = span
    ready = max(int(np.argmax(one)) if one.any() else len(days) for one in known)
    first = bisect_left(days, start) if start else ready
    last = bisect_right(days, end) if end else len(days)
    if last - first < 2:
        enough = f"from {days[ready]} on" if ready < len(days) else "on no day"
        raise InvalidSettings(
            f"{max(last - first, 0)} sessions to simulate, at least 2 are needed: the data hold {days[0]} to "
            f"{days[-1]}, and all strategies have enough history {enough}; choose --from and --to accordingly"
        )
    return first, last
