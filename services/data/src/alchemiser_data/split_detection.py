"""Price moves to ask about: those that look like unadjusted splits, and those that are simply large. Pure.

A move is suspected if it is near a split's ratio, far outside of what the symbol usually does, and far outside of
what the other symbols did on that day by their own measure: in a crash everything moves, in a split one symbol does.

            usual move   in a 2:1 split         in a crash
    SPY     1 %          -0.5 %   0.5 x usual   -16 %   17 x usual
    TQQQ    3 %          -50 %     23 x usual   -49 %   22 x usual

Both falls of TQQQ are near 2:1 and far from usual. The first is more than four times as surprising as the other
symbol's move (which counts as 1 x at least) and is suspected, the second is not.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from statistics import median

import numpy as np

from alchemiser_common.messages.bars import Matrix
from alchemiser_common.ports.broker import SymbolBars

_RATIOS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100)
"""New shares for an old one in a split, or the other way round in a reverse split."""
_SMALLEST_MOVE = math.log(1.8)
"""Smaller moves are not looked at: a 2:1 split on a day that itself moved by 10 %."""
_NEAR = 0.03
"""How near to a ratio counts as near, in log returns, for a symbol that hardly moves."""
_NORMAL_MOVES = 3.0
"""The same in usual daily moves: the split day's own return is part of the move."""
_BEYOND_THE_MARKET = 4.0
"""How many times the other symbols' typical surprise a move must be."""
_MAD_TO_SIGMA = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""
_SMALLEST_USUAL = 0.005
"""Floor of a symbol's usual daily move, for series that hardly move."""


@dataclass(frozen=True, slots=True)
class _Moves:
    """One symbol's log returns, (days,), the days they end on, and its usual daily move.

    The usual move is a robust standard deviation of the log returns, so that the split itself does not raise it, and
    never 0.
    """

    days: Sequence[date]
    values: Matrix
    usual: float


@dataclass(frozen=True, slots=True)
class Jump:
    """A move to ask about, from the close before to that of `day`, USD.

    It looks like a split of `new` shares for `old`, or, where these are 0, it is only large.
    """

    symbol: str
    day: date
    day_before: date
    before: float
    after: float
    new: int = 0
    old: int = 0

    def __str__(self) -> str:
        """As faults say it."""
        like = f", like a {self.new}:{self.old} split" if self.new else ""
        return f"close went from {self.before:g} to {self.after:g} on {self.day}{like}"


def large_moves(bars: Sequence[SymbolBars], limit: float, accepted: frozenset[str]) -> Sequence[Jump]:
    """Every move from close to close of more than `limit` (a fraction), by symbol and day; arguments as below."""
    return [
        Jump(item.symbol, day, day_before, before, after)
        for item in bars
        for (day_before, day), (before, after) in zip(pairwise(item.days), pairwise(item.closes), strict=True)
        if abs(after / before - 1) > limit and f"{item.symbol}:{day}" not in accepted
    ]


def suspected_splits(bars: Sequence[SymbolBars], accepted: frozenset[str]) -> Sequence[Jump]:
    """Every move that looks like an unadjusted split, by symbol and day.

    `bars` have positive closes in USD and ascending days; `accepted` are moves known to be real, as SYMBOL:YYYY-MM-DD.
    """
    moves = {item.symbol: _moves(item) for item in bars if len(item.days) > 1}
    return [jump for item in bars if item.symbol in moves for jump in _suspected(item, moves, accepted)]


def _moves(bars: SymbolBars) -> _Moves:
    values = np.diff(np.log(np.asarray(bars.closes, dtype=np.float64)))
    usual = _MAD_TO_SIGMA * float(np.median(np.abs(values - np.median(values))))
    return _Moves(bars.days[1:], values, max(usual, _SMALLEST_USUAL))


def _surprise_of_others(symbol: str, day: date, moves: Mapping[str, _Moves]) -> float:
    """Median over the other symbols of |move| / usual move on that day; 0 if there are none."""
    sizes = [
        abs(float(item.values[at])) / item.usual
        for other, item in moves.items()
        if other != symbol and (at := bisect_left(item.days, day)) < len(item.days) and item.days[at] == day
    ]
    return median(sizes) if sizes else 0.0


def _suspected(bars: SymbolBars, moves: Mapping[str, _Moves], accepted: frozenset[str]) -> Iterator[Jump]:
    """The suspected moves of one symbol."""
    own = moves[bars.symbol]
    tolerance = max(_NEAR, _NORMAL_MOVES * own.usual)
    for index in (int(at) for at in np.flatnonzero(np.abs(own.values) >= _SMALLEST_MOVE)):
        move, day = float(own.values[index]), own.days[index]
        ratio = min(_RATIOS, key=lambda n: abs(abs(move) - math.log(n)))
        near = abs(abs(move) - math.log(ratio)) <= tolerance
        others = _surprise_of_others(bars.symbol, day, moves)
        alone = abs(move) / own.usual > _BEYOND_THE_MARKET * max(1.0, others)
        if near and alone and f"{bars.symbol}:{day}" not in accepted:
            new, old = (ratio, 1) if move < 0 else (1, ratio)
            before, after = bars.closes[index], bars.closes[index + 1]
            yield Jump(bars.symbol, day, bars.days[index], before, after, new, old)
