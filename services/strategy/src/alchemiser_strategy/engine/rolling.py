"""Statistics over the last N values of every row of a matrix, in about 2 log2(N) vector steps.

A window of N is put together from blocks of 1, 2, 4 … values. A result depends on the values in its window and on
nothing else, bit for bit: neither later nor earlier values change it, and a constant window has exactly its mean
and no spread. The first N-1 results of a row are NaN. Inputs are (rows, days) float64.
"""

from collections.abc import Callable

import numpy as np

from alchemiser_strategy.bars import Floats

type Parts = tuple[Floats, ...]
"""What is known of every block of one length, one matrix for each quantity."""
type Join = Callable[[Parts, Parts, int, int], Parts]
"""(newer, older, their lengths) to what is known of both together."""


def mean(values: Floats, window: int) -> Floats:
    """Arithmetic mean of the last `window` values, (rows, days)."""
    return _rolled((values,), window, _join_means, lambda parts: parts[0])


def deviation(values: Floats, window: int) -> Floats:
    """Sample standard deviation (divisor N-1) of the last `window` values, at least 2. (rows, days).

    Blocks merge by the pairwise update of Chan, Golub and LeVeque (1983), which does not cancel.
    """
    start = (values, np.zeros_like(values))
    return _rolled(start, window, _join_spreads, lambda parts: np.sqrt(parts[1] / (window - 1)))


def drawdown(values: Floats, window: int) -> Floats:
    """Largest fall from a peak to a later value within the window, as a positive fraction of the peak. (rows, days)."""
    return _rolled((values, values, np.zeros_like(values)), window, _join_falls, lambda parts: parts[2])


def _join_means(newer: Parts, older: Parts, new: int, old: int) -> Parts:
    return (newer[0] + (older[0] - newer[0]) * (old / (new + old)),)


def _join_spreads(newer: Parts, older: Parts, new: int, old: int) -> Parts:
    gap = older[0] - newer[0]
    return newer[0] + gap * (old / (new + old)), newer[1] + older[1] + gap * gap * (new * old / (new + old))


def _join_falls(newer: Parts, older: Parts, _new: int, _old: int) -> Parts:
    across = 1.0 - newer[1] / older[0]
    fall = np.maximum(np.maximum(newer[2], older[2]), across)
    return np.maximum(newer[0], older[0]), np.minimum(newer[1], older[1]), fall


def _rolled(block: Parts, window: int, join: Join, result: Callable[[Parts], Floats]) -> Floats:
    """`block` is what is known of single values; the window's binary digits say which block lengths it takes.

    A window of 11 = 8 + 2 + 1 is three blocks side by side, the shortest at the newest end:

        oldest [. . . . . . . .] [. .] [.] newest
    """
    rows, days = block[0].shape
    out = np.full((rows, days), np.nan)
    if days < window:
        return out
    total, count, size = block, 0, 1
    while True:
        if window & size:
            fits = block[0].shape[1] - count
            older = tuple(part[:, :fits] for part in block)
            total = join(tuple(part[:, size:] for part in total), older, count, size) if count else block
            count += size
        if count == window:
            out[:, window - 1 :] = result(total)
            return out
        block = join(tuple(part[:, size:] for part in block), tuple(part[:, :-size] for part in block), size, size)
        size *= 2
