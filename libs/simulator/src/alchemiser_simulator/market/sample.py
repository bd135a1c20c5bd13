"""The bundled sample market: a model for demonstrations and tests, never to be taken for market data."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files

from alchemiser_simulator.market.history import PriceHistory

SAMPLE_NOTICE = (
    "This sample market is a model, not market data. SPY, QQQ, IWM and EEM follow their real daily bars of 2016 to "
    "March 2021 (adjusted; derived from the sample data of QuantConnect LEAN, Apache-2.0). Every other symbol is its "
    "documented leverage and beta to those four plus its own seeded noise; its prices never traded. SOXL has a "
    "made-up 3:1 split on 2018-06-11, and XLP lacks a bar on 2021-03-24, both on purpose."
)


@cache
def sample_history() -> PriceHistory:
    """51 symbols from 2015-12-31 to 2021-03-31: the 49 of the built-in strategies, and IWM and EEM."""
    from alchemiser_simulator.market.history_reader import read_history

    with as_file(files("alchemiser_simulator") / "sample_market.parquet") as path:
        history = read_history(path)
    return PriceHistory(
        history.dates,
        history.symbols,
        history.close,
        given_open=history.given_open,
        given_high=history.given_high,
        given_low=history.given_low,
        given_volume=history.given_volume,
        splits=history.splits,
        source="bundled sample market",
    )
