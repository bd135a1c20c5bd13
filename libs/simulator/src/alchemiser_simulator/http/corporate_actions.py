"""Corporate actions as the market-data API lists them: those that the price history knows and that were announced.

In: a history and a query. Out: the JSON of one page. Each is processed on the day it takes effect.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from hashlib import blake2b
from uuid import UUID, uuid5

from alchemiser_simulator.http.wire import Json, JsonObject
from alchemiser_simulator.market.actions import (
    Action,
    CashDividend,
    MadeSplit,
    Merger,
    Renamed,
    SpinOff,
    StockDividend,
    WorthlessRemoval,
)
from alchemiser_simulator.market.bars import PageTokenError
from alchemiser_simulator.market.history import PriceHistory

_IDS = UUID("0e4f3c0a-7b0c-5b0e-9a4b-4f3f5d3c2a11")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionQuery:
    """Actions processed from `start` to `end`, both included, that are known `today`; no symbols: of all, no types:
    all, `limit` a page.
    """

    symbols: frozenset[str]
    types: frozenset[str] | None
    start: date
    end: date
    today: date
    descending: bool = False
    limit: int = 100
    page_token: str | None = None


@dataclass(frozen=True, slots=True)
class _Announcement:
    type: str
    symbols: tuple[str, ...]
    day: date
    fields: JsonObject


def corporate_actions(history: PriceHistory, query: ActionQuery) -> JsonObject:
    """The JSON of one page: lists by type, and the next page's token or null. Raises PageTokenError."""
    found = [one for one in _announced(history, query.today) if _wanted(one, query)]
    found.sort(key=lambda one: (one.day, one.symbols), reverse=query.descending)
    first = _position(query.page_token)
    last = first + query.limit
    page: dict[str, list[Json]] = defaultdict(list)
    for one in found[first:last]:
        page[f"{one.type}s"].append(one.fields)
    return {"corporate_actions": dict(page), "next_page_token": str(last) if last < len(found) else None}


def _position(token: str | None) -> int:
    try:
        return 0 if token is None else int(token)
    except ValueError as error:
        raise PageTokenError(f"invalid page token {token!r}") from error


def _wanted(one: _Announcement, query: ActionQuery) -> bool:
    by_symbol = not query.symbols or not query.symbols.isdisjoint(one.symbols)
    by_type = query.types is None or one.type in query.types
    return by_symbol and by_type and query.start <= one.day <= query.end


def _announced(history: PriceHistory, today: date) -> Iterator[_Announcement]:
    for actions in history.happenings.values():
        for action in actions:
            if action.announced and action.after(action.announced_days) <= today:
                kind, fields = _told(action)
                day = action.day.isoformat()
                identity = str(uuid5(_IDS, f"{kind}/{action.symbol}/{day}"))
                symbols = tuple(str(value) for name, value in fields.items() if name.endswith("symbol"))
                yield _Announcement(kind, symbols, action.day, {"id": identity, **fields, "process_date": day})


def _told(action: Action) -> tuple[str, JsonObject]:
    """The type and the fields of an announcement, in Alpaca's names."""
    day, symbol = action.day.isoformat(), action.symbol
    dates: JsonObject = {"ex_date": day, "record_date": day, "payable_date": action.after(action.lag_days).isoformat()}
    named: JsonObject = {"symbol": symbol, "cusip": _cusip(symbol)}
    found: tuple[str, JsonObject]
    match action:
        case MadeSplit():
            ratio = Fraction(action.ratio or 1).limit_denominator(1000)
            rates: JsonObject = {"new_rate": ratio.numerator, "old_rate": ratio.denominator, **dates}
            numbers: JsonObject = {"old_cusip": _cusip(symbol), "new_cusip": _cusip(f"{symbol}/{day}")}
            reverse: JsonObject = {"symbol": symbol, **numbers, **rates}
            found = ("forward_split", {**named, **rates}) if ratio >= 1 else ("reverse_split", reverse)
        case Renamed(into=into):
            names: JsonObject = {"old_symbol": symbol, "old_cusip": _cusip(symbol)}
            found = "name_change", {**names, "new_symbol": into, "new_cusip": _cusip(into)}
        case CashDividend(special=special):
            paid: JsonObject = {"rate": float(action.rate), "special": special, "foreign": False}
            found = "cash_dividend", {**named, **paid, **dates}
        case StockDividend():
            found = "stock_dividend", {**named, "rate": float(action.rate), **dates}
        case SpinOff(new_symbol=new):
            source: JsonObject = {"source_symbol": symbol, "source_cusip": _cusip(symbol)}
            given: JsonObject = {"source_rate": float(action.source_rate), "new_rate": float(action.new_rate)}
            found = "spin_off", {**source, "new_symbol": new, "new_cusip": _cusip(new), **given, **dates}
        case Merger():
            found = _merger(action)
        case WorthlessRemoval():
            found = "worthless_removal", named
    return found


def _merger(action: Merger) -> tuple[str, JsonObject]:
    ended: JsonObject = {
        "acquiree_symbol": action.symbol,
        "acquiree_cusip": _cusip(action.symbol),
        "effective_date": action.day.isoformat(),
        "payable_date": action.after(action.lag_days).isoformat(),
    }
    if action.acquirer is None:
        return "cash_merger", {**ended, "rate": float(action.cash_rate)}
    shares: JsonObject = {
        "acquirer_symbol": action.acquirer,
        "acquirer_cusip": _cusip(action.acquirer),
        "acquirer_rate": float(action.acquirer_rate),
        "acquiree_rate": float(action.acquiree_rate),
    }
    if not action.cash_rate:
        return "stock_merger", {**ended, **shares}
    return "stock_and_cash_merger", {**ended, **shares, "cash_rate": float(action.cash_rate)}


def _cusip(name: str) -> str:
    """Nine characters in the place of a security's number."""
    return blake2b(name.encode(), digest_size=5).hexdigest()[:9].upper()
