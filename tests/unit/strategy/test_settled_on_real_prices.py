"""On twenty years of real prices: what is decided on the bars that a rule asks for is what all of history decides."""

import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from alchemiser_cli.price_file import PriceFile
from alchemiser_strategy.bars import Bars
from alchemiser_strategy.engine.explain import explain
from alchemiser_strategy.engine.history import history
from alchemiser_strategy.engine.nodes import Symphony
from alchemiser_strategy.parsers import parse_symphony
from alchemiser_strategy.strategy import TreeStrategy
from support.price_files import real_prices

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif("ALCHEMISER_MARKET_DATA" not in os.environ, reason="ALCHEMISER_MARKET_DATA is not set"),
]
TREND = """(if (> (current-price "SPY") (exponential-moving-average-price "SPY" {:window 200}))
 [(asset "SPY")] [(asset "TLT")])"""
STRENGTH = '(if (> (rsi "SPY" {:window WINDOW}) 50) [(asset "SPY")] [(asset "TLT")])'


@pytest.fixture(scope="module")
def bars() -> Bars:
    panel = Path(os.environ["ALCHEMISER_MARKET_DATA"]) / "adjclose_wide_2000_2026.parquet"
    return PriceFile(real_prices(panel)).bars(("SPY", "TLT"))


def on_loaded_bars(symphony: Symphony, bars: Bars, day: int) -> dict[str, float]:
    """What the line decides on that day's close: every symbol from where its need begins."""
    closes = bars.closes[: day + 1].copy()
    for symbol, count in TreeStrategy(symphony).universe.items():
        closes[: max(0, day + 1 - count), bars.symbols.index(symbol)] = np.nan
    seen = Bars(bars.dates[: day + 1], bars.symbols, closes)
    return dict(explain(symphony, seen).weights or {})


@pytest.mark.parametrize("text", [TREND, STRENGTH.replace("WINDOW", "100")], ids=["ema(200)", "rsi(100)"])
def test_the_19th_of_april_2005(bars: Bars, text: str) -> None:
    """A year of bars, as was loaded once, says otherwise than all of history; what is asked for now does not."""
    symphony, day = parse_symphony(text), bars.dates.index(date(2005, 4, 19))
    whole = explain(symphony, bars.until(day + 1))
    year = slice(day + 1 - 252, day + 1)
    young = explain(symphony, Bars(bars.dates[year], bars.symbols, bars.closes[year]))
    assert on_loaded_bars(symphony, bars, day) == whole.weights
    assert young.weights != whole.weights
    assert young.explanation.unsettled, "what is decided on too few bars is marked"


@pytest.mark.parametrize("text", [TREND, STRENGTH.replace("WINDOW", "100"), STRENGTH.replace("WINDOW", "200")])
def test_no_day_is_decided_otherwise_than_by_all_of_history(bars: Bars, text: str) -> None:
    symphony = parse_symphony(text)
    past = history(symphony, bars)
    needed = max(TreeStrategy(symphony).universe.values())
    for day in range(needed + 200, bars.days, 7):
        row = {s: float(w) for s, w in zip(past.symbols, past.weights[day], strict=True) if w > 0}
        assert on_loaded_bars(symphony, bars, day) == row, bars.dates[day]
