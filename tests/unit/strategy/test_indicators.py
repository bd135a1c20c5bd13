"""Indicators equal the plainest arithmetic on every day, at any price level, and are unknown with too few bars."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemiser_strategy.bars import Bars
from alchemiser_strategy.engine.indicators import MOVE, LastDay, values_of_all_days
from alchemiser_strategy.engine.metrics import METRICS, Measure, Metric, measure
from alchemiser_strategy.errors import StrategyError
from unit.strategy import arithmetic
from unit.strategy.cases import bars_of, sessions


def measure_of(metric: Metric, windows: tuple[int, int, int]) -> Measure:
    options = zip(metric.options, windows, strict=False)
    return measure(metric.name, {option.name: max(option.least, window) for option, window in options})


windows = st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9))
levels = st.sampled_from([1e-8, 0.01, 100.0, 1e8])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(METRICS.values())), windows, levels, st.integers(0, 10_000), st.integers(1, 150))
def test_every_metric_equals_plain_arithmetic_on_every_day(
    metric: Metric, lengths: tuple[int, int, int], level: float, seed: int, days: int
) -> None:
    rng = np.random.default_rng(seed)
    closes = level * np.exp(np.cumsum(rng.normal(0, 0.02, days)))
    what = measure_of(metric, lengths)
    values = values_of_all_days(bars_of({"X": closes}), [(what, "X")])[what, "X"]
    for day in {0, days // 3, what.bars_needed - 2, what.bars_needed - 1, days - 1} & set(range(days)):
        expected = arithmetic.value(metric.name, closes[: day + 1].tolist(), *what.windows)
        assert values[day] == pytest.approx(expected, rel=1e-9, abs=1e-10, nan_ok=True), f"{what} on day {day}"
        assert math.isnan(values[day]) == (day + 1 < what.bars_needed), "unknown exactly with too few bars"


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(list(METRICS.values())), windows, st.integers(0, 10_000), st.integers(2, 120))
def test_the_last_day_alone_is_the_last_of_all_days_and_knows_what_a_small_move_does(
    metric: Metric, lengths: tuple[int, int, int], seed: int, days: int
) -> None:
    rng = np.random.default_rng(seed)
    closes = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (days, 9)), axis=0))
    closes[: days // 2, 0] = np.nan
    names = tuple("ABCDEFGHI")
    bars = Bars(sessions(days), names, closes)
    what = measure_of(metric, lengths)
    every = values_of_all_days(bars, [(what, name) for name in names])
    last = LastDay(bars)
    last.prepare([(what, name) for name in (*names, "ABSENT")])
    assert math.isnan(last[what, "ABSENT"][0])
    for name in names:
        assert last[what, name][0] == every[what, name][-1] or math.isnan(every[what, name][-1])
        for direction, factor in ((1, 1 + MOVE), (2, 1 - MOVE)):
            pushed = bars.closes.copy()
            pushed[-1, bars.position[name]] *= factor
            moved = values_of_all_days(Bars(bars.dates, names, pushed), [(what, name)])[what, name][-1]
            assert last[what, name][direction] == pytest.approx(moved, rel=1e-9, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("close", [1e-8, 0.1, 33.33, 1e8])
def test_a_constant_price_has_its_own_mean_no_spread_and_a_neutral_strength(close: float) -> None:
    bars = bars_of({"X": [close] * 300})
    expected = {
        "moving-average-price": close,
        "exponential-moving-average-price": close,
        "stdev-return": 0.0,
        "stdev-price": 0.0,
        "max-drawdown": 0.0,
        "cumulative-return": 0.0,
        "moving-average-return": 0.0,
        "rsi": 50.0,
        "rsi-volatility": 0.2,
        "percentage-price-oscillator": 0.0,
    }
    for name, value in expected.items():
        assert LastDay(bars)[measure(name), "X"][0] == value, name


def test_a_gap_makes_a_reading_unknown_until_there_are_enough_bars_again() -> None:
    closes = np.linspace(10, 20, 30)
    closes[12] = np.nan
    keys = [(measure("moving-average-price", 4), "X"), (measure("rsi", 4), "X")]
    average, strength = values_of_all_days(bars_of({"X": closes}), keys).values()
    assert np.flatnonzero(np.isnan(average)).tolist() == [0, 1, 2, 12, 13, 14, 15]
    assert np.flatnonzero(np.isnan(strength)).tolist() == [0, 1, 2, 3, 12, 13, 14, 15, 16]


def test_prices_that_are_none_count_as_no_bar() -> None:
    bars = bars_of({"X": [1.0, 0.0, -3.0, math.inf, 5.0]})
    assert np.isnan(bars.of("X")).tolist() == [False, True, True, True, False]
    assert (bars.streak("X"), bars.streak("ABSENT")) == (1, 0)


@pytest.mark.parametrize(
    ("dates", "symbols", "shape", "complaint"),
    [
        (sessions(3), ("A", "B"), (3, 1), "dates and symbols want"),
        ((), (), (0, 0), "dates and symbols want"),
        (sessions(2)[::-1], ("A",), (2, 1), "ascend"),
        (sessions(2), ("A", "A"), (2, 2), "must not repeat"),
    ],
)
def test_bars_that_do_not_fit_are_refused(
    dates: tuple[object, ...], symbols: tuple[str, ...], shape: tuple[int, int], complaint: str
) -> None:
    with pytest.raises(StrategyError, match=complaint):
        Bars(dates, symbols, np.ones(shape))  # type: ignore[arg-type]
