"""Bodies and queries the HTTP routes accept, as pydantic models; what does not fit is refused by the field's name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from alchemiser_simulator.exchange.orders import OrderTicket, OrderType, Side, TimeInForce
from alchemiser_simulator.exchange.refusals import Refusal, unprocessable


class Body(BaseModel):
    """Unknown fields are ignored, as the real API does. Quantities in shares, amounts and prices in USD."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class OrderBody(Body):
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    client_order_id: str | None = Field(default=None, max_length=128)
    extended_hours: bool = False
    order_class: Literal["", "simple"] | None = None

    @property
    def ticket(self) -> OrderTicket:
        """The order asked for; an empty client order id is none."""
        return OrderTicket(
            symbol=self.symbol,
            side=self.side,
            type=self.type,
            time_in_force=self.time_in_force,
            qty=self.qty,
            notional=self.notional,
            limit_price=self.limit_price,
            client_order_id=self.client_order_id or None,
            extended_hours=self.extended_hours,
        )


# Alpaca's fields of orders that this exchange cannot play. Dropping one would make another order of it.
_NOT_OFFERED = frozenset(
    {"stop_price", "trail_price", "trail_percent", "trail", "take_profit", "stop_loss", "legs", "ratio_qty"}
)
_INTENTS = {"buy": "buy_to_open", "sell": "sell_to_close"}


def check_offered(values: Mapping[object, object]) -> None:
    """Raises Refusal for what an order's body asks for and this exchange does not offer, by the field's name."""
    kind, shape = values.get("type"), values.get("order_class")
    if isinstance(kind, str) and kind not in {"market", "limit"}:
        raise unprocessable(f'order type "{kind}" is not offered by this simulator; use market or limit')
    if shape not in {None, "", "simple"}:
        raise unprocessable(f'order class "{shape}" is not offered by this simulator; use simple')
    for name in sorted(_NOT_OFFERED):
        if values.get(name) is not None:
            raise unprocessable(f"{name} is not offered by this simulator; leave it out")
    intent = values.get("position_intent")
    if intent is not None and intent != _INTENTS.get(str(values.get("side"))):
        raise unprocessable(f'position intent "{intent}" is not offered by this simulator; it holds no short positions')
    if values.get("extended_hours") is True and (kind, values.get("time_in_force")) != ("limit", "day"):
        raise unprocessable("extended hours order must be DAY limit orders")
    known = {*OrderBody.model_fields, *ReplaceBody.model_fields, *_NOT_OFFERED, "position_intent"}
    for name in sorted(str(name) for name in values if name not in known):
        raise unprocessable(f"unknown field {name}: an order of this simulator has none such")


class ReplaceBody(Body):
    qty: Decimal | None = None
    limit_price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    client_order_id: str | None = Field(default=None, max_length=128)


class ClosePositionQuery(Body):
    qty: Decimal | None = None
    percentage: Decimal | None = None


class OrdersQuery(Body):
    status: Literal["open", "closed", "all"] = "open"
    limit: int = Field(default=50, ge=1, le=500)
    after: datetime | None = None
    until: datetime | None = None
    direction: Literal["asc", "desc"] = "desc"
    side: Side | None = None
    symbols: str | None = None

    @field_validator("after", "until")
    @classmethod
    def _aware(cls, moment: datetime | None) -> datetime | None:
        return aware(moment)


class ActivitiesQuery(Body):
    """Days and moments as text: what they mean depends on the parameter."""

    activity_types: str | None = None
    category: Literal["trade_activity", "non_trade_activity"] | None = None
    order_id: UUID | None = None
    date: str | None = None
    after: str | None = None
    until: str | None = None
    direction: Literal["asc", "desc"] = "desc"
    page_size: int = Field(default=100, ge=1, le=100)
    page_token: str | None = None


class CalendarQuery(Body):
    start: date = date(1993, 1, 1)
    end: date | None = None

    @field_validator("start", "end", mode="before")
    @classmethod
    def _day(cls, value: str | date | None) -> str | date | None:
        return value[:10] if isinstance(value, str) else value


class BarsQuery(Body):
    symbols: str
    timeframe: str
    start: datetime | None = None
    end: datetime | None = None
    limit: int = Field(default=1000, ge=1, le=10_000)
    adjustment: Literal["raw", "split", "dividend", "all"] = "raw"
    sort: Literal["asc", "desc"] = "asc"
    page_token: str | None = None

    @field_validator("start", "end")
    @classmethod
    def _aware(cls, moment: datetime | None) -> datetime | None:
        return aware(moment)


class SymbolsQuery(Body):
    symbols: str


class CorporateActionsQuery(Body):
    """Types the simulator does not know are asked for in vain."""

    symbols: str | None = None
    types: str | None = None
    start: date | None = None
    end: date | None = None
    limit: int = Field(default=100, ge=1, le=1000)
    sort: Literal["asc", "desc"] = "asc"
    page_token: str | None = None


def aware(moment: datetime | None) -> datetime | None:
    """A time without a zone is UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def symbols_of(text: str | None) -> list[str]:
    """The symbols of a comma-separated list, in its order; empty for None."""
    return [] if text is None else [symbol for symbol in (part.strip() for part in text.split(",")) if symbol]


_SYMBOL = re.compile(r"[A-Z0-9]+(\.[A-Z0-9]+)*")


def market_symbols(text: str | None, known: Container[str]) -> list[str]:
    """The symbols of a market-data query. Raises Refusal for one that cannot be a symbol, as the real API does; one
    that could be and is unknown is no error there.
    """
    symbols = symbols_of(text)
    for symbol in symbols:
        if symbol not in known and _SYMBOL.fullmatch(symbol) is None:
            raise Refusal(400, 40010001, f"invalid symbol: {symbol}")
    return symbols


def parse[T: BaseModel](model: type[T], values: object, *, status: int = 422) -> T:
    """`values` as a model. Raises Refusal naming the first field that does not fit and its value."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        if first["type"] == "missing":
            raise Refusal(status, 40010001, f"{field} is required") from error
        raise Refusal(status, 40010001, f"invalid {field} {first['input']!r}: {first['msg']}") from error


def parse_json(body: bytes, *, number: Callable[[str], object] = Decimal) -> object:
    """A JSON body; numbers with a point come as `number` makes them: Decimals, so that no digit is lost. Raises Refusal
    for what is no JSON, or a number that `number` cannot make.
    """
    try:
        return json.loads(body or b"{}", parse_float=number)
    except (ValueError, ArithmeticError) as error:
        raise Refusal(422, 40010000, f"request body is not JSON: {error}") from error
