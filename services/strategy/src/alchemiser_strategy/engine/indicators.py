"""Indicator values from closes or portfolio levels: every day at once, or the last day with what a small move would do.

Both ways run the same arithmetic, so the last day is the same bit for bit. NaN means unknown: fewer bars in a row,
up to and including that day, than the measure needs. The formulas are those of Composer's symphonies.
"""

from collections.abc import Iterable, Sequence
from itertools import batched

import numpy as np

from alchemiser_strategy.bars import Bars, Bools, Floats
from alchemiser_strategy.engine import recursive, rolling
from alchemiser_strategy.engine.metrics import RECURSIVE, STRENGTH, Measure, Metric

MOVE = 0.001
"""The move of a last close, up or down, that a sturdy decision survives."""

type Key = tuple[Measure, str]
"""A measure of a symbol."""
type Reading3 = tuple[float, float, float]
"""A value on the last day, and what it would be with that close moved up and down."""

_CACHED = 200_000
"""Values that go through a formula together: few enough to stay in the processor's cache."""
_UNKNOWN: Reading3 = (np.nan, np.nan, np.nan)


def returns_of(levels: Floats) -> Floats:
    """Simple daily returns as fractions, NaN on the first day. (rows, days)."""
    out = np.empty_like(levels)
    out[:, :1] = np.nan
    np.divide(levels[:, 1:], levels[:, :-1], out=out[:, 1:])
    out[:, 1:] -= 1.0
    return out


def measured(measure: Measure, levels: Floats, returns: Floats | None = None) -> Floats:
    """One measure of every row on every day, (rows, days); NaN where a row lacks bars.

    `returns` are the rows' daily returns if they are at hand and not to be derived from the levels.
    """
    values = _recursive(measure, levels) if measure.metric in RECURSIVE else _windowed(measure, levels, returns)
    return _where_known(values, levels, measure.bars_needed)


