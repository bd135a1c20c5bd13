"""Plausible open, high, low and volume for bars that came with a close only.

In: closes and whatever else was present. Out: complete bars, low <= open, close <= high. Must never change a close,
and must give the same numbers on every platform: integer hashing and + - x / only, no transcendental functions.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
_Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Bars:
    """Daily bars of some symbols: five arrays of one shape, NaN where the symbol did not trade. USD and shares."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray


def seed_of(text: str) -> int:
    """A stable 64-bit seed for a name."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _mix(words: _Words) -> _Words:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014): spreads a counter over 64 bits."""
    z = words.copy()
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniforms(name: str, counters: IntArray) -> FloatArray:
    """Numbers in [0, 1), of the counters' shape, that depend on the name and the counter only: a day's draw is the same
    whatever other days are in the file.
    """
    with np.errstate(over="ignore"):
        words = _mix(counters.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed_of(name)))
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def previous_present(values: FloatArray) -> FloatArray:
    """For each day the last value present before it, shape (days,); up to the first value present, that value."""
    rows = np.where(np.isnan(values), -1, np.arange(len(values)))
    last = np.maximum.accumulate(rows)
    before = np.concatenate(([-1], last[:-1]))
    first = int(np.argmax(rows >= 0))
    return values[np.where(before < 0, first, before)]


# A close is never touched; the rest is put around it:
#
#     previous close ----40%----> open (and a gap, up or down) ........ close     high above both, low below both
#
# How far: `span`, a share of the price that grows with the symbol's usual daily move and with this day's, at most 0.3.
# What the source does have stands: a derived open is moved into a given high and low, and a given high or low gives way
# only where it would exclude open or close. At the end each array is hidden where there is no close.
def complete(symbol: str, ordinals: IntArray, given: Bars) -> Bars:
    """Fill what one symbol's bars lack. All arrays have shape (days,); `ordinals` count days since 0001-01-01. Bars
    without a close stay NaN throughout, all others have 0 < low <= open, close <= high.
    """
    close = given.close
    present = ~np.isnan(close)
    if not present.any():
        return Bars(close, close, close, close, close)
    before = previous_present(close)
    change = np.nan_to_num(np.abs(close / before - 1.0))
    typical = float(np.median(change[present])) or 0.001
    span = np.minimum(0.6 * typical + 0.25 * change, 0.3)
    gap, up, down, busy = (uniforms(f"{symbol}/{what}", ordinals) for what in ("gap", "up", "down", "volume"))

    opened = before + (close - before) * 0.4 + before * span * (gap - 0.5)
    opened = np.where(np.isnan(given.open), opened, given.open)
    opened = np.where(np.isnan(given.open) & ~np.isnan(given.high), np.minimum(opened, given.high), opened)
    opened = np.where(np.isnan(given.open) & ~np.isnan(given.low), np.maximum(opened, given.low), opened)
    opened = np.where(opened > 0, opened, close)
    top, bottom = np.maximum(opened, close), np.minimum(opened, close)
    high = np.maximum(np.where(np.isnan(given.high), top * (1.0 + span * up), given.high), top)
    low = np.minimum(np.where(np.isnan(given.low), bottom * (1.0 - span * down), given.low), bottom)
    dollars = 50_000_000.0 * float(1 << (seed_of(symbol) % 8))
    volume = np.floor(dollars * (0.5 + busy) * (1.0 + 20.0 * change) / close) + 1.0
    volume = np.where(np.isnan(given.volume), volume, given.volume)

    hidden = np.where(present, 0.0, np.nan)
    return Bars(opened + hidden, high + hidden, low + hidden, close, volume + hidden)
