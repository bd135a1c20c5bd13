"""The closes of what an account is compared with, from price files."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from alchemiser_cli.backtesting import benchmark_prices
from alchemiser_cli.price_file import PriceFile
from alchemiser_cli.simulated import open_market


def benchmark_closes(symbol: str, data: Path | None, home: Path) -> Mapping[date, float]:
    """USD by day, of the days that have one. Raises InvalidSettings if the data lack the symbol."""
    history = open_market(data, home, invents=False).history
    prices = benchmark_prices(PriceFile(history), symbol)
    assert prices is not None  # noqa: S101 - a symbol was asked for
    closes = zip(history.dates, prices.closes[:, 0].tolist(), strict=True)
    return {day: float(close) for day, close in closes if close > 0}
