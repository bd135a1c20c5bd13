"""Statistics over the last N values of every row of a matrix, in about log2(N) vector steps.

A window of N is put together from blocks of 1, 2, 4 … values. A result depends on the values in its window and on
nothing else, bit for bit: neither later nor earlier values change it, and a constant window has exactly its mean
and no spread. The first N-1 results of a row are NaN. Inputs are (rows, days) float64.
"""

import numpy as np

from alchemiser_strategy.bars import Floats


def mean(values: Floats, window: int) -> Floats:
    """Arithmetic mean."""
    block, size, total, count = values, 1, values, 0
    while True:
        if window & size:
            if count:
                newer, older = total[:, size:], block[:, : block.shape[1] - count]
                total = newer + (older - newer) * (size / (count + size))
            else:
                total = block
            count += size
        if count == window or block.shape[1] <= size:
            break
        block = 0.5 * (block[:, size:] + block[:, :-size])
        size *= 2
    return _padded(values, total, complete=count == window)


def deviation(values: Floats, window: int) -> Floats:
    """Sample standard deviation (divisor N-1).

    Blocks merge by the pairwise update of Chan, Golub and LeVeque (1983), which does not cancel.
    """
    centre, spread, size = values, np.zeros_like(values), 1
    total_centre, total_spread, count = values, spread, 0
    while True:
        if window & size:
            if count:
                keep = centre.shape[1] - count
                newer, older = total_centre[:, size:], centre[:, :keep]
                gap = older - newer
                total_spread = total_spread[:, size:] + spread[:, :keep] + gap * gap * (count * size / (count + size))
                total_centre = newer + gap * (size / (count + size))
            else:
                total_centre, total_spread = centre, spread
            count += size
        if count == window or centre.shape[1] <= size:
            break
        gap = centre[:, size:] - centre[:, :-size]
        spread = spread[:, size:] + spread[:, :-size] + gap * gap * (size / 2)
        centre = 0.5 * (centre[:, size:] + centre[:, :-size])
        size *= 2
    return _padded(values, np.sqrt(total_spread / (window - 1)), complete=count == window)


def drawdown(values: Floats, window: int) -> Floats:
    """Largest fall from a peak to a later trough within the window, as a positive fraction of the peak."""
    high, low, fall, size = values, values, np.zeros_like(values), 1
    total_high, total_low, total_fall, count = values, values, fall, 0
    while True:
        if window & size:
            if count:
                keep = high.shape[1] - count
                across = 1.0 - total_low[:, size:] / high[:, :keep]
                total_fall = np.maximum(np.maximum(total_fall[:, size:], fall[:, :keep]), across)
                total_high = np.maximum(total_high[:, size:], high[:, :keep])
                total_low = np.minimum(total_low[:, size:], low[:, :keep])
            else:
                total_high, total_low, total_fall = high, low, fall
            count += size
        if count == window or high.shape[1] <= size:
            break
        across = 1.0 - low[:, size:] / high[:, :-size]
        fall = np.maximum(np.maximum(fall[:, size:], fall[:, :-size]), across)
        high = np.maximum(high[:, size:], high[:, :-size])
        low = np.minimum(low[:, size:], low[:, :-size])
        size *= 2
    return _padded(values, total_fall, complete=count == window)


def _padded(values: Floats, result: Floats, *, complete: bool) -> Floats:
    out = np.full(values.shape, np.nan)
    if complete and result.shape[1]:
        out[:, values.shape[1] - result.shape[1] :] = result
    return out