def columns(bars: Bars, keys: Iterable[Key]) -> dict[Key, Floats]:
    """Measures of symbols on every day, (days,) each; all NaN for a symbol without bars."""
    nothing = np.full(bars.days, np.nan)
    present: list[Key] = []
    out: dict[Key, Floats] = {}
    for key in keys:
        if key[1] in bars.position:
            present.append(key)
        else:
            out[key] = nothing
    alone, strengths, averages = _families(present)
    size = max(1, _CACHED // bars.days)
    for measure, symbols in alone.items():
        for some in batched(symbols, size, strict=False):
            values = measured(measure, bars.rows[[bars.position[symbol] for symbol in some]])
            out.update(zip(((measure, symbol) for symbol in some), values, strict=True))
    for family in (strengths, averages):
        # An exponential average goes day by day: the more rows share that walk, the better.
        for some_keys in batched(family, size if family is strengths else 16 * size, strict=False):
            levels, windows = _together(bars, some_keys)
            if family is strengths:
                rows = recursive.strength(*recursive.wilder(levels, windows))
            else:
                rows = recursive.exponential(levels, windows)
            for key, values, closes in zip(some_keys, rows, levels, strict=True):
                value = _as_volatility(values) if key[0].metric is Metric.RSI_VOLATILITY else values
                out[key] = _where_known(value[None], closes[None], key[0].bars_needed)[0]
    return out


class LastDay:
    """Measures of symbols on the last day only, each also for its close moved by MOVE up and down."""

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self._values: dict[Key, Reading3] = {}

    def prepare(self, keys: Iterable[Key]) -> None:
        """Compute what is not yet known, all symbols of a measure at once."""
        present: list[Key] = []
        for key in keys:
            if key not in self._values:
                if self.bars.streak(key[1]) >= key[0].bars_needed:
                    present.append(key)
                else:
                    self._values[key] = _UNKNOWN
        alone, strengths, averages = _families(present)
        for measure, symbols in alone.items():
            self._windows(measure, symbols)
        for some in batched(strengths, max(1, _CACHED // self.bars.days), strict=False):
            self._strengths(some)
        if averages:
            self._averages(averages)

    def __getitem__(self, key: Key) -> Reading3:
        if key not in self._values:
            self.prepare([key])
        return self._values[key]

    def _windows(self, measure: Measure, symbols: list[str]) -> None:
        rows = self.bars.rows[[self.bars.position[symbol] for symbol in symbols]]
        tail = rows if measure.metric in RECURSIVE else rows[:, -measure.bars_needed :]
        moved = np.concatenate((tail, tail, tail))
        count = len(symbols)
        moved[count : 2 * count, -1] *= 1.0 + MOVE
        moved[2 * count :, -1] *= 1.0 - MOVE
        self._keep([(measure, symbol) for symbol in symbols], measured(measure, moved)[:, -1].reshape(3, count))

    def _strengths(self, keys: Sequence[Key]) -> None:
        levels, windows = _together(self.bars, keys)
        gains, losses = recursive.wilder(levels, windows)
        close, before = levels[:, -1], levels[:, -2]
        memory = 1.0 - 1.0 / windows
        last = [recursive.strength(gains[:, -1], losses[:, -1])]
        for factor in (1.0 + MOVE, 1.0 - MOVE):
            rise = close * factor - before
            gain = gains[:, -2] * memory + np.maximum(rise, 0.0)
            loss = losses[:, -2] * memory + np.maximum(-rise, 0.0)
            last.append(recursive.strength(gain, loss))
        values = np.array(last)
        rough = [measure.metric is Metric.RSI_VOLATILITY for measure, _ in keys]
        self._keep(keys, np.where(rough, _as_volatility(values), values))

    def _averages(self, keys: list[Key]) -> None:
        levels, windows = _together(self.bars, keys)
        averages = recursive.exponential(levels, windows)
        change = levels[:, -1] * MOVE * (2.0 / (windows + 1.0) if self.bars.days > 1 else 1.0)
        self._keep(keys, averages[:, -1] + np.array([np.zeros_like(change), change, -change]))

    def _keep(self, keys: Sequence[Key], values: Floats) -> None:
        """Remember values, (3, keys): as they are, moved up, moved down."""
        for key, (base, up, down) in zip(keys, values.T.tolist(), strict=True):
            self._values[key] = (base, up, down)


def _families(keys: Iterable[Key]) -> tuple[dict[Measure, list[str]], list[Key], list[Key]]:
    """Symbols by measure, but relative strengths and exponential averages of all windows together."""
    alone: dict[Measure, list[str]] = {}
    strengths: list[Key] = []
    averages: list[Key] = []
    for key in keys:
        if key[0].metric in STRENGTH:
            strengths.append(key)
        elif key[0].metric is Metric.EXPONENTIAL_MOVING_AVERAGE_PRICE:
            averages.append(key)
        else:
            alone.setdefault(key[0], []).append(key[1])
    return alone, strengths, averages


def _together(bars: Bars, keys: Sequence[Key]) -> tuple[Floats, Floats]:
    """The closes and the windows of some keys, one row each."""
    levels = bars.rows[[bars.position[symbol] for _, symbol in keys]]
    return levels, np.array([measure.windows[0] for measure, _ in keys], dtype=np.float64)


def _windowed(measure: Measure, levels: Floats, returns: Floats | None) -> Floats:
    metric = measure.metric
    window = measure.windows[0] if measure.windows else 1
    if metric is Metric.CURRENT_PRICE:
        return levels
    if metric is Metric.MOVING_AVERAGE_PRICE:
        return rolling.mean(levels, window)
    if metric is Metric.STDEV_PRICE:
        return rolling.deviation(levels, window)
    if metric is Metric.MAX_DRAWDOWN:
        return 100.0 * rolling.drawdown(levels, window)
    if metric is Metric.CUMULATIVE_RETURN:
        out = np.full(levels.shape, np.nan)
        out[:, window:] = (levels[:, window:] / levels[:, :-window] - 1.0) * 100.0
        return out
    daily = returns_of(levels) if returns is None else returns
    return 100.0 * (rolling.mean if metric is Metric.MOVING_AVERAGE_RETURN else rolling.deviation)(daily, window)


def _recursive(measure: Measure, levels: Floats) -> Floats:
    windows = [np.full(len(levels), float(window)) for window in measure.windows]
    if measure.metric is Metric.EXPONENTIAL_MOVING_AVERAGE_PRICE:
        return recursive.exponential(levels, windows[0])
    if measure.metric in STRENGTH:
        rsi = recursive.strength(*recursive.wilder(levels, windows[0]))
        return _as_volatility(rsi) if measure.metric is Metric.RSI_VOLATILITY else rsi
    fast, slow = recursive.exponential(levels, windows[0]), recursive.exponential(levels, windows[1])
    oscillator: Floats = (fast - slow) / slow * 100.0
    return recursive.exponential(oscillator, windows[2]) if measure.metric is Metric.PPO_SIGNAL else oscillator


def _as_volatility(rsi: Floats) -> Floats:
    """0.20 + 0.30 |50 - RSI| / 100."""
    return 0.20 + 0.30 * np.abs(50.0 - rsi) / 100.0


def _where_known(values: Floats, levels: Floats, needed: int) -> Floats:
    gap = np.isnan(levels)
    if not gap.any():
        if needed <= 1:
            return values
        out = values.copy()
        out[:, : needed - 1] = np.nan
        return out
    known: Bools = streaks(gap) >= needed
    return np.where(known, values, np.nan)


def streaks(gap: Bools) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """How many bars in a row each row has up to each day, from where its gaps are. (rows, days)."""
    days = np.arange(gap.shape[1])
    return days - np.maximum.accumulate(np.where(gap, days, -1), axis=1)
