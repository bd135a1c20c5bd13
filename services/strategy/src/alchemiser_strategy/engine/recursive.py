"""Averages with a memory of every earlier bar: Wilder's and exponential, for all rows of a matrix at once.

A value depends on the bars up to its day and on nothing else, bit for bit: not on later bars, not on the other rows.
Rows are (rows, days) float64; gaps (NaN) change nothing while they last.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from alchemiser_strategy.bars import Floats, filled

_BLOCK = 64
"""Days that are summed in one step; 2 ** 64 times any price is far from overflow."""
_FEW = 6
"""Up to this many rows plain floats are faster than numpy's call overhead."""


@dataclass(frozen=True, slots=True, eq=False)
class Recursion:
    """A recursion over the bars, for rows that each have a window of their own, (rows,) float64 in sessions."""

    every_day: Callable[[Floats, Floats], Floats]
    """Closes in USD, (rows, days), and windows to values, (rows, days)."""
    last_day: Callable[[Floats, Floats, float], Floats]
    """Closes, windows and a fraction to the last day's values, (3, rows): as they are, and with the last close moved
    up and down by that fraction. One step from the day before, not the whole recursion again."""
    day_by_day: bool = False
    """Whether it walks through the days one by one: then it pays to take many rows at once."""


def wilder(closes: Floats, windows: Floats) -> tuple[Floats, Floats]:
    """Wilder's averages of gains and of losses, times the window: A_t = (1 - 1/N) A_(t-1) + g_t, zero at first.

    `closes` is (rows, days) in USD, `windows` (rows,) in sessions. Returns two (rows, days). The factor N is left in:
    the strength is a ratio.
    """
    change = np.zeros_like(closes)
    np.subtract(closes[:, 1:], closes[:, :-1], out=change[:, 1:])
    change[np.isnan(change)] = 0.0
    memory = 1.0 - 1.0 / windows
    return _decaying_sum(np.maximum(change, 0.0), memory), _decaying_sum(np.maximum(-change, 0.0), memory)


def strength(gains: Floats, losses: Floats) -> Floats:
    """The relative strength index, 0 to 100, from Wilder's sums of any shape.

    100 without losses, 0 without gains, 50 with neither.
    """
    total = gains + losses
    flat = total <= 0.0
    if not flat.any():
        return 100.0 * (gains / total)
    return np.where(flat, 50.0, 100.0 * (gains / np.where(flat, 1.0, total)))


def _strength_each_day(closes: Floats, windows: Floats) -> Floats:
    return strength(*wilder(closes, windows))


def _strength_last_day(closes: Floats, windows: Floats, move: float) -> Floats:
    gains, losses = wilder(closes, windows)
    last, before = closes[:, -1], closes[:, -2]
    memory = 1.0 - 1.0 / windows
    values = [strength(gains[:, -1], losses[:, -1])]
    for factor in (1.0 + move, 1.0 - move):
        rise = last * factor - before
        gain = gains[:, -2] * memory + np.maximum(rise, 0.0)
        loss = losses[:, -2] * memory + np.maximum(-rise, 0.0)
        values.append(strength(gain, loss))
    return np.array(values)


def exponential(values: Floats, windows: Floats) -> Floats:
    """Exponential average, weight 2/(N+1), seeded with the first value of each row.

    `values` is (rows, days), `windows` (rows,) in sessions. Few rows go row by row through plain floats, many go day
    by day through all rows at once: the same operations in the same order, so the same bits.
    """
    paths = filled(values)
    out = np.empty_like(paths)
    rate = 2.0 / (windows + 1.0)
    if len(paths) <= _FEW:
        for row, (path, a) in enumerate(zip(paths.tolist(), rate.tolist(), strict=True)):
            out[row] = list(accumulate(path, lambda e, c, a=a: e + (c - e) * a))  # type: ignore[misc]
        return out
    by_day = np.ascontiguousarray(paths.T)
    state, move = by_day[0].copy(), np.empty(len(rate))
    for day in by_day:
        np.subtract(day, state, out=move)
        np.multiply(move, rate, out=move)
        np.add(state, move, out=state)
        day[:] = state
    out[:] = by_day.T
    return out


def _exponential_last_day(closes: Floats, windows: Floats, move: float) -> Floats:
    averages = exponential(closes, windows)
    # The first day's average is its close, later ones take in only a part of the close.
    change = closes[:, -1] * move * (2.0 / (windows + 1.0) if closes.shape[1] > 1 else 1.0)
    moved: Floats = averages[:, -1] + np.array([np.zeros_like(change), change, -change])
    return moved


def _decaying_sum(steps: Floats, memory: Floats) -> Floats:
    """S_t = memory * S_(t-1) + step_t for steps >= 0, (rows, days).

    Within a block S is memory^t times the running sum of step_j / memory^j: no term is negative, so nothing cancels.

        days       0 ……… 63 | 64 ……… 127 | 128 …
        sums       S_0 … S_63 → carry · memory is added to the first of the next block, and so on

    Blocks start at fixed days, counted from the first bar: a later bar never moves a boundary, and a value keeps its
    bits as days are added.
    """
    rows, days = steps.shape
    blocks = -(-days // _BLOCK)
    padded = np.zeros((rows, blocks * _BLOCK))
    padded[:, :days] = steps
    padded = padded.reshape(rows, blocks, _BLOCK)
    # A window of one day has no memory; its sums are the steps themselves and are put in at the end.
    keep = np.where(memory > 0.0, memory, 1.0)[:, None]
    # By repeated multiplication: unlike a power function it has the same bits on every machine.
    decay = np.ones((rows, _BLOCK))
    decay[:, 1:] = np.cumprod(np.broadcast_to(keep, (rows, _BLOCK - 1)), axis=1)
    sums = padded / decay[:, None, :]
    np.cumsum(sums, axis=2, out=sums)
    carry = np.zeros(rows)
    first, last = keep[:, 0], decay[:, -1]
    for block in range(blocks):
        sums[:, block] += (carry * first)[:, None]
        carry = sums[:, block, -1] * last
    sums *= decay[:, None, :]
    result = sums.reshape(rows, -1)[:, :days]
    forgetful = memory <= 0.0
    if forgetful.any():
        result[forgetful] = steps[forgetful]
    return result


STRENGTH = Recursion(_strength_each_day, _strength_last_day)
"""The relative strength index. Its last day needs at least two days of closes."""
EXPONENTIAL = Recursion(exponential, _exponential_last_day, day_by_day=True)
"""The exponential average."""
