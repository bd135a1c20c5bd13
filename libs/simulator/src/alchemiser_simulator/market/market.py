"""What the market shows at a moment: quotes, last prices and paths, from the history alone.

In: symbol and time. Out: quotes and prices as Decimals. Must never look past the moment asked about, except along the
path of the session a caller is matching.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

import numpy as np

from alchemiser_simulator.market.history import PriceHistory
from alchemiser_simulator.market.intraday import (
    DayBar,
    QuotePath,
    SpreadModel,
    displayed_size,
    mid_path,
    quote_path,
    tick_of,
)
from alchemiser_simulator.market.sessions import Session, SessionCalendar, new_york_day


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask in USD, sizes in shares; `at` is when it was the quote, aware UTC."""

    at: datetime
    bid: Decimal
    ask: Decimal
    bid_size: int
    ask_size: int


_PATHS = 256
"""Whole sessions of symbols that orders are matched against, 0.4 MB each."""


def second_of(session: Session, now: datetime) -> int:
    """Whole seconds since the open, negative before it."""
    return math.floor((now - session.opens).total_seconds())


class Market:
    """A history, its sessions and a spread model. Symbols that the history does not know raise KeyError."""

    def __init__(self, history: PriceHistory, spread: SpreadModel) -> None:
        self.history = history
        self.edition = 0
        """Grows when the history is changed: what was derived from an older one is not to be shown."""
        self.calendar = SessionCalendar(history.dates)
        self.spread = spread
        self._path = lru_cache(maxsize=_PATHS)(self._full_path)
        self._second = lru_cache(maxsize=1024)(self._one_second)
        self._price = lru_cache(maxsize=1024)(self._last_price)

    def change(self, history: PriceHistory) -> None:
        """Go on with another history of the same dates."""
        self.history = history
        self.edition += 1
        self._path.cache_clear()
        self._second.cache_clear()
        self._price.cache_clear()

    def known(self, symbol: str, now: datetime) -> bool:
        """Whether the market has heard of the symbol by `now`."""
        return self.history.known(symbol, new_york_day(now))

    def bar(self, symbol: str, session: Session) -> DayBar | None:
        """The symbol's bar of a session, None if it did not trade."""
        bars, row = self.history.bars(symbol), session.number
        close = float(bars.close[row])
        if math.isnan(close):
            return None
        return DayBar(
            symbol,
            session.day,
            session.seconds,
            float(bars.open[row]),
            float(bars.high[row]),
            float(bars.low[row]),
            close,
            float(bars.volume[row]),
        )

    def path(self, symbol: str, session: Session) -> QuotePath | None:
        """Bid and ask for every second of a session, None if the symbol does not trade in it."""
        return self._path(symbol, session.number)

    def _full_path(self, symbol: str, number: int) -> QuotePath | None:
        session = self.calendar.sessions[number]
        bar = self.bar(symbol, session)
        return None if bar is None else quote_path(bar, np.arange(session.seconds + 1, dtype=np.float64), self.spread)

    def _one_second(self, symbol: str, number: int, second: int) -> QuotePath | None:
        bar = self.bar(symbol, self.calendar.sessions[number])
        return None if bar is None else quote_path(bar, np.array([second], dtype=np.float64), self.spread)

    def standing(self, symbol: str, now: datetime) -> tuple[DayBar, Session] | None:
        """The latest session in which the symbol traded, the current one included."""
        number = self.calendar.started(now)
        while number >= 0:
            session = self.calendar.sessions[number]
            bar = self.bar(symbol, session)
            if bar is not None:
                return bar, session
            number -= 1
        return None

    def _split_since(self, symbol: str, bar_day: date, now: datetime) -> Decimal:
        """New shares for each share of that bar's day. Overnight, between a split and the first bar after it, the last
        price is one of old shares while holdings are of new ones: undivided, equity would jump until the open.
        """
        ratio = Decimal(1)
        for split in self.history.splits:
            if split.symbol == symbol and bar_day < split.day <= new_york_day(now):
                ratio *= Decimal(str(split.ratio))
        return ratio

    def _paid_since(self, symbol: str, bar_day: date, now: datetime) -> Decimal:
        """USD a share that have left the price since that bar's day, for the same night and the same reason."""
        return sum(
            (
                paid.amount
                for paid in self.history.distributions_of.get(symbol, ())
                if bar_day < paid.day <= new_york_day(now)
            ),
            Decimal(0),
        )

    def quote(self, symbol: str, now: datetime) -> Quote | None:
        """The quote at `now`; outside sessions the last one of the latest session, with its own time. None before the
        symbol's first bar.
        """
        standing = self.standing(symbol, now)
        if standing is None:
            return None
        bar, session = standing
        second = min(second_of(session, now), session.seconds)
        path = self._second(symbol, session.number, second)
        if path is None:
            return None
        ratio, paid = self._split_since(symbol, bar.day, now), self._paid_since(symbol, bar.day, now)
        return Quote(
            min(now, session.closes),
            max(path.price(int(path.bid[0])) / ratio - paid, path.tick),
            max(path.price(int(path.ask[0])) / ratio - paid, 2 * path.tick),
            displayed_size(bar, second, "bid"),
            displayed_size(bar, second, "ask"),
        )

    def last_price(self, symbol: str, now: datetime) -> Decimal | None:
        """Price of the last trade in USD, rounded to the tick; None before the symbol's first bar."""
        return self._price(symbol, now)

    def _last_price(self, symbol: str, now: datetime) -> Decimal | None:
        standing = self.standing(symbol, now)
        if standing is None:
            return None
        bar, session = standing
        second = min(second_of(session, now), session.seconds)
        mid = float(mid_path(bar, np.array([second], dtype=np.float64))[0])
        price = _to_tick(mid, bar.low) / self._split_since(symbol, bar.day, now)
        return max(price - self._paid_since(symbol, bar.day, now), tick_of(bar.low))

    def last_trade_at(self, symbol: str, now: datetime) -> datetime:
        """When that was: `now` during a session, else the close of the latest one in which the symbol traded."""
        standing = self.standing(symbol, now)
        return now if standing is None else min(now, standing[1].closes)

    def previous_close(self, symbol: str, now: datetime) -> Decimal | None:
        """Close in USD of the latest session that ended before today, in today's shares; None if there is none."""
        today = new_york_day(now)
        number = self.calendar.completed(now)
        while number >= 0:
            session = self.calendar.sessions[number]
            bar = self.bar(symbol, session) if session.day < today else None
            if bar is not None:
                return _to_tick(bar.close, bar.low) / self._split_since(symbol, bar.day, now)
            number -= 1
        return None


def _to_tick(price: float, low: float) -> Decimal:
    tick = tick_of(low)
    return tick * round(price / float(tick))
