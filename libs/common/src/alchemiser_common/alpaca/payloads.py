"""Alpaca's JSON as models, read leniently: fields come and go, only what is used is asked for."""

from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Annotated, TypedDict

from pydantic import AliasPath, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from alchemiser_common.errors import BrokerUnavailable
from alchemiser_common.ids import Side
from alchemiser_common.messages.base import UtcTime
from alchemiser_common.messages.snapshot import Account, Position
from alchemiser_common.messages.wire import describe
from alchemiser_common.ports.broker import Asset, BrokerOrder, OrderStatus, Quote, Split, Trade, order_type
from alchemiser_common.ports.clock import EXCHANGE_ZONE

_STATUSES = {
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
    "replaced": OrderStatus.REPLACED,
    "done_for_day": OrderStatus.DONE_FOR_DAY,
    "pending_cancel": OrderStatus.CANCELLING,
}


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AccountPayload(_Payload):
    """GET /v2/account."""

    id: str
    status: str
    currency: str = "USD"
    equity: Decimal
    last_equity: Decimal
    cash: Decimal
    buying_power: Decimal
    trading_blocked: bool = False
    account_blocked: bool = False
    trade_suspended_by_user: bool = False

    def account(self) -> Account:
        """The account as the port has it; USD."""
        return Account(
            account_id=self.id,
            status=self.status,
            currency=self.currency,
            equity=self.equity,
            last_equity=self.last_equity,
            cash=self.cash,
            buying_power=self.buying_power,
            blocked=self.trading_blocked or self.account_blocked or self.trade_suspended_by_user,
        )


class PositionPayload(_Payload):
    """GET /v2/positions."""

    symbol: str
    qty: Decimal
    qty_available: Decimal
    market_value: Decimal
    current_price: Decimal
    avg_entry_price: Decimal

    def position(self) -> Position:
        """The holding as the port has it; shares and USD."""
        return Position(
            symbol=self.symbol,
            quantity=self.qty,
            available=self.qty_available,
            market_value=self.market_value,
            price=self.current_price,
            average_entry_price=self.avg_entry_price,
        )


class OrderPayload(_Payload):
    """GET /v2/orders. A status this project does not know counts as open: it may still fill."""

    id: str
    client_order_id: str
    symbol: str
    side: Side
    status: str
    qty: Decimal | None = None
    filled_qty: Decimal = Decimal(0)
    filled_avg_price: Decimal | None = None
    limit_price: Decimal | None = None
    submitted_at: UtcTime | None = None
    replaced_by: str | None = None

    def order(self) -> BrokerOrder:
        """The order as the port has it; shares and USD."""
        return BrokerOrder(
            order_id=self.id,
            client_order_id=self.client_order_id,
            symbol=self.symbol,
            side=self.side,
            status=_STATUSES.get(self.status, OrderStatus.OPEN),
            quantity=self.qty,
            filled_quantity=self.filled_qty,
            average_price=self.filled_avg_price or None,
            order_type=order_type(self.limit_price),
            submitted_at=self.submitted_at,
            replaced_by=self.replaced_by,
        )


class AssetPayload(_Payload):
    """GET /v2/assets/{symbol}."""

    symbol: str
    status: str
    tradable: bool
    fractionable: bool = False

    def asset(self) -> Asset:
        """The asset as the port has it; tradable only while Alpaca calls it active, too."""
        return Asset(
            symbol=self.symbol, tradable=self.tradable and self.status == "active", fractionable=self.fractionable
        )


class CalendarPayload(_Payload):
    """GET /v2/calendar: a date with local wall times."""

    date: date
    open: time
    close: time

    def opens(self) -> datetime:
        """The opening, aware, in the exchange's zone."""
        return datetime.combine(self.date, self.open, EXCHANGE_ZONE)

    def closes(self) -> datetime:
        """The close, aware, in the exchange's zone."""
        return datetime.combine(self.date, self.close, EXCHANGE_ZONE)


