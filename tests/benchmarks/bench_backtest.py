"""The default portfolio over every day since 2010: what `alchemiser backtest` computes, without reading and drawing."""

import sys
from bisect import bisect_left
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from alchemiser_strategy.backtest import Backtest, Fill, Part, Prices, run_backtest
from alchemiser_strategy.bars import Bars
from alchemiser_strategy.engine.history import held_history
from alchemiser_strategy.manager import MultiStrategyManager
from alchemiser_strategy.strategy import TreeStrategy
from benchmarks import market
from benchmarks.figures import Figure, milliseconds, of_processes, processes, publish, timed
from benchmarks.inputs import default_portfolio
from support.command import environment

SUBJECT = "backtest: default portfolio, every day since 2010 (or since the data begin)"
_FIRST = date(2010, 1, 1)


def figures() -> list[Figure]:
    """All of it, then its parts, then the command from start to page."""
    portfolio = default_portfolio()
    bars = market.prices().bars(tuple(portfolio.universe))
    first = bisect_left(bars.dates, _FIRST)
    bars = _from(bars, max(0, first - max(portfolio.universe.values())))
    first = bisect_left(bars.dates, _FIRST)
    prices = market.prices().prices(tuple(portfolio.universe))
    prices = prices.between(len(prices.closes) - bars.days, len(prices.closes))
    note = f"{bars.days - first:,} days, {len(bars.symbols)} symbols, {market.source()}"
    weigh: Callable[[], object] = partial(_weigh, portfolio, bars)
    whole = timed(partial(backtest, portfolio, bars, prices, first), 15, warm_ups=2)
    return [
        milliseconds(SUBJECT, "bars to equity", whole, aim=500, note=note),
        milliseconds(SUBJECT, "of which weights of every day", timed(weigh, 15)),
        *_command(),
    ]


def backtest(portfolio: MultiStrategyManager, bars: Bars, prices: Prices, first: int) -> Backtest:
    """Weigh every strategy on every day, net, and hold from row `first` on."""
    fresh = Bars(bars.dates, bars.symbols, bars.closes)
    parts = [(history.between(first, fresh.days), fraction) for history, fraction in _weigh(portfolio, fresh)]
    return run_backtest(parts, prices.between(first, fresh.days), fill=Fill.NEXT_CLOSE)


def _weigh(portfolio: MultiStrategyManager, bars: Bars) -> list[Part]:
    return [
        (held_history(part.strategy.symphony, bars), part.fraction)
        for part in portfolio.portfolio
        if isinstance(part.strategy, TreeStrategy)
    ]


def _from(bars: Bars, first: int) -> Bars:
    return Bars(bars.dates[first:], bars.symbols, bars.closes[first:])


def _command() -> list[Figure]:
    file = market.real_file()
    data = [] if file is None else ["--data", str(file), "--from", _FIRST.isoformat()]
    with TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("alchemiser")), "backtest", *data, "--page", "page.html"]
        runs = processes(command, Path(folder), environment(), 3)
    return of_processes(SUBJECT, "process: alchemiser backtest, page included", runs, time_aim=None, peak_aim=None)


if __name__ == "__main__":
    publish(figures())
