"""Price jumps that look like unadjusted splits. Pure.

A jump is suspicious if it is near a split's ratio, far outside of what the symbol usually does, and far outside of
what the other symbols did on that day by their own measure: in a crash everything jumps, in a split one symbol does.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

import numpy as np

from alchemiser_common.messages.bars import Matrix
from alchemiser_common.ports.broker import SymbolBars

_RATIOS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100)
_SMALLEST_MOVE = math.log(1.8)
_NEAR = 0.03
_NORMAL_MOVES = 3.0
_BEYOND_THE_MARKET = 4.0
"""How many times the day's typical surprise a jump must be."""
_MAD_TO_SIGMA = 1.4826
_SMALLEST_USUAL = 0.005
"""Floor of a symbol's usual daily move, for series that hardly move."""


@dataclass(frozen=True, slots=True)
class _Moves:
    """One symbol's log returns, their days, and its usual daily move (robust standard deviation)."""

    days: Sequence[date]
    values: Matrix
    usual: float


def split_like_jumps(bars: Sequence[SymbolBars], accepted: frozenset[str]) -> Mapping[str, str]:
    """The first suspicious jump of each symbol that has one, in words.

    `bars` have positive closes and ascending days; `accepted` are jumps known to be real, as SYMBOL:YYYY-MM-DD.
    """
    moves = {item.symbol: _moves(item) for item in bars if len(item.days) > 1}
    found: dict[str, str] = {}
    for item in bars:
        if item.symbol in moves:
            jump = _first_jump(item, moves, accepted)
            if jump is not None:
                found[item.symbol] = jump
    return found


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


def _first_jump(bars: SymbolBars, moves: Mapping[str, _Moves], accepted: frozenset[str]) -> str | None:
    own = moves[bars.symbol]
    tolerance = max(_NEAR, _NORMAL_MOVES * own.usual)
    for index in (int(at) for at in np.flatnonzero(np.abs(own.values) >= _SMALLEST_MOVE)):
        move, day = float(own.values[index]), own.days[index]
        ratio = min(_RATIOS, key=lambda n: abs(abs(move) - math.log(n)))
        near = abs(abs(move) - math.log(ratio)) <= tolerance
        others = _surprise_of_others(bars.symbol, day, moves)
        alone = abs(move) / own.usual > _BEYOND_THE_MARKET * max(1.0, others)
        if near and alone and f"{bars.symbol}:{day}" not in accepted:
            shape = f"{ratio}:1" if move < 0 else f"1:{ratio}"
            before, after = bars.closes[index], bars.closes[index + 1]
            return (
                f"close went from {before:g} to {after:g} on {day}, like a {shape} split; "
                f"if it is real, add {bars.symbol}:{day} to data.accepted_jumps"
            )
    return None
