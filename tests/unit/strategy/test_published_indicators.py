"""Indicators against tables that others have published: numbers of StockCharts, Tulip Indicators and TA-Lib."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from alchemiser_strategy.engine.indicators import LastDay, values_of_all_days
from alchemiser_strategy.engine.metrics import Windows, measure
from unit.strategy.cases import bars_of

STOCKCHARTS = [
    44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931, 46.0328, 45.6140,
    46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439, 46.2122, 46.2521, 45.7137, 46.4515, 45.7835, 45.3548,
    44.0288, 44.1783, 44.2181, 44.5672, 43.4205, 42.6628, 43.1314,
]  # fmt: skip
"""QQQQ, from the relative strength index page of StockCharts' ChartSchool."""
TULIP = [81.59, 81.06, 82.87, 83.00, 83.61, 83.15, 82.84, 83.99, 84.55, 84.36, 85.53, 86.54, 86.89, 87.77, 87.29]
"""From the tests of Tulip Indicators."""
TA_LIB = [
    91.5, 94.815, 94.375, 95.095, 93.78, 94.625, 92.53, 92.75, 90.315, 92.47, 96.125, 97.25, 98.5, 89.875, 91.0, 92.815,
    89.155,
]  # fmt: skip
"""The first closes of the regression test of TA-Lib, which compares within a hundredth."""

PUBLISHED = [
    ("rsi", 14, STOCKCHARTS, 0.005,
     [70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42, 39.99, 41.46, 41.87, 45.46,
      37.30, 33.08, 37.77]),
    ("rsi", 5, TULIP, 0.0005, [72.034, 64.927, 75.936, 79.796, 74.713, 83.033, 87.478, 88.755, 91.483, 78.498]),
    ("exponential-moving-average-price", 5, TULIP, 0.0005,
     [82.714, 82.859, 82.853, 83.232, 83.671, 83.901, 84.444, 85.143, 85.725, 86.407, 86.701]),
    ("moving-average-price", 5, TULIP, 0.0005,
     [82.426, 82.738, 83.094, 83.318, 83.628, 83.778, 84.254, 84.994, 85.574, 86.218, 86.804]),
    ("percentage-price-oscillator", {"short-window": 2, "long-window": 5}, TULIP, 0.0005,
     [0.747, 0.424, 0.134, 0.500, 0.691, 0.503, 0.810, 1.088, 1.040, 1.133, 0.716]),
    ("rsi", 14, TA_LIB, 0.01, [49.14, 52.32, 46.07]),
]  # fmt: skip


@pytest.mark.parametrize(("metric", "windows", "closes", "within", "published"), PUBLISHED)
def test_an_indicator_has_the_values_that_others_publish_on_every_day(
    metric: str, windows: Windows, closes: Sequence[float], within: float, published: Sequence[float]
) -> None:
    what = measure(metric, windows)
    values = values_of_all_days(bars_of({"X": closes}), [(what, "X")])[what, "X"]
    assert np.flatnonzero(~np.isnan(values))[0] == len(closes) - len(published), "known from the first published day on"
    assert values[-len(published) :] == pytest.approx(published, abs=within + 1e-9)
    for days in range(len(closes) - len(published) + 1, len(closes) + 1):
        last = LastDay(bars_of({"X": closes[:days]}))[what, "X"][0]
        assert last == pytest.approx(values[days - 1], rel=1e-12), "one day alone says the same"


@pytest.mark.parametrize(("metric", "window"), [("rsi", 10), ("rsi", 100), ("rsi-zero-seed", 21)])
@pytest.mark.parametrize("seed", range(3))
def test_a_settled_strength_hardly_feels_where_its_history_begins(metric: str, window: int, seed: int) -> None:
    what = measure(metric, window)
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, 4000)))
    whole, loaded = (LastDay(bars_of({"X": part}))[what, "X"][0] for part in (closes, closes[-what.bars_wanted :]))
    assert loaded == pytest.approx(whole, abs=1e-4)
    young = LastDay(bars_of({"X": closes[-what.bars_needed :]}))[what, "X"][0]
    assert abs(young - whole) > 100 * abs(loaded - whole), "with the fewest bars that it can do with it does"


def test_about_as_many_bars_are_loaded_as_the_seed_takes_to_fade() -> None:
    for window in (10, 14, 100, 200):
        assert 14 * window <= measure("rsi", window).bars_wanted <= 15 * window + 3
        assert 6.5 * window <= measure("exponential-moving-average-price", window).bars_wanted <= 7.2 * window + 8
    assert measure("rsi", 1).bars_wanted == 2
    assert measure("moving-average-price", 751).bars_wanted == 751


def test_a_gap_before_the_first_bar_changes_no_strength() -> None:
    what = measure("rsi", 14)
    late = [math.nan] * 40 + STOCKCHARTS
    alone = LastDay(bars_of({"X": STOCKCHARTS}))[what, "X"][0]
    assert LastDay(bars_of({"X": late}))[what, "X"][0] == pytest.approx(alone, rel=1e-14)
