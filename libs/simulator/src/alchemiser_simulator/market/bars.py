"""Daily bars as JSON text, page by page. Rendered once a bar and joined after that: 10,000 bars take milliseconds.

In: symbols, a span of days, an adjustment and the virtual now. Out: one page. Must never show a bar, or a split, from
after the virtual now.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from alchemiser_simulator.market.derive import FloatArray
from alchemiser_simulator.market.intraday import DayBar, mid_path
from alchemiser_simulator.market.market import Market, second_of
from alchemiser_simulator.market.sessions import new_york_day, new_york_midnight, stamp

type Adjustment = Literal["raw", "split", "dividend", "all"]


class PageTokenError(ValueError):
    """A page token that this market never gave out; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BarQuery:
    """Bars of `symbols` whose timestamp (midnight in New York) lies in [start, end], `limit` of them a page, 1 at
    least. Unknown symbols have no bars.
    """

    symbols: Sequence[str]
    start: datetime
    end: datetime
    adjustment: Adjustment = "raw"
    descending: bool = False
    limit: int = 1000
    page_token: str | None = None


@dataclass(frozen=True, slots=True)
class _Resume:
    symbol: str
    row: int


def render(bar: DayBar, at: str) -> str:
    """One bar as JSON, with the timestamp `at`."""
    return _text(at, bar.open, bar.high, bar.low, bar.close, bar.volume)


def _text(at: str, opened: float, high: float, low: float, close: float, volume: float) -> str:
    """A bar as JSON; the average price and the number of trades are made up from it."""
    mean = (opened + high + low + close) / 4
    return (
        f'{{"t":"{at}","o":{opened!r},"h":{high!r},"l":{low!r},"c":{close!r},'
        f'"v":{volume:.0f},"n":{int(volume / 100) + 1},"vw":{mean!r}}}'
    )


