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


def wilder_from_zero(closes: Floats, windows: Floats) -> tuple[Floats, Floats]:
    """Wilder's averages of gains and of losses, times the window: A_t = (1 - 1/N) A_(t-1) + g_t, zero at first.

    `closes` is (rows, days) in USD, `windows` (rows,) in sessions. Returns two (rows, days). The factor N is left in:
    the strength is a ratio.
    """
    memory = 1.0 - 1.0 / windows
    gains, losses = _gains_and_losses(closes)
    return _decaying_sum(gains, memory), _decaying_sum(losses, memory)


def wilder(closes: Floats, windows: Floats) -> tuple[Floats, Floats]:
    """The same averages begun as Wilder begins them: the first is the mean of the first N changes of a row.

    Days before a row's first N changes are not averages of anything: they hold the plain sums so far. (Wilder, New
    Concepts in Technical Trading Systems, 1978; StockCharts, TA-Lib and Tulip do the same.)
    """
    memory = 1.0 - 1.0 / windows
    seeded = _seed_days(closes, windows)
    gains, losses = (_from_mean(steps, memory, seeded) for steps in _gains_and_losses(closes))
    return gains, losses


def _gains_and_losses(closes: Floats) -> tuple[Floats, Floats]:
    """Rises and falls from bar to bar in USD, 0 or more, (rows, days) each; 0 where there is no bar to compare with."""
    change = np.zeros_like(closes)
    np.subtract(closes[:, 1:], closes[:, :-1], out=change[:, 1:])
    change[np.isnan(change)] = 0.0
    return np.maximum(change, 0.0), np.maximum(-change, 0.0)


def _seed_days(closes: Floats, windows: Floats) -> Floats:
    """The day on which each row has its first N changes, (rows,); it may lie beyond the last day."""
    here = ~np.isnan(closes)
    first = np.where(here.any(axis=1), here.argmax(axis=1), closes.shape[1])
    seeded: Floats = first + windows
    return seeded


# With the factor N left in, the mean of the first N steps is their plain sum. It becomes one step on the day on which
# they are complete, and nothing was before it (N = 3):
#
#     steps        0   g1  g2  g3        g4
#     instead      0   0   0   g1+g2+g3  g4
#     sum          .   .   .   S3        S3 (1 - 1/3) + g4
#
# Days before get the sums so far, which the last day's small move asks for when it is the seed day itself.
def _from_mean(steps: Floats, memory: Floats, seeded: Floats) -> Floats:
    """Decaying sums of steps, (rows, days), each row begun with the plain sum of the steps up to its seed day."""
    days = steps.shape[1]
    reach = min(days, int(seeded.max(initial=0)) + 1)
    plain = np.cumsum(steps[:, :reach], axis=1)
    before = np.arange(days) < seeded[:, None]
    begun = np.where(before, 0.0, steps)
    rows_begun = np.flatnonzero(seeded < days)
    at = seeded[rows_begun].astype(np.int64)
    begun[rows_begun, at] = plain[rows_begun, at]
    sums = _decaying_sum(begun, memory)
    sums[:, :reach] = np.where(before[:, :reach], plain, sums[:, :reach])
    return sums


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


def _strength_from_zero_each_day(closes: Floats, windows: Floats) -> Floats:
    return strength(*wilder_from_zero(closes, windows))


def _strength_last_day(closes: Floats, windows: Floats, move: float) -> Floats:
    # On the seed day itself nothing has decayed yet: the sum so far and the last step are added.
    memory = np.where(_seed_days(closes, windows) >= closes.shape[1] - 1, 1.0, 1.0 - 1.0 / windows)
    return _strength_moved(closes, wilder(closes, windows), memory, move)


def _strength_from_zero_last_day(closes: Floats, windows: Floats, move: float) -> Floats:
    return _strength_moved(closes, wilder_from_zero(closes, windows), 1.0 - 1.0 / windows, move)


def _strength_moved(closes: Floats, sums: tuple[Floats, Floats], memory: Floats, move: float) -> Floats:
    """The last day's strength as it is and with the last close moved up and down, one step from the day before."""
    gains, losses = sums
    last, before = closes[:, -1], closes[:, -2]
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
STRENGTH_FROM_ZERO = Recursion(_strength_from_zero_each_day, _strength_from_zero_last_day)
"""The same with averages that begin at zero."""
EXPONENTIAL = Recursion(exponential, _exponential_last_day, day_by_day=True)
"""The exponential average."""
