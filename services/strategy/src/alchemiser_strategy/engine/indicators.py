"""Indicator values from closes or portfolio levels: every day at once, or the last day with what a small move would do.

Both ways run the same arithmetic, so the last day is the same bit for bit. NaN means unknown: fewer bars in a row,
up to and including that day, than the measure needs. The formulas are those of Composer's symphonies.
"""

from collections.abc import Iterable

import numpy as np

from alchemiser_strategy.bars import Bars, Bools, Floats
from alchemiser_strategy.engine import recursive, rolling
from alchemiser_strategy.engine.metrics import RECURSIVE, Measure, Metric

MOVE = 0.001
"""The move of a last close, up or down, that a sturdy decision survives."""

type Key = tuple[Measure, str]
"""A measure of a symbol."""
type Reading3 = tuple[float, float, float]
"""A value on the last day, and what it would be with that close moved up and down."""

_CHUNK = 64
"""Rows that go through a window formula together: few enough to stay in the processor's cache."""
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
    out: dict[Key, Floats] = {}
    strengths: list[Key] = []
    nothing = np.full(bars.days, np.nan)
    for measure, symbols in _by_measure(keys).items():
        out.update(((measure, symbol), nothing) for symbol in symbols if symbol not in bars.position)
        present = [symbol for symbol in symbols if symbol in bars.position]
        if measure.metric in {Metric.RSI, Metric.RSI_VOLATILITY}:
            strengths += [(measure, symbol) for symbol in present]
            continue
        for start in range(0, len(present), _CHUNK):
            some = present[start : start + _CHUNK]
            values = measured(measure, bars.rows[[bars.position[symbol] for symbol in some]])
            out.update(zip(((measure, symbol) for symbol in some), values, strict=True))
    for start in range(0, len(strengths), 4 * _CHUNK):
        some_keys = strengths[start : start + 4 * _CHUNK]
        levels = bars.rows[[bars.position[symbol] for _, symbol in some_keys]]
        windows = np.array([measure.windows[0] for measure, _ in some_keys], dtype=np.float64)
        rsi = recursive.strength(*recursive.wilder(levels, windows))
        for (measure, symbol), values, closes in zip(some_keys, rsi, levels, strict=True):
            value = _as_volatility(values) if measure.metric is Metric.RSI_VOLATILITY else values
            out[measure, symbol] = _where_known(value[None], closes[None], measure.bars_needed)[0]
    return out


class LastDay:
    """Measures of symbols on the last day only, each also for its close moved by MOVE up and down."""

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self._values: dict[Key, Reading3] = {}

    def prepare(self, keys: Iterable[Key]) -> None:
        """Compute what is not yet known, all symbols of a measure at once."""
        missing = [key for key in keys if key not in self._values]
        strengths: list[Key] = []
        for measure, symbols in _by_measure(missing).items():
            present: list[str] = []
            for symbol in symbols:
                if symbol in self.bars.position and self.bars.streak(symbol) >= measure.bars_needed:
                    present.append(symbol)
                else:
                    self._values[measure, symbol] = _UNKNOWN
            if measure.metric in {Metric.RSI, Metric.RSI_VOLATILITY}:
                strengths += [(measure, symbol) for symbol in present]
            elif present:
                self._windows(measure, present)
        if strengths:
            self._strengths(strengths)

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
        last = measured(measure, moved)[:, -1].reshape(3, count).T.tolist()
        for symbol, (base, up, down) in zip(symbols, last, strict=True):
            self._values[measure, symbol] = (base, up, down)

    def _strengths(self, keys: list[Key]) -> None:
        levels = self.bars.rows[[self.bars.position[symbol] for _, symbol in keys]]
        windows = np.array([measure.windows[0] for measure, _ in keys], dtype=np.float64)
        gains, losses = recursive.wilder(levels, windows)
        close, before = levels[:, -1], levels[:, -2]
        memory = 1.0 - 1.0 / windows
        last = [recursive.strength(gains[:, -1], losses[:, -1])]
        for factor in (1.0 + MOVE, 1.0 - MOVE):
            change = close * factor - before
            last.append(
                recursive.strength(
                    gains[:, -2] * memory + np.maximum(change, 0.0), losses[:, -2] * memory + np.maximum(-change, 0.0)
                )
            )
        together = np.array(last)
        rough = _as_volatility(together)
        for column, (measure, symbol) in enumerate(keys):
            source = rough if measure.metric is Metric.RSI_VOLATILITY else together
            base, up, down = source[:, column].tolist()
            self._values[measure, symbol] = (base, up, down)


def _by_measure(keys: Iterable[Key]) -> dict[Measure, list[str]]:
    groups: dict[Measure, list[str]] = {}
    for measure, symbol in keys:
        groups.setdefault(measure, []).append(symbol)
    return groups


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
    if measure.metric in {Metric.RSI, Metric.RSI_VOLATILITY}:
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
