"""Prices within a session: a smooth path open -> one extreme -> the other -> close, and a spread around it.

In: a day's bar and seconds of the session. Out: mid, bid and ask. Must be a pure function of bar, symbol and day, so
that a quote asked for twice, or a fill found while the clock jumps, is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from alchemiser_simulator.market.derive import FloatArray, IntArray, uniforms


@dataclass(frozen=True, slots=True)
class SpreadModel:
    """Full spread as a fraction of the price: floor + range share + liquidity term, wider in the first minutes."""

    floor: float = 0.0001
    range_share: float = 0.01  # of the day's high/low range
    illiquid: float = 0.002  # at one million dollars a day; falls with the square root of turnover
    ceiling: float = 0.02
    opening_factor: float = 4.0  # at the opening bell, fading to 1
    opening_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class DayBar:
    """One symbol's bar of one session: 0 < low <= open, close <= high, in USD a share; volume in shares."""

    symbol: str
    day: date
    seconds: int  # length of the session
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class QuotePath:
    """Bid and ask in whole ticks at some seconds of a session: int64 of one shape, 0 < bid < ask; `tick` in USD.

    Whole ticks, so that a quote is compared with a limit, a Decimal, without rounding.
    """

    bid: IntArray
    ask: IntArray
    tick: Decimal

    def price(self, ticks: int) -> Decimal:
        """USD of so many ticks, exactly."""
        return self.tick * ticks


def tick_of(low: float) -> Decimal:
    """USD of one tick on a day with that low: cents from one dollar up, below that finer, and much finer for prices
    that adjustments have made tiny.
    """
    if low >= 1.0:
        return Decimal("0.01")
    return Decimal("0.0001") if low >= 0.01 else Decimal("0.00000001")


def _turns(bar: DayBar) -> tuple[float, float, bool]:
    """When the path touches its extremes (fractions of the session), and whether the low comes first."""
    # Three counters a day: no two days share a draw.
    draw = uniforms(f"{bar.symbol}/path", np.array([3, 3, 3]) * bar.day.toordinal() + np.arange(3))
    first, second, order = (float(value) for value in draw)
    return 0.12 + 0.3 * first, 0.55 + 0.35 * second, order < (0.6 if bar.close >= bar.open else 0.4)


# A day that rises and has its low first (where the turns lie is drawn from symbol and day):
#
#     high                  __
#     close               /    \__
#     open    \         /
#     low       \_____/
#             0     early   late  1      fraction of the session
#
# Each of the three legs is a smoothstep, 3t^2 - 2t^3: it never turns within a leg, so the lowest and the highest price
# of the path are the bar's, and it is flat where legs meet, so prices linger at an extreme instead of only touching
# it between two seconds. It takes + - x / only, so every platform draws the same path, and it is a function of the
# second alone, so one second asked by itself is that second of the whole day.
def mid_path(bar: DayBar, seconds: FloatArray) -> FloatArray:
    """Mid prices in USD at `seconds` since the open, of its shape, always within [low, high]: the open at second 0,
    the close at the session's last second.
    """
    early, late, low_first = _turns(bar)
    knots = (0.0, early, late, 1.0)
    extremes = (bar.low, bar.high) if low_first else (bar.high, bar.low)
    levels = (bar.open, *extremes, bar.close)
    where = np.clip(seconds / bar.seconds, 0.0, 1.0)
    mid = np.full(where.shape, bar.close)
    for start, end, begin, finish in zip(knots[:-1], knots[1:], levels[:-1], levels[1:], strict=True):
        inside = (where >= start) & (where < end)
        progress = (where[inside] - start) / (end - start)
        mid[inside] = begin + (finish - begin) * (progress * progress * (3.0 - 2.0 * progress))
    bounded: FloatArray = np.clip(mid, bar.low, bar.high)
    return bounded


def quote_path(bar: DayBar, seconds: FloatArray, model: SpreadModel) -> QuotePath:
    """Bid and ask around the mid at `seconds` since the open, rounded outwards to ticks, at least one tick apart."""
    mid = mid_path(bar, seconds)
    turnover = max(bar.close * bar.volume / 1e6, 1e-6)
    usual = (
        model.floor + model.range_share * (bar.high - bar.low) / bar.close + model.illiquid / float(np.sqrt(turnover))
    )
    fading = np.clip(1.0 - seconds / model.opening_seconds, 0.0, 1.0)
    share = np.minimum(usual * (1.0 + (model.opening_factor - 1.0) * fading * fading), model.ceiling)
    tick = tick_of(bar.low)
    width = float(tick)
    # A price that is a tick but for the last digits of a float must not be pushed one tick out: hence the 1e-9.
    bid = np.maximum(np.floor(mid * (1.0 - share / 2.0) / width + 1e-9).astype(np.int64), 1)
    ask = np.maximum(np.ceil(mid * (1.0 + share / 2.0) / width - 1e-9).astype(np.int64), bid + 1)
    return QuotePath(bid, ask, tick)


def displayed_size(bar: DayBar, second: int, side: str) -> int:
    """Shares shown on one side of the quote ("bid" or "ask"): round lots of 100, more in busier symbols, renewed every
    five seconds.
    """
    draw = float(uniforms(f"{bar.symbol}/{bar.day}/{side}", np.array([second // 5]))[0])
    lots = max(1.0, bar.volume / bar.seconds / 20.0)
    return 100 * int(1.0 + lots * (0.5 + 1.5 * draw))
