"""Corporate actions as the market-data API lists them: the splits and renamings that the price history knows.

In: a history and a query. Out: the JSON of one page. Each is processed on the day it takes effect.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from alchemiser_simulator.http.wire import Json, JsonObject
from alchemiser_simulator.market.bars import PageTokenError
from alchemiser_simulator.market.history import PriceHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionQuery:
    """Actions processed from `start` to `end`, both included; no symbols: of all, no types: all, `limit` a page."""

    symbols: frozenset[str]
    types: frozenset[str] | None
    start: date
    end: date
    descending: bool = False
    limit: int = 100
    page_token: str | None = None


@dataclass(frozen=True, slots=True)
class _Action:
    type: str
    symbols: tuple[str, ...]
    day: date
    fields: JsonObject


def corporate_actions(history: PriceHistory, query: ActionQuery) -> JsonObject:
    """The JSON of one page: lists by type, and the next page's token or null. Raises PageTokenError."""
    found = [action for action in _actions(history) if _wanted(action, query)]
    found.sort(key=lambda action: (action.day, action.symbols), reverse=query.descending)
    first = _position(query.page_token)
    last = first + query.limit
    page: dict[str, list[Json]] = defaultdict(list)
    for action in found[first:last]:
        page[f"{action.type}s"].append(action.fields)
    return {"corporate_actions": dict(page), "next_page_token": str(last) if last < len(found) else None}


def _position(token: str | None) -> int:
    try:
        return 0 if token is None else int(token)
    except ValueError as error:
        raise PageTokenError(f"invalid page token {token!r}") from error


def _wanted(action: _Action, query: ActionQuery) -> bool:
    by_symbol = not query.symbols or not query.symbols.isdisjoint(action.symbols)
    by_type = query.types is None or action.type in query.types
    return by_symbol and by_type and query.start <= action.day <= query.end


def _actions(history: PriceHistory) -> Iterator[_Action]:
    for split in history.splits:
        if split.announced:
            ratio, day = Fraction(split.ratio).limit_denominator(1000), split.day.isoformat()
            fields: JsonObject = {
                "symbol": split.symbol,
                "new_rate": ratio.numerator,
                "old_rate": ratio.denominator,
                "process_date": day,
                "ex_date": day,
                "record_date": day,
                "payable_date": day,
            }
            kind = "forward_split" if split.ratio >= 1 else "reverse_split"
            yield _Action(kind, (split.symbol,), split.day, fields)
    for ending in history.endings:
        if ending.into is not None:
            names: JsonObject = {"old_symbol": ending.symbol, "new_symbol": ending.into}
            fields = {**names, "process_date": ending.day.isoformat()}
            yield _Action("name_change", (ending.symbol, ending.into), ending.day, fields)
