"""The broker's adjusted daily bars into a tidy file: begun, gone on with, brought up to date.

In: a source of bars, which symbols from which day to which, and a place. Out: the tidy file, and what was done. The
file is whole at all times: what is not finished is beside it, and the next call goes on with that. Must never join bars
of two adjustments.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from alchemiser_common.errors import BrokerThrottled
from alchemiser_common.messages.base import Frozen
from alchemiser_common.ports.broker import SymbolPrices
from alchemiser_prices import tidy
from alchemiser_prices.done import Done
from alchemiser_prices.errors import UnusablePrices

_LISTS = ("days", "opens", "highs", "lows", "closes", "volumes")
_FIELDS = ("open", "high", "low", "close", "volume")
_OVERLAP = 10
"""Bars that are asked for again, to see whether they are still the same."""
_SAME = 1e-9
_BARS_A_GROUP = 20_000
"""Two pages: enough for one answer to be worth the request, and little to do again."""
_PAUSE_SECONDS = 0.35
"""From group to group: the broker's usual limit is 200 requests a minute."""
_THROTTLED_SECONDS = 61.0
_THROTTLED_OFTEN = 5
_SESSIONS_A_YEAR = 252


class Source(Protocol):
    """Where bars come from."""

    def daily_prices(self, symbols: Sequence[str], first: date, last: date) -> Sequence[SymbolPrices]:
        """Whole adjusted bars first..last; symbols without any are left out. Raises BrokerUnavailable or -Refused."""
        ...


class Asked(Frozen):
    """What was asked of one symbol: its bars are all that the broker had between the two days."""

    first: date
    until: date


class Fetched(Frozen):
    """What a fetched file holds, kept in it."""

    feed: str
    symbols: Mapping[str, Asked]


@dataclass
class _Book:
    """The bars so far, by symbol."""

    feed: str
    asked: dict[str, Asked] = field(default_factory=dict)
    bars: dict[str, SymbolPrices] = field(default_factory=dict)

    def table(self) -> "pa.Table":
        """As the tidy file has it: by symbol and day."""
        names = sorted(self.bars)
        columns: dict[str, list[Any]] = {
            "date": [day for name in names for day in self.bars[name].days],
            "symbol": [name for name in names for _ in self.bars[name].days],
        }
        for column, values in zip(_FIELDS, _LISTS[1:], strict=True):
            columns[column] = [value for name in names for value in getattr(self.bars[name], values)]
        return tidy.table_of(columns)

    def write(self, place: Path) -> None:
        """Whole or not at all."""
        state = Fetched(feed=self.feed, symbols=dict(sorted(self.asked.items())))
        tidy.write(place, self.table(), fetched=state.model_dump_json().encode())


def fetched_symbols(place: Path) -> tuple[str, ...]:
    """The symbols of a file that was fetched, or of what there is of it; none if there is none."""
    found = [_state(path) for path in (unfinished(place), place)]
    return tuple(sorted({symbol for state in found if state is not None for symbol in state.symbols}))


def unfinished(place: Path) -> Path:
    """Where a fetch keeps what it has until it is done."""
    return place.with_name(f"{place.name}.unfinished")


def fetch(
    source: Source,
    symbols: Sequence[str],
    span: tuple[date, date],
    feed: str,
    place: Path,
    *,
    pause: Callable[[float], None],
    progress: Callable[[str, Done], None],
) -> Mapping[str, Done]:
    """Bring the file up to the last day of `span` for these symbols, each from the first day on; others are kept.

    `pause` waits so many seconds, `progress` is told of each symbol when it is safe. Raises UnusablePrices if the file
    is none of the broker's or of another feed, and what the source raises; what was done until then is kept.
    """
    first, last = span
    book = _opened(place, feed)
    done: dict[str, Done] = {}
    groups = _groups(book, list(dict.fromkeys(symbols)), first, last)
    while groups:
        begin, group = groups.pop(0)
        found = {bars.symbol: bars for bars in _patiently(source, group, begin, last, pause)}
        for symbol in group:
            known = book.asked.get(symbol)
            bars = found.get(symbol)
            if known is None or known.first > first or begin <= known.first:
                _put(book, symbol, bars, Asked(first=min(first, begin), until=last))
                readjusted = known is not None and known.first <= first
                done[symbol] = Done.NOTHING if bars is None else Done.READJUSTED if readjusted else Done.NEW
            elif (joined := _joined(book.bars[symbol], bars, begin)) is None:
                groups.append((known.first, [symbol]))
                continue
            else:
                grew = len(joined.days) > len(book.bars[symbol].days)
                _put(book, symbol, joined, Asked(first=known.first, until=last))
                done[symbol] = Done.EXTENDED if grew else Done.UNCHANGED
        book.write(unfinished(place))
        for symbol in group:
            if symbol in done:
                progress(symbol, done[symbol])
        if groups:
            pause(_PAUSE_SECONDS)
    if unfinished(place).exists():
        unfinished(place).replace(place)
    return {symbol: done.get(symbol, Done.UNCHANGED) for symbol in symbols}


