"""The formulas of the metrics: the levels of symbols or portfolios in, the metric's value on every day out. Pure.

A formula says what a value is; from which day on it may be used is the metric's warm-up and is not decided here. The
formulas are those of Composer's symphonies.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from alchemiser_strategy.bars import Floats
from alchemiser_strategy.engine import recursive, rolling


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """What a formula reads: closes in USD or portfolio levels, (rows, days) float64, NaN where there is no bar."""

    levels: Floats
    given_returns: Floats | None = None
    """Daily returns as fractions, of the same shape, where they are at hand and not to be derived from the levels."""

    @property
    def returns(self) -> Floats:
        """Simple daily returns as fractions, (rows, days)."""
        return returns_of(self.levels) if self.given_returns is None else self.given_returns


type Formula = Callable[[Series, Sequence[int]], Floats]
"""A series and the metric's windows in sessions, in the order of its options, to values of the series' shape."""


@dataclass(frozen=True, slots=True, eq=False)
class Batched:
    """A recursion with one window as a formula: all symbols and windows of one recursion go through it in one batch.

    A value rests on its own row and window alone, so the company it is computed in changes no bit of it.
    """

    recursion: recursive.Recursion
    finish: Callable[[Floats], Floats] | None = None
    """What becomes of the recursion's values, element by element; None leaves them."""

    def __call__(self, series: Series, windows: Sequence[int]) -> Floats:
        """The formula as any other: the same window for every row."""
        values = self.recursion.every_day(series.levels, np.full(len(series.levels), float(windows[0])))
        return values if self.finish is None else self.finish(values)


def returns_of(levels: Floats) -> Floats:
    """Simple daily returns as fractions, NaN on the first day. (rows, days)."""
    out = np.empty_like(levels)
    out[:, :1] = np.nan
    np.divide(levels[:, 1:], levels[:, :-1], out=out[:, 1:])
    out[:, 1:] -= 1.0
    return out


def price(series: Series, _windows: Sequence[int]) -> Floats:
    """The level itself."""
    return series.levels


def mean_price(series: Series, windows: Sequence[int]) -> Floats:
    """Arithmetic mean of N levels."""
    return rolling.mean(series.levels, windows[0])


def price_deviation(series: Series, windows: Sequence[int]) -> Floats:
    """Sample standard deviation of N levels."""
    return rolling.deviation(series.levels, windows[0])


def max_drawdown(series: Series, windows: Sequence[int]) -> Floats:
    """Largest fall from a peak to a later level within N levels, positive percent of the peak."""
    return 100.0 * rolling.drawdown(series.levels, windows[0])


def cumulative_return(series: Series, windows: Sequence[int]) -> Floats:
    """The level against that of N sessions before, percent."""
    (window,) = windows
    out = np.full(series.levels.shape, np.nan)
    out[:, window:] = (series.levels[:, window:] / series.levels[:, :-window] - 1.0) * 100.0
    return out


def mean_return(series: Series, windows: Sequence[int]) -> Floats:
    """Arithmetic mean of N daily returns, percent."""
    return 100.0 * rolling.mean(series.returns, windows[0])


def return_deviation(series: Series, windows: Sequence[int]) -> Floats:
    """Sample standard deviation of N daily returns, percent, not annualised."""
    return 100.0 * rolling.deviation(series.returns, windows[0])


def oscillator(series: Series, windows: Sequence[int]) -> Floats:
    """Difference of two exponential averages in percent of the second (Appel's percentage price oscillator)."""
    fast, slow = (recursive.exponential(series.levels, _each_row(series, window)) for window in windows[:2])
    difference: Floats = (fast - slow) / slow * 100.0
    return difference


def oscillator_signal(series: Series, windows: Sequence[int]) -> Floats:
    """The oscillator's exponential average over the third window."""
    return recursive.exponential(oscillator(series, windows), _each_row(series, windows[2]))


def strength_as_volatility(rsi: Floats) -> Floats:
    """0.20 + 0.30 |50 - RSI| / 100: the nuclear strategy's stand-in for a volatility."""
    return 0.20 + 0.30 * np.abs(50.0 - rsi) / 100.0


def _each_row(series: Series, window: int) -> Floats:
    return np.full(len(series.levels), float(window))
