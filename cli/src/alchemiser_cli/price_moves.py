"""Moves of prices that a person should look at before believing what was decided on them."""

import numpy as np

from alchemiser_common.text import and_more
from alchemiser_strategy.bars import Bars, Floats, filled

_MOST_NAMED = 8
_LOOKED_AT = 1.8
"""The smallest move that may look like a split."""
_TENFOLD = 10
_ROUNDING = 1e-9


def suspicious_moves(bars: Bars, first: int, last: int) -> tuple[str, ...]:
    """A remark on what the live checks would ask the broker about on the days first..last (exclusive).

    Moves like a split that is not adjusted, and moves of tenfold and more, up or down.
    """
    if not bars.symbols or not _far_moves(bars.rows[:, first:last], _LOOKED_AT):
        return ()
    from alchemiser_common.ports.broker import SymbolBars
    from alchemiser_data.split_detection import large_moves, suspected_splits

    there = []
    for symbol, path in zip(bars.symbols, bars.rows[:, first:last], strict=True):
        rows = np.flatnonzero(~np.isnan(path))
        there.append(SymbolBars(symbol, [bars.dates[first + int(row)] for row in rows], path[rows].tolist()))
    large = [
        jump
        for jump in large_moves(there, 1 - 1 / _TENFOLD - _ROUNDING, frozenset())
        if max(jump.after, jump.before) >= _TENFOLD * min(jump.after, jump.before)
    ]
    found = {(jump.symbol, jump.day): jump for jump in (*large, *suspected_splits(there, frozenset()))}
    named = [f"{jump.symbol} {jump}" for _, jump in sorted(found.items())]
    if not named:
        return ()
    return (f"look at these moves, they may be faults of the data: {'; '.join(and_more(named, _MOST_NAMED))}",)


def _far_moves(rows: Floats, factor: float) -> bool:
    """Whether a close is so many times the one before, or a part of it. Gaps are looked across. (symbols, days)."""
    logs = np.log(filled(rows))
    return bool((np.abs(np.diff(logs, axis=1)) >= np.log(factor)).any())
