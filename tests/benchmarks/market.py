"""Prices for the benchmarks: real closes where ALCHEMISER_MARKET_DATA names them, otherwise the bundled sample market,
which is a model; and seeded random closes of any size.
"""

import os
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from alchemiser_cli.price_file import PriceFile
from alchemiser_simulator import sample_history
from alchemiser_strategy.bars import Bars, Floats
from support.price_files import real_prices

_FILE = "adjclose_wide_2000_2026.parquet"
_NOT_BUILT_IN = {"IWM", "EEM"}


def real_file() -> Path | None:
    """The file of real closes, if there is one."""
    folder = os.environ.get("ALCHEMISER_MARKET_DATA")
    path = Path(folder) / _FILE if folder else None
    return path if path is not None and path.is_file() else None


@cache
def prices() -> PriceFile:
    """Real or sample prices."""
    path = real_file()
    return PriceFile(sample_history() if path is None else real_prices(path))


def source() -> str:
    """What the figures must say about their data."""
    return "real closes" if real_file() else "bundled sample market (a model)"


def built_in_symbols() -> tuple[str, ...]:
    """The 49 symbols that the built-in strategies fetch."""
    return tuple(symbol for symbol in sample_history().symbols if symbol not in _NOT_BUILT_IN)


def last_complete(symbols: Sequence[str], days: int) -> Bars:
    """The most recent `days` sessions (or as many as there are) that hold a bar of every symbol."""
    bars = prices().bars(symbols)
    whole = np.isfinite(bars.closes).all(axis=1)
    last = int(np.flatnonzero(whole)[-1]) + 1
    while True:
        first = max(0, last - days)
        gaps = np.flatnonzero(~whole[first:last])
        if not gaps.size or (first == 0 and gaps[-1] < last // 2):
            first = first if not gaps.size else int(gaps[-1]) + 1
            return Bars(bars.dates[first:last], bars.symbols, bars.closes[first:last])
        last = first + int(gaps[-1])


def random_bars(symbols: Sequence[str], days: int, seed: int = 1) -> Bars:
    """Random walks that differ by symbol and end on 2026-07-31; weekdays are the sessions."""
    chance = np.random.Generator(np.random.PCG64(seed))
    steps = chance.standard_normal((days, len(symbols))) * chance.uniform(0.005, 0.03, len(symbols)) + 0.0003
    closes: Floats = 100 * np.exp(np.cumsum(steps, axis=0))
    return Bars(weekdays(days), tuple(symbols), closes)


def weekdays(count: int) -> list[date]:
    """That many weekdays up to 2026-07-31, oldest first."""
    day, found = date(2026, 7, 31), list[date]()
    while len(found) < count:
        if day.weekday() < 5:
            found.append(day)
        day -= timedelta(days=1)
    return found[::-1]


def names(count: int) -> list[str]:
    """Made-up symbols."""
    return [f"S{number:04}" for number in range(count)]
