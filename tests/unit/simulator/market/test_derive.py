"""Bars derived from closes: they enclose open and close, and are the same everywhere and for ever."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemiser_simulator.market.derive import Bars, complete
from alchemiser_simulator.market.history import PriceHistory


@given(
    closes=st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=30),
    absent=st.sets(st.integers(0, 29)),
    name=st.text("ABC", min_size=1, max_size=4),
)
@settings(max_examples=60)
def test_derived_bars_enclose_open_and_close_and_repeat_exactly(
    closes: list[float], absent: set[int], name: str
) -> None:
    close = np.array([np.nan if row in absent else price for row, price in enumerate(closes)])
    nothing = np.full(len(close), np.nan)
    days = np.arange(len(close), dtype=np.int64) + 738_000
    bars = complete(name, days, Bars(nothing, nothing, nothing, close, nothing))
    there = ~np.isnan(close)
    assert (bars.low[there] > 0).all()
    assert (bars.low[there] <= np.minimum(bars.open, close)[there]).all()
    assert (bars.high[there] >= np.maximum(bars.open, close)[there]).all()
    assert (bars.volume[there] >= 1).all()
    again = complete(name, days, Bars(nothing, nothing, nothing, close, nothing))
    np.testing.assert_array_equal(bars.high, again.high)


def test_derivation_has_not_changed() -> None:
    """Recorded values: runs on any platform must reproduce them, or old state files no longer fit their data."""
    history = PriceHistory((date(2024, 1, 2), date(2024, 1, 3)), ("AAA",), np.array([[10.0], [10.4]]))
    found = [
        float(history.open[1, 0]),
        float(history.high[1, 0]),
        float(history.low[1, 0]),
        float(history.volume[1, 0]),
    ]
    assert found == [10.124462403299695, 10.594728669747958, 10.024064441780476, 1252894641.0]