class ClockPayload(_Payload):
    """GET /v2/clock."""

    timestamp: UtcTime


class BarPayload(TypedDict):
    """One bar of GET /v2/stocks/bars, a plain dictionary: a portfolio's bars are a few hundred thousand."""

    t: str
    c: float


@cache
def bar_day(stamp: str) -> date:
    """Session of a bar: a daily bar is stamped with midnight in New York, which falls on the same UTC date.

    Raises BrokerUnavailable if the stamp is none.
    """
    try:
        return date.fromisoformat(stamp[:10])
    except ValueError as error:
        raise BrokerUnavailable(f"daily bars: the broker sent the time {stamp!r}, which is none") from error


class QuotePayload(_Payload):
    """One entry of GET /v2/stocks/quotes/latest."""

    bid: Decimal = Field(validation_alias=AliasPath("bp"))
    ask: Decimal = Field(validation_alias=AliasPath("ap"))
    at: UtcTime = Field(validation_alias=AliasPath("t"))

    def quote(self, symbol: str) -> Quote:
        """The quote as the port has it; USD."""
        return Quote(symbol=symbol, bid=self.bid, ask=self.ask, at=self.at)


class TradePayload(_Payload):
    """One entry of GET /v2/stocks/trades/latest."""

    price: Decimal = Field(validation_alias=AliasPath("p"))
    at: UtcTime = Field(validation_alias=AliasPath("t"))

    def trade(self, symbol: str) -> Trade:
        """The trade as the port has it; USD."""
        return Trade(symbol=symbol, price=self.price, at=self.at)


type _Shares = Annotated[Decimal, Field(gt=0)]


class SplitPayload(_Payload):
    """A forward or reverse split of GET /v1/corporate-actions: `new_rate` shares for `old_rate`."""

    symbol: str
    ex_date: date
    new_rate: _Shares
    old_rate: _Shares

    def split(self) -> Split:
        """The split as the port has it."""
        return Split(self.symbol, self.ex_date, self.new_rate, self.old_rate)


class StockDividendPayload(_Payload):
    """A stock dividend of GET /v1/corporate-actions: `rate` more shares for each one held."""

    symbol: str
    ex_date: date
    rate: _Shares

    def split(self) -> Split:
        """The dividend as what it does to the share count."""
        return Split(self.symbol, self.ex_date, 1 + self.rate, Decimal(1))


class UnitSplitPayload(_Payload):
    """A unit split of GET /v1/corporate-actions: units become shares, mostly under another symbol."""

    old_symbol: str
    new_symbol: str
    effective_date: date
    new_rate: _Shares
    old_rate: _Shares

    def split(self) -> Split | None:
        """What it does to the share count of the symbol; None if it ends the symbol, for then no bar follows."""
        if self.old_symbol != self.new_symbol:
            return None
        return Split(self.old_symbol, self.effective_date, self.new_rate, self.old_rate)


class CorporateActionsPayload(_Payload):
    """GET /v1/corporate-actions: lists by type, of which those that change a share count are read.

    A spin-off gives shares of another symbol, and a merger ends one: neither changes the count of what is held.
    """

    forward_splits: list[SplitPayload] = []
    reverse_splits: list[SplitPayload] = []
    unit_splits: list[UnitSplitPayload] = []
    stock_dividends: list[StockDividendPayload] = []

    def splits(self) -> list[Split]:
        """All of them, oldest first."""
        found = [
            *(item.split() for item in (*self.forward_splits, *self.reverse_splits)),
            *(item.split() for item in self.unit_splits),
            *(item.split() for item in self.stock_dividends),
        ]
        return sorted((split for split in found if split is not None), key=lambda split: split.day)


def parse[P](shape: type[P], content: object, what: str) -> P:
    """Content as `shape` (a model, or a list or dict of models). Raises BrokerUnavailable if it is something else."""
    try:
        return TypeAdapter(shape).validate_python(content)
    except ValidationError as error:
        raise BrokerUnavailable(f"{what}: the answer has another shape than expected: {describe(error)}") from error
