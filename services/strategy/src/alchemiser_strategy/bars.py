"""Closes as the engine reads them: dates, symbols and one float64 matrix, NaN where a symbol has no bar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from alchemiser_strategy.errors import StrategyError

type Floats = NDArray[np.float64]
type Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Adjusted daily closes of several symbols over common sessions.

    `closes` is (days, symbols) float64 in USD, oldest first; what is not a positive finite number counts as no bar.
    Invariants: at least one day, dates ascend without repeats, no symbol is there twice; StrategyError is raised for
    anything else.
    """

    dates: Sequence[date]
    symbols: tuple[str, ...]
    closes: Floats
    position: Mapping[str, int] = field(init=False, repr=False)
    rows: Floats = field(init=False, repr=False)
    """The closes by symbol: (symbols, days), contiguous, NaN where there is no bar."""
    _streaks: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.closes.shape != (len(self.dates), len(self.symbols)) or not self.dates:
            raise StrategyError(
                f"closes are {self.closes.shape}; dates and symbols want ({len(self.dates)}, {len(self.symbols)})"
            )
        if any(later <= earlier for earlier, later in zip(self.dates, self.dates[1:], strict=False)):
            raise StrategyError("dates of bars must ascend without repeats")
        position = {symbol: column for column, symbol in enumerate(self.symbols)}
        if len(position) != len(self.symbols):
            raise StrategyError("symbols of bars must not repeat")
        rows = np.ascontiguousarray(self.closes.T, dtype=np.float64)
        usable = np.isfinite(rows) & (rows > 0)
        if not usable.all():
            rows = np.where(usable, rows, np.nan)
        gap = ~usable[:, ::-1]
        streaks = np.where(gap.any(axis=1), gap.argmax(axis=1), len(self.dates))
        object.__setattr__(self, "position", position)
        object.__setattr__(self, "_streaks", tuple(streaks.tolist()))
        object.__setattr__(self, "rows", rows)

    @property
    def days(self) -> int:
        """Number of sessions."""
        return len(self.dates)

    def of(self, symbol: str) -> Floats:
        """One symbol's closes, (days,); all NaN if it is not there."""
        column = self.position.get(symbol)
        return np.full(self.days, np.nan) if column is None else self.rows[column]

    def streak(self, symbol: str) -> int:
        """How many bars in a row the symbol has, up to the last session."""
        column = self.position.get(symbol)
        return 0 if column is None else self._streaks[column]

    def until(self, days: int) -> "Bars":
        """The first `days` sessions only."""
        return Bars(self.dates[:days], self.symbols, self.closes[:days])


def carried(closes: Floats, limit: int) -> Floats:
    """Closes, (days, symbols), in which gaps of up to `limit` days take the close before; longer ones stay.

    A gap has a bar on both sides: what precedes a symbol's first bar, and what follows its last, is none.
    """
    rows = closes.T
    usable = np.isfinite(rows) & (rows > 0)
    if limit == 0 or usable.all():
        return closes
    days = np.arange(rows.shape[1])
    before = np.maximum.accumulate(np.where(usable, days, -1), axis=1)
    after = np.minimum.accumulate(np.where(usable, days, rows.shape[1])[:, ::-1], axis=1)[:, ::-1]
    short = ~usable & (before >= 0) & (after < rows.shape[1]) & (after - before - 1 <= limit)
    out: Floats = np.where(short, np.take_along_axis(rows, np.maximum(before, 0), axis=1), rows).T
    return out


def filled(rows: Floats) -> Floats:
    """Gaps take the value before them; what precedes a row's first value takes that one. (rows, days)."""
    gap = np.isnan(rows)
    if not gap.any():
        return rows
    source = np.maximum.accumulate(np.where(gap, -1, np.arange(rows.shape[1])), axis=1)
    first = np.argmin(gap, axis=1)
    out: Floats = np.take_along_axis(rows, np.where(source < 0, first[:, None], source), axis=1)
    return out