def _state(path: Path) -> Fetched | None:
    text = tidy.fetched_state(path)
    return None if text is None else Fetched.model_validate_json(text)


def _opened(place: Path, feed: str) -> _Book:
    """What there is: of a fetch that was not finished, else of the file. Raises UnusablePrices."""
    for path in (unfinished(place), place):
        state = _state(path)
        if state is None:
            if path == place and path.exists():
                raise UnusablePrices(f"{place}: was not fetched from the broker; give another file with --out")
            continue
        if state.feed != feed:
            raise UnusablePrices(
                f"{path}: holds bars of feed {state.feed}, not {feed}; give another file with --out, or --feed "
                f"{state.feed}"
            )
        return _Book(feed, dict(state.symbols), _bars_of(parquet.ParquetFile(path).read()))
    return _Book(feed)


def _bars_of(table: "pa.Table") -> dict[str, SymbolPrices]:
    names = np.array(table.column("symbol").to_pylist(), dtype=object)
    days: list[Any] = table.column("date").to_pylist()
    columns: list[list[Any]] = [table.column(name).to_pylist() for name in _FIELDS]
    found = {}
    for name in dict.fromkeys(names):
        rows = np.flatnonzero(names == name)
        begin, end = int(rows[0]), int(rows[-1]) + 1  # by symbol: one stretch each
        found[str(name)] = SymbolPrices(str(name), days[begin:end], *(column[begin:end] for column in columns))
    return found


# A symbol is asked for from:
#
#     unknown so far, or known from a later day only    the first day
#     known up to today                                 nothing
#     known up to an earlier day                        some bars before that: if they are still the same, what follows
#                                                       is joined on; if not (a dividend, a split), all of them again
def _groups(book: _Book, symbols: Sequence[str], first: date, last: date) -> list[tuple[date, list[str]]]:
    begins: dict[date, list[str]] = {}
    for symbol in symbols:
        known, bars = book.asked.get(symbol), book.bars.get(symbol)
        if known is None or known.first > first or bars is None:
            begins.setdefault(first if known is None else min(first, known.first), []).append(symbol)
        elif known.until < last:
            begins.setdefault(bars.days[max(len(bars.days) - _OVERLAP, 0)], []).append(symbol)
    groups = []
    for begin in sorted(begins):
        sessions = max((last - begin).days * _SESSIONS_A_YEAR // 365, 1)
        size = max(_BARS_A_GROUP // sessions, 1)
        groups += [(begin, begins[begin][at : at + size]) for at in range(0, len(begins[begin]), size)]
    return groups


def _patiently(
    source: Source, group: Sequence[str], begin: date, last: date, pause: Callable[[float], None]
) -> Sequence[SymbolPrices]:
    """The bars; while the broker says that there were too many requests, a minute is waited."""
    for attempt in range(1, _THROTTLED_OFTEN + 1):
        try:
            return source.daily_prices(group, begin, last)
        except BrokerThrottled:
            if attempt == _THROTTLED_OFTEN:
                raise
            pause(_THROTTLED_SECONDS)
    raise AssertionError("_THROTTLED_OFTEN is at least 1")


def _put(book: _Book, symbol: str, bars: SymbolPrices | None, asked: Asked) -> None:
    if bars is not None:  # what the broker no longer has stays as it was
        book.bars[symbol], book.asked[symbol] = bars, asked


def _joined(old: SymbolPrices, new: SymbolPrices | None, begin: date) -> SymbolPrices | None:
    """The old bars and what follows them; None if the days that both have are not the same."""
    place = next(at for at, day in enumerate(old.days) if day >= begin)
    overlap = len(old.days) - place
    if new is None or list(new.days[:overlap]) != list(old.days[place:]):
        return None
    for values in ("opens", "highs", "lows", "closes"):
        before = np.array(getattr(old, values)[place:], np.float64)
        now = np.array(getattr(new, values)[:overlap], np.float64)
        if not np.allclose(before, now, rtol=_SAME, atol=0):
            return None
    later = {name: [*getattr(old, name), *getattr(new, name)[overlap:]] for name in _LISTS}
    return SymbolPrices(old.symbol, **later)
