"""Averages with a memory of every earlier bar: Wilder's and exponential. One pass over the days for all rows at once.

Each step is one multiplication and one addition in double precision, whether many rows go together or few go alone,
so a value is the same bit for bit in any company. Rows are (rows, days); gaps (NaN) change nothing while they last.
"""

from itertools import accumulate

import numpy as np

from alchemiser_strategy.bars import Floats

_FEW = 6
"""Up to this many rows plain floats are faster than numpy's call overhead."""
_MANY = 512
"""At most this many rows go together, to bound memory."""


def wilder(closes: Floats, windows: Floats) -> tuple[Floats, Floats]:
    """Wilder's sums of gains and of losses, times the window: A_t = (1 - 1/N) A_(t-1) + g_t, zero at the first bar.

    `closes` is (rows, days), `windows` (rows,) in sessions. Returns two (rows, days).
    """
    change = np.zeros_like(closes)
    np.subtract(closes[:, 1:], closes[:, :-1], out=change[:, 1:])
    change[np.isnan(change)] = 0.0
    rows = closes.shape[0]
    steps = np.concatenate((np.maximum(change, 0.0), np.maximum(-change, 0.0)))
    memory = np.concatenate((1.0 - 1.0 / windows,) * 2)
    sums = np.empty_like(steps)
    for start in range(0, 2 * rows, _MANY):
        part = slice(start, start + _MANY)
        _decaying_sum(steps[part], memory[part], sums[part])
    return sums[:rows], sums[rows:]


def strength(gains: Floats, losses: Floats) -> Floats:
    """The relative strength index from Wilder's sums: 100 without losses, 0 without gains, 50 with neither."""
    total = gains + losses
    return np.where(total > 0, 100.0 * (gains / np.where(total > 0, total, 1.0)), 50.0)


def exponential(values: Floats, windows: Floats) -> Floats:
    """Exponential average, weight 2/(N+1), seeded with the first value of each row. (rows, days)."""
    filled = _filled(values)
    out = np.empty_like(filled)
    rate = 2.0 / (windows + 1.0)
    if len(filled) <= _FEW:
        for row, (path, a) in enumerate(zip(filled.tolist(), rate.tolist(), strict=True)):
            out[row] = list(accumulate(path, lambda e, c, a=a: e + (c - e) * a))  # type: ignore[misc]
        return out
    by_day = np.ascontiguousarray(filled.T)
    state, move = by_day[0].copy(), np.empty(len(rate))
    for day in by_day:
        np.subtract(day, state, out=move)
        np.multiply(move, rate, out=move)
        np.add(state, move, out=state)
        day[:] = state
    out[:] = by_day.T
    return out


def _decaying_sum(steps: Floats, memory: Floats, out: Floats) -> None:
    if len(steps) <= _FEW:
        for row, (path, keep) in enumerate(zip(steps.tolist(), memory.tolist(), strict=True)):
            out[row] = list(accumulate(path, lambda a, g, keep=keep: a * keep + g))  # type: ignore[misc]
        return
    by_day = np.ascontiguousarray(steps.T)
    last, decayed = by_day[0], np.empty(len(memory))
    multiply, add = np.multiply, np.add
    for day in by_day[1:]:
        multiply(last, memory, decayed)
        add(decayed, day, day)
        last = day
    out[:] = by_day.T


def _filled(values: Floats) -> Floats:
    """Gaps take the value before them; what precedes the first value takes that one."""
    gap = np.isnan(values)
    if not gap.any():
        return values
    source = np.maximum.accumulate(np.where(gap, -1, np.arange(values.shape[1])), axis=1)
    first = np.argmin(gap, axis=1)
    filled: Floats = np.take_along_axis(values, np.where(source < 0, first[:, None], source), axis=1)
    return filled
