"""The account's activities as the trading API lists them: fills and all other entries, filtered and in pages.

In: an exchange and a query. Out: the JSON of one page. An activity is told from its `shown_at` on, never before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from alchemiser_simulator.exchange.activities import Entry
from alchemiser_simulator.exchange.exchange import Exchange
from alchemiser_simulator.exchange.orders import Fill
from alchemiser_simulator.exchange.refusals import invalid, text
from alchemiser_simulator.http.bodies import ActivitiesQuery, aware, symbols_of
from alchemiser_simulator.http.wire import Json, JsonObject
from alchemiser_simulator.market.sessions import NEW_YORK, stamp

FILL = "FILL"
_TRANSFERS = frozenset({"CSD", "CSW"})
# As Alpaca's own description lists them; TRANS and MISC stand for several.
_NAMES = (
    "FILL TRANS MISC ACATC ACATS CFEE CGD CIL CSD CSW DIV DIVCGL DIVCGS DIVFEE DIVFT DIVNRA DIVROC DIVTW DIVTXEX FEE "
    "INT INTNRA INTTW JNL JNLC JNLS MA NC OPASN OPCA OPCSH OPEXC OPEXP OPTRD PTC PTR REO REORG SPIN SPLIT FOPT OCT"
)
_CODES = frozenset(_NAMES.split())
_TOKEN = re.compile(r"(\d{17})::[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class _Activity:
    """A fill or an entry, and where it stands among all."""

    told_at: datetime
    number: int
    item: Fill | Entry

    @property
    def code(self) -> str:
        return FILL if isinstance(self.item, Fill) else self.item.code

    @property
    def id(self) -> str:
        """The moment in New York to the millisecond and a UUID that begins with the activity's number: unique, the same
        for the same calls, and as text in the order in which activities were told.
        """
        identity = self.item.id
        if self.number:
            identity = UUID(bytes=self.number.to_bytes(4) + identity.bytes[4:])
        local = self.told_at.astimezone(NEW_YORK)
        return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}::{identity}"


def activities_page(exchange: Exchange, query: ActivitiesQuery, kind: str | None = None) -> list[Json]:
    """One page, newest first unless asked otherwise; `kind`: the type that the path names. Raises Refusal."""
    codes = _codes(kind or query.activity_types)
    if codes is not None and query.category is not None:
        raise invalid("category cannot be used with activity_types")
    first, last = _span(query)
    chosen = [
        activity
        for activity in _told(exchange)
        if (codes is None or activity.code in codes)
        and (query.category is None or (activity.code == FILL) == (query.category == "trade_activity"))
        and (query.order_id is None or getattr(activity.item, "order_id", None) == query.order_id)
        and (first is None or first < activity.told_at)
        and (last is None or activity.told_at < last)
    ]
    if query.direction == "desc":
        chosen.reverse()
    start = _behind(chosen, query)
    return [_json(activity, exchange) for activity in chosen[start : start + query.page_size]]


def _told(exchange: Exchange) -> list[_Activity]:
    """All that has been told by now, oldest first."""
    books, now = exchange.books, exchange.now
    fills = [_Activity(fill.at, fill.number, fill) for fill in books.fills]
    entries = [_Activity(entry.shown_at, entry.number, entry) for entry in books.entries if entry.shown_at <= now]
    return sorted([*fills, *entries], key=lambda activity: (activity.told_at, activity.number))


def _codes(names: str | None) -> frozenset[str] | None:
    """Activity types asked for, those that stand for several resolved; None for all."""
    if not names:
        return None
    wanted = set(symbols_of(names))
    for name in sorted(wanted - _CODES):
        raise invalid(f"invalid activity type: {name}")
    if "TRANS" in wanted:
        wanted |= _TRANSFERS
    if "MISC" in wanted:
        wanted |= {code for code in _CODES - _TRANSFERS if code != FILL and not code.startswith("DIV")}
    return frozenset(wanted)


def _span(query: ActivitiesQuery) -> tuple[datetime | None, datetime | None]:
    """Between which moments an activity was told, neither included."""
    if query.date is not None:
        if query.after is not None or query.until is not None:
            raise invalid("date cannot be used with after or until")
        begins = datetime.combine(_moment("date", query.date).date(), datetime.min.time(), UTC)
        return begins - timedelta(microseconds=1), begins + timedelta(days=1)
    first = None if query.after is None else _moment("after", query.after)
    return first, None if query.until is None else _moment("until", query.until)


def _moment(name: str, given: str) -> datetime:
    """A moment, or the midnight (UTC) with which a date begins."""
    try:
        if len(given) == len("2020-06-01"):
            return datetime.combine(date.fromisoformat(given), datetime.min.time(), UTC)
        moment = aware(datetime.fromisoformat(given))
    except ValueError as error:
        raise invalid(f"invalid {name} {given!r}: give YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ") from error
    if moment is None:
        raise invalid(f"invalid {name} {given!r}")
    return moment


# The token is the id of the last activity of the page before. It is a place in the order of ids, not a row: what is
# told between two pages neither shifts the next one nor shows twice, and its own activity may have been filtered out.
def _behind(chosen: list[_Activity], query: ActivitiesQuery) -> int:
    """Where the page after the token begins."""
    token = query.page_token
    if token is None:
        return 0
    if _TOKEN.fullmatch(token) is None:
        raise invalid(f"invalid page_token {token!r}")
    ids = [activity.id for activity in chosen]
    if token in ids:
        return ids.index(token) + 1
    descending = query.direction == "desc"
    return next((row for row, one in enumerate(ids) if (one < token if descending else one > token)), len(ids))


def _json(activity: _Activity, exchange: Exchange) -> JsonObject:
    item = activity.item
    return _fill(activity.id, item, exchange) if isinstance(item, Fill) else _entry(activity.id, item)


def _fill(identity: str, fill: Fill, exchange: Exchange) -> JsonObject:
    done = fill.leaves_qty == 0
    return {
        "id": identity,
        "account_id": str(exchange.books.head.account),
        "activity_type": FILL,
        "transaction_time": stamp(fill.at),
        "type": "fill" if done else "partial_fill",
        "price": text(fill.price),
        "qty": text(fill.qty),
        "side": fill.side.value,
        "symbol": fill.symbol,
        "leaves_qty": text(fill.leaves_qty),
        "order_id": str(fill.order_id),
        "cum_qty": text(fill.cum_qty),
        "order_status": "filled" if done else "partially_filled",
    }


def _entry(identity: str, entry: Entry) -> JsonObject:
    """An entry; fields that its type does not have are absent."""
    optional: dict[str, str | None] = {
        "activity_sub_type": entry.sub_code or None,
        "symbol": entry.symbol or None,
        "qty": text(entry.qty) if entry.qty else None,
        "per_share_amount": None if entry.per_share is None else text(entry.per_share),
        "group_id": None if entry.group is None else str(entry.group),
    }
    return {
        "id": identity,
        "activity_type": entry.code,
        "date": entry.day.isoformat(),
        "created_at": stamp(entry.shown_at),
        "net_amount": text(entry.amount),
        "currency": "USD",
        "description": entry.description,
        "status": entry.status,
        **{name: value for name, value in optional.items() if value is not None},
    }