class BarPages:
    """Pages of daily bars over a market, with rendered bars kept by symbol and adjustment."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._stamps = [new_york_midnight(session.day) for session in market.calendar.sessions]
        self._texts = [stamp(moment) for moment in self._stamps]
        self._rendered: dict[tuple[str, str], tuple[tuple[int, int, int], dict[int, str]]] = {}

    # All bars of a query stand in one row, by symbol and then by day; a page is a stretch of it. Its token names the
    # last bar shown, not a position: whoever resumes goes on behind that bar, even if bars have been added since.
    # There is a token only if a bar is left, so the last page says of itself that it is the last.
    def page(self, query: BarQuery, now: datetime) -> str:
        """The JSON body of one page. Raises PageTokenError."""
        resume = self._resume(query.page_token)
        budget, token, parts = query.limit, None, []
        last_row = ""
        for symbol in sorted(set(query.symbols)):
            if resume is not None and symbol < resume.symbol:
                continue
            rows = self._rows(symbol, query, now)
            if resume is not None and symbol == resume.symbol:
                at = resume.row
                rows = [row for row in rows if (row < at if query.descending else row > at)]
            if not rows:
                continue
            if budget == 0:
                token = last_row
                break
            taken = rows[:budget]
            parts.append(f"{json.dumps(symbol)}:[{','.join(self._bars(symbol, taken, query.adjustment, now))}]")
            budget -= len(taken)
            last_row = self._token(symbol, taken[-1])
            if len(taken) < len(rows):
                token = last_row
                break
        ending = "null" if token is None else f'"{token}"'
        return f'{{"bars":{{{",".join(parts)}}},"next_page_token":{ending}}}'

    def rendered(self, query: BarQuery, now: datetime) -> list[str]:
        """The first `limit` bars of a query's first symbol, each as JSON; its page token counts for nothing."""
        symbol = query.symbols[0]
        return self._bars(symbol, self._rows(symbol, query, now)[: query.limit], query.adjustment, now)

    def _token(self, symbol: str, row: int) -> str:
        return base64.urlsafe_b64encode(f"{symbol}|D|{self._market.calendar.sessions[row].day}".encode()).decode()

    def _resume(self, token: str | None) -> _Resume | None:
        if token is None:
            return None
        try:
            symbol, _, day = base64.urlsafe_b64decode(token).decode().split("|")
            row = [str(session.day) for session in self._market.calendar.sessions].index(day)
        except (ValueError, binascii.Error) as error:
            raise PageTokenError(f"invalid page token {token!r}") from error
        return _Resume(symbol, row)

    def _rows(self, symbol: str, query: BarQuery, now: datetime) -> list[int]:
        """Session numbers of a symbol's bars in the span, in the order asked for."""
        if not self._market.known(symbol, now):
            return []
        first = bisect_left(self._stamps, query.start)
        last = min(bisect_right(self._stamps, query.end) - 1, self._market.calendar.started(now))
        if first > last:
            return []
        close = self._market.history.bars(symbol).close[first : last + 1]
        rows = (np.flatnonzero(~np.isnan(close)) + first).tolist()
        if skipped := self._market.history.skipped:
            rows = [row for row in rows if (symbol, self._market.calendar.sessions[row].day) not in skipped]
        return list(reversed(rows)) if query.descending else rows

    # Rendering is what takes time, so a finished bar is rendered once and its text kept. It stays true until an
    # adjustment restates it: one more split is known (`known` counts them), or, where dividends count, it is another
    # day (`dated`), to which their factors are normalised. Then the symbol's texts of that adjustment are dropped. The
    # bar of a session in progress is never kept.
    def _bars(self, symbol: str, rows: Sequence[int], adjustment: Adjustment, now: datetime) -> list[str]:
        completed = self._market.calendar.completed(now)
        history, today = self._market.history, new_york_day(now)
        known = sum(split.symbol == symbol and split.day <= today for split in history.splits)
        dated = (
            int(today.toordinal())
            if adjustment in {"dividend", "all"} and (history.adjusted_close is not None or history.distributions)
            else 0
        )
        state = (self._market.edition, known, dated)
        kept, cache = self._rendered.get((symbol, adjustment), ((-1, -1, -1), {}))
        if kept != state:
            cache = {}
            self._rendered[symbol, adjustment] = state, cache
        if missing := [row for row in rows if row <= completed and row not in cache]:
            cache.update(zip(missing, self._whole_bars(symbol, missing, adjustment, now), strict=True))
        return [cache[row] if row <= completed else self._unfinished(symbol, row, now) for row in rows]

    def _whole_bars(self, symbol: str, rows: Sequence[int], adjustment: Adjustment, now: datetime) -> Iterable[str]:
        """Finished bars, adjusted and rendered a column at a time."""
        bars, factors = self._market.history.bars(symbol), self._factors(symbol, adjustment, now)[rows]
        prices = [(column[rows] / factors).tolist() for column in (bars.open, bars.high, bars.low, bars.close)]
        volumes = (bars.volume[rows] * factors).tolist()
        return map(_text, (self._texts[row] for row in rows), *prices, volumes)

    def _unfinished(self, symbol: str, row: int, now: datetime) -> str:
        """The bar of the session in progress; no adjustment lies after it."""
        return render(self.so_far(symbol, row, now), self._texts[row])

    def _factors(self, symbol: str, adjustment: Adjustment, now: datetime) -> FloatArray:
        history, today = self._market.history, new_york_day(now)
        factors = np.ones(len(history.dates))
        if adjustment in {"split", "all"}:
            factors = factors * history.split_factors(symbol, today)
        if adjustment in {"dividend", "all"}:
            factors = factors * history.dividend_factors(symbol, today)
        return factors

    def _whole(self, symbol: str, row: int) -> DayBar:
        bar = self._market.bar(symbol, self._market.calendar.sessions[row])
        if bar is None:
            raise LookupError(f"{symbol} has no bar in session {row}")
        return bar

    def so_far(self, symbol: str, row: int, now: datetime) -> DayBar:
        """The bar of a session in progress: what its path has done until `now`."""
        bar = self._whole(symbol, row)
        elapsed = max(second_of(self._market.calendar.sessions[row], now), 0)
        return span_of(bar, 0, min(elapsed, bar.seconds))

    def latest_minute(self, symbol: str, row: int, now: datetime) -> tuple[DayBar, datetime]:
        """The last full minute of a session as a bar, and when it began."""
        session = self._market.calendar.sessions[row]
        bar = self._whole(symbol, row)
        elapsed = min(max(second_of(session, now), 60), bar.seconds)
        minute = elapsed // 60 - 1
        start = session.opens + timedelta(minutes=minute)
        return span_of(bar, minute * 60, minute * 60 + 60), start


def span_of(bar: DayBar, first: int, last: int) -> DayBar:
    """The part of a day's bar between two seconds of its session, both included, with its share of the volume."""
    mid = mid_path(bar, np.arange(first, last + 1, dtype=np.float64))
    if bar.low >= 1.0:
        mid = np.round(mid, 4)
    volume = math.floor(bar.volume * (last - first) / bar.seconds)
    return DayBar(
        bar.symbol,
        bar.day,
        bar.seconds,
        float(mid[0]),
        float(mid.max()),
        float(mid.min()),
        float(mid[-1]),
        float(volume),
    )
