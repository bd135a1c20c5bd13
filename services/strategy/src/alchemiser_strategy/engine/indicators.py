"""Indicator values from closes or portfolio levels: every day at once, or the last day with what a small move would do.

Both ways run the same arithmetic, so the last day is the same bit for bit. NaN means unknown: fewer bars in a row,
up to and including that day, than the measure needs.
"""

from collections.abc import Iterable, Sequence
from itertools import batched

import numpy as np

from alchemiser_strategy.bars import Bars, Bools, Floats
from alchemiser_strategy.engine.formulas import Batched, Series
from alchemiser_strategy.engine.metrics import Measure
from alchemiser_strategy.engine.recursive import Recursion

MOVE = 0.001
"""The move of a last close, up or down, that a decision survives unless it is fragile. A fraction."""

type Key = tuple[Measure, str]
"""A measure of a symbol."""
type LastValues = tuple[float, float, float]
"""A value on the last day, and what it would be with that close moved up and down."""
type _Row = tuple[Key, Batched]
"""A symbol's measure that is computed in a batch, and its formula."""

_CACHED = 200_000
"""Values that go through a formula together: few enough to stay in the processor's cache."""
_MANY = 16
"""How many times as many rows share a walk through the days, which costs the more the fewer they are."""
_UNKNOWN: LastValues = (np.nan, np.nan, np.nan)


def measured(measure: Measure, levels: Floats, returns: Floats | None = None) -> Floats:
    """One measure of every row on every day, (rows, days); NaN where a row lacks bars.

    `levels` are closes in USD or portfolio levels, (rows, days); `returns` are the rows' daily returns as fractions
    if they are at hand and not to be derived from the levels.
    """
    values = measure.metric.formula(Series(levels, returns), measure.windows)
    return _where_known(values, levels, measure.bars_needed)


def values_of_all_days(bars: Bars, keys: Iterable[Key]) -> dict[Key, Floats]:
    """Measures of symbols on every day, (days,) each; all NaN for a symbol without bars."""
    nothing = np.full(bars.days, np.nan)
    present: list[Key] = []
    out: dict[Key, Floats] = {}
    for key in keys:
        if key[1] in bars.position:
            present.append(key)
        else:
            out[key] = nothing
    alone, together = _grouped(present)
    for measure, symbols in alone.items():
        for some in batched(symbols, _rows_at_once(bars), strict=False):
            values = measured(measure, bars.rows[[bars.position[symbol] for symbol in some]])
            out.update(zip(((measure, symbol) for symbol in some), values, strict=True))
    for recursion, family in together.items():
        for some_keys in batched(family, _rows_at_once(bars, recursion), strict=False):
            levels, windows = _rows_of(bars, some_keys)
            rows = recursion.every_day(levels, windows)
            for (key, formula), values, closes in zip(some_keys, rows, levels, strict=True):
                value = values if formula.finish is None else formula.finish(values)
                out[key] = _where_known(value[None], closes[None], key[0].bars_needed)[0]
    return out


class LastDay:
    """Measures of symbols on the last day only, each also for its close moved by MOVE up and down.

    A value is worked out once, when it is first asked for; `prepare` does many together, which is much faster. A
    symbol without enough bars, or without any, has NaN three times.
    """

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self._values: dict[Key, LastValues] = {}

    def prepare(self, keys: Iterable[Key]) -> None:
        """Compute what is not yet known, all symbols of a measure at once."""
        present: list[Key] = []
        for key in keys:
            if key not in self._values:
                if self.bars.streak(key[1]) >= key[0].bars_needed:
                    present.append(key)
                else:
                    self._values[key] = _UNKNOWN
        alone, together = _grouped(present)
        for measure, symbols in alone.items():
            self._alone(measure, symbols)
        for recursion, family in together.items():
            for some in batched(family, _rows_at_once(self.bars, recursion), strict=False):
                self._together(recursion, some)

    def __getitem__(self, key: Key) -> LastValues:
        if key not in self._values:
            self.prepare([key])
        return self._values[key]

    def _alone(self, measure: Measure, symbols: list[str]) -> None:
        """One measure of several symbols: as they are, moved up and moved down, stacked into (3 symbols, bars)."""
        rows = self.bars.rows[[self.bars.position[symbol] for symbol in symbols]]
        tail = rows if measure.metric.settled is not None else rows[:, -measure.bars_needed :]
        moved = np.concatenate((tail, tail, tail))
        count = len(symbols)
        moved[count : 2 * count, -1] *= 1.0 + MOVE
        moved[2 * count :, -1] *= 1.0 - MOVE
        self._keep([(measure, symbol) for symbol in symbols], measured(measure, moved)[:, -1].reshape(3, count))

    def _together(self, recursion: Recursion, some: Sequence[_Row]) -> None:
        """Measures that share a recursion, whatever their windows."""
        levels, windows = _rows_of(self.bars, some)
        values = recursion.last_day(levels, windows, MOVE)
        for column, (_, formula) in enumerate(some):
            if formula.finish is not None:
                values[:, column] = formula.finish(values[:, column])
        self._keep([key for key, _ in some], values)

    def _keep(self, keys: Sequence[Key], values: Floats) -> None:
        """Remember values, (3, keys): as they are, moved up, moved down."""
        for key, (base, up, down) in zip(keys, values.T.tolist(), strict=True):
            self._values[key] = (base, up, down)


def _grouped(keys: Iterable[Key]) -> tuple[dict[Measure, list[str]], dict[Recursion, list[_Row]]]:
    """Symbols by measure, but what shares a recursion together, whatever its windows."""
    alone: dict[Measure, list[str]] = {}
    together: dict[Recursion, list[_Row]] = {}
    for key in keys:
        formula = key[0].metric.formula
        if isinstance(formula, Batched):
            together.setdefault(formula.recursion, []).append((key, formula))
        else:
            alone.setdefault(key[0], []).append(key[1])
    return alone, together


def _rows_at_once(bars: Bars, recursion: Recursion | None = None) -> int:
    rows = max(1, _CACHED // bars.days)
    return _MANY * rows if recursion is not None and recursion.day_by_day else rows


def _rows_of(bars: Bars, some: Sequence[_Row]) -> tuple[Floats, Floats]:
    """The closes, (rows, days), and the windows, (rows,), of some keys, one row each."""
    levels = bars.rows[[bars.position[symbol] for (_, symbol), _ in some]]
    return levels, np.array([measure.windows[0] for (measure, _), _ in some], dtype=np.float64)


def _where_known(values: Floats, levels: Floats, needed: int) -> Floats:
    """The values where `levels` have `needed` bars in a row up to that day, NaN elsewhere. (rows, days)."""
    gap = np.isnan(levels)
    if not gap.any():
        if needed <= 1:
            return values
        out = values.copy()
        out[:, : needed - 1] = np.nan
        return out
    known: Bools = _streaks(gap) >= needed
    return np.where(known, values, np.nan)


def _streaks(gap: Bools) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """How many bars in a row each row has up to each day, from where its gaps are. (rows, days)."""
    days = np.arange(gap.shape[1])
    return days - np.maximum.accumulate(np.where(gap, days, -1), axis=1)
