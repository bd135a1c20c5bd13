"""The bundled sample market: says what it is, covers the built-in strategies, and holds its two traps."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import numpy as np
import pyarrow.parquet as pq

from alchemiser_simulator import SAMPLE_NOTICE, sample_history

UNIVERSE = """
AGG BIL BND BSV BTAL BWXT EXC FAS FNGU FTLS IEF IOO KMLM LABD LABU LEU NLR OKLO PSQ QQQ QQQE RETL SMR SOXL SPLV SPXL SPY
SQQQ SSO SVIX SVXY TECL TLT TQQQ TZA UPRO UUP UVXY VIXM VIXY VOOG VOOV VOX VTV VXX XLF XLK XLP XLY
"""


def test_it_says_on_its_face_that_it_is_a_model() -> None:
    file = files("alchemiser_simulator") / "sample_market.parquet"
    with file.open("rb") as stream:
        metadata = pq.ParquetFile(stream).schema_arrow.metadata or {}
    readme = (files("alchemiser_simulator") / "README.md").read_text()
    assert metadata[b"notice"].decode() == SAMPLE_NOTICE
    for text in (SAMPLE_NOTICE, readme):
        assert "not market data" in text
        assert "LEAN" in text
    assert len(file.read_bytes()) < 1_000_000


def test_it_covers_every_symbol_of_the_built_in_strategies_at_sensible_prices() -> None:
    history = sample_history()
    assert set(UNIVERSE.split()) <= set(history.symbols)
    assert history.derived == ""
    assert np.nanmin(history.low) > 1.0
    assert np.nanmax(history.high) < 20_000.0
    there = ~np.isnan(history.close)
    assert (history.low[there] <= np.minimum(history.open, history.close)[there]).all()
    assert (history.high[there] >= np.maximum(history.open, history.close)[there]).all()


def test_the_one_split_is_raw_in_the_closes_and_gone_when_adjusted() -> None:
    history = sample_history()
    (split,) = history.splits
    row = history.dates.index(split.day)
    close = history.bars(split.symbol).close
    adjusted = close / history.split_factors(split.symbol, split.day)
    assert close[row] / close[row - 1] < 0.5
    assert 0.8 < adjusted[row] / adjusted[row - 1] < 1.25
    assert (history.split_factors(split.symbol, history.dates[row - 1]) == 1.0).all(), "a split shows before its day"
    assert split.day < date(2019, 10, 1), "the split must lie before the last 18 months"


def test_the_one_missing_bar_lies_near_the_end() -> None:
    history = sample_history()
    gaps = np.argwhere(np.isnan(history.close))
    assert [(history.symbols[column], history.dates[row]) for row, column in gaps] == [("XLP", date(2021, 3, 24))]


def test_leveraged_funds_follow_their_underlying() -> None:
    history = sample_history()

    def returns(symbol: str) -> np.ndarray:
        close = history.bars(symbol).close
        return close[1:] / close[:-1] - 1.0

    for fund, leverage in (("TQQQ", 3), ("SQQQ", -3), ("PSQ", -1)):
        slope = np.polyfit(returns("QQQ"), returns(fund), 1)[0]
        assert abs(slope - leverage) < 0.05, f"{fund} moves {slope:.2f} times QQQ, not {leverage}"
    assert np.corrcoef(returns("UVXY"), returns("SPY"))[0, 1] < -0.7
