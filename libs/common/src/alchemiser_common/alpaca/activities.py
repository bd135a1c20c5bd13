"""Alpaca's account activities as the port has them: fills, and entries of every other kind."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from alchemiser_common.alpaca.reading import (
    Day,
    Moment,
    Number,
    Payload,
    Text,
    Unreadable,
    convert,
    elements,
    guarded,
    members,
    shown,
    text_or_empty,
)
from alchemiser_common.errors import BrokerUnavailable
from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import AccountEntry, Activities, Activity, Fill
from alchemiser_common.ports.clock import EXCHANGE_ZONE

PAGE = 100
"""The most that Alpaca gives at once."""
_MOST_PAGES = 1000
_EARLIER = timedelta(days=1)
_LATER = timedelta(days=7)
"""Alpaca filters by when an activity was entered, which for dividends or fees may be the day after it happened, or a
weekend and a holiday later."""
_FILL = "FILL"
_SIDES = {"buy": Side.BUY, "sell": Side.SELL, "sell_short": Side.SELL}
_OPTION = re.compile(r"[A-Z0-9]{1,6}\d{6}[CP]\d{8}", re.ASCII)
_CONTRACT = 100
"""Shares of an option contract: what its price is multiplied with."""

type AskPage = Callable[[dict[str, str]], object]
"""Asks for one page with these parameters."""


class FillPayload(Payload):
    """A trade activity."""

    id: Text
    transaction_time: Moment
    symbol: Text
    side: Text
    qty: Number
    price: Number
    order_id: Text

    def activity(self) -> Activity:
        """The fill; that of an option, which no book holds, as the cash and contracts that it moved."""
        side = _SIDES.get(self.side)
        if side is None or self.qty <= 0:
            raise Unreadable(f"side {shown(self.side)}, qty {self.qty}")
        if _OPTION.fullmatch(self.symbol):
            sign = 1 if side is Side.BUY else -1
            return AccountEntry(
                activity_id=self.id,
                code=_FILL,
                day=_exchange_day(self.transaction_time),
                symbol=self.symbol,
                quantity=sign * self.qty,
                amount=-sign * self.qty * self.price * _CONTRACT,
                description="option contracts",
            )
        return Fill(
            activity_id=self.id,
            at=self.transaction_time,
            symbol=self.symbol,
            side=side,
            quantity=self.qty,
            price=self.price,
            order_id=self.order_id,
        )


class EntryPayload(Payload):
    """A non-trade activity."""

    id: Text
    activity_type: Text
    date: Day
    net_amount: Number | None = None
    qty: Number | None = None
    symbol: str | None = None
    status: Text | None = None
    description: str | None = None
    currency: str | None = None

    def activity(self) -> Activity:
        """The entry. Raises Unreadable if it moves neither a known amount nor known shares.

        What is paid on shares (a dividend) says nothing without its amount, for its shares stay where they are.
        """
        if self.net_amount is None and (self.qty is None or self.activity_type.startswith("DIV")):
            raise Unreadable("net_amount: is missing")
        if self.currency not in {None, "", "USD"}:
            raise Unreadable(f"currency: {shown(self.currency or '')}, not USD")
        return AccountEntry(
            activity_id=self.id,
            code=shown(self.activity_type),
            status=shown(self.status or "executed"),
            day=self.date,
            symbol=shown(self.symbol or ""),
            quantity=self.qty if self.qty is not None else Decimal(0),
            amount=self.net_amount if self.net_amount is not None else Decimal(0),
            description=shown(self.description or ""),
        )


# Pages are followed by the id of the last element, oldest first:
#
#     page 1   a b c … z    full: there may be more, after z
#     page 2   z1 z2        not full: the end
#
# A full page without one new element would be followed for ever: it ends the reading with an error.
def read_activities(ask: AskPage, first: date, last: date) -> Activities:
    """What happened, or was entered, from `first` to `last`, exchange dates, oldest first.

    Raises BrokerUnavailable if the pages cannot be followed, and what `ask` raises.
    """
    entries: dict[str, Activity] = {}
    odd: dict[str, None] = {}
    seen: set[str] = set()
    token = ""
    for _ in range(_MOST_PAGES):
        page = elements(ask(_parameters(first, last, token)), "account activities")
        fresh = [element for element in page if not _id(element) or _id(element) not in seen]
        for element in fresh:
            _sort_in(element, first, last, entries, odd)
        ids = [found for element in page if (found := _id(element))]
        if len(page) < PAGE:
            return Activities(tuple(sorted(entries.values(), key=_day_of)), tuple(odd))
        if not ids or seen.issuperset(ids):
            raise BrokerUnavailable("account activities: a full page brings nothing new; its successor is not known")
        seen.update(ids)
        token = ids[-1]
    raise BrokerUnavailable(f"account activities: more than {_MOST_PAGES} pages from {first} to {last}")


def _parameters(first: date, last: date, token: str) -> dict[str, str]:
    asked = {
        "after": f"{_midnight(first - _EARLIER):%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{_midnight(last + _LATER):%Y-%m-%dT%H:%M:%SZ}",
        "direction": "asc",
        "page_size": str(PAGE),
    }
    return asked | ({"page_token": token} if token else {})


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=EXCHANGE_ZONE).astimezone(UTC)


def _sort_in(element: object, first: date, last: date, entries: dict[str, Activity], odd: dict[str, None]) -> None:
    try:
        found = guarded(_activity, element)
        entered = _entered(members(element))
        if not any(first <= day <= last for day in (_day_of(found), entered) if day is not None):
            return
        if entries.setdefault(found.activity_id, found) != found:
            raise Unreadable("its id was used for another activity before")  # noqa: TRY301
    except Unreadable as error:
        fields = element if isinstance(element, dict) else {}
        name = " ".join(text_or_empty(fields.get(field)) for field in ("activity_type", "symbol", "id")).split()
        odd[f"{' '.join(name) or 'an activity'}: {error}"] = None


def _activity(element: object) -> Activity:
    fields = members(element)
    if fields.get("activity_type") == _FILL:
        return convert(FillPayload, fields).activity()
    return convert(EntryPayload, fields).activity()


def _entered(fields: Mapping[str, object]) -> date | None:
    """The exchange date on which the broker entered it, if it says so."""
    try:
        return _exchange_day(convert(Moment, fields.get("created_at")))
    except Unreadable:
        return None


def _day_of(activity: Activity) -> date:
    return _exchange_day(activity.at) if isinstance(activity, Fill) else activity.day


def _exchange_day(moment: datetime) -> date:
    return moment.astimezone(EXCHANGE_ZONE).date()


def _id(element: object) -> str:
    found = element.get("id") if isinstance(element, dict) else None
    return found if isinstance(found, str) else ""
