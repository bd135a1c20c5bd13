"""Alpaca's account, assets, calendar, clock, quotes, trades and announcements as the port has them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AliasPath, BeforeValidator, Field, StrictBool

from alchemiser_common.alpaca.reading import (
    STOCKS,
    Day,
    Moment,
    Number,
    Payload,
    Text,
    Unreadable,
    WallTime,
    convert,
    members,
    shown,
)
from alchemiser_common.errors import BrokerRefused, BrokerUnavailable
from alchemiser_common.messages.snapshot import Account, MarketSession
from alchemiser_common.ports.broker import Asset, Quote, Split, Trade
from alchemiser_common.ports.clock import EXCHANGE_ZONE

_ACTIVE = "ACTIVE"
_OK = 200


class AccountPayload(Payload):
    """GET /v2/account. Only id and status are always there: an account that is being opened has no money yet."""

    id: Text
    status: Text
    currency: Text = "USD"
    equity: Number | None = None
    last_equity: Number | None = None
    cash: Number | None = None
    buying_power: Number | None = None
    trading_blocked: StrictBool | None = None
    account_blocked: StrictBool | None = None
    trade_suspended_by_user: StrictBool | None = None

    def account(self) -> Account:
        """The account as the port has it; USD.

        Raises BrokerRefused if it is not active and lacks what an account has, BrokerUnavailable if it is active and
        lacks it.
        """
        equity, cash, power = self.equity, self.cash, self.buying_power
        blocks = (self.trading_blocked, self.account_blocked, self.trade_suspended_by_user)
        if equity is None or cash is None or power is None or None in blocks:
            raise self._incomplete()
        return Account(
            account_id=self.id,
            status=self.status,
            currency=self.currency,
            equity=equity,
            last_equity=self.last_equity,
            cash=cash,
            buying_power=power,
            blocked=any(blocks),
        )

    def _incomplete(self) -> BrokerRefused | BrokerUnavailable:
        needed = ("equity", "cash", "buying_power", "trading_blocked", "account_blocked", "trade_suspended_by_user")
        missing = ", ".join(name for name in needed if getattr(self, name) is None)
        if self.status.upper() == _ACTIVE:
            return BrokerUnavailable(f"account: the answer has another shape than expected: {missing} missing")
        return BrokerRefused(
            f"account {shown(self.id)} is {shown(self.status)}, not {_ACTIVE}, and has no {missing}: it cannot trade "
            "until Alpaca has opened it",
            status=_OK,
        )


class AssetPayload(Payload):
    """GET /v2/assets/{symbol}. What is not said to be so is not so: an unknown step is a whole share."""

    symbol: Text
    asset_class: Text = Field(validation_alias=AliasPath("class"))
    status: str | None = None
    tradable: object = None
    fractionable: object = None

    def asset(self) -> Asset:
        """The asset as the port has it; tradable only while Alpaca calls it active, too.

        Raises Unreadable for what is no stock.
        """
        if self.asset_class != STOCKS:
            raise Unreadable(f"class: {shown(self.asset_class)}, not {STOCKS}")
        return Asset(
            symbol=self.symbol,
            tradable=self.tradable is True and self.status == "active",
            fractionable=self.fractionable is True,
        )


class _Dated(Payload):
    date: Day


class _Hours(Payload):
    """A calendar day's local wall times."""

    date: Day
    open: WallTime
    close: WallTime

    def moments(self) -> tuple[datetime, datetime]:
        """Opening and close, aware, in the exchange's zone. Raises Unreadable if the one is not before the other."""
        if self.open >= self.close:
            raise Unreadable(f"it opens at {self.open} and closes at {self.close}")
        return (
            datetime.combine(self.date, self.open, EXCHANGE_ZONE),
            datetime.combine(self.date, self.close, EXCHANGE_ZONE),
        )


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """An element of GET /v2/calendar: a session's date, and the element, whose hours few ask for."""

    day: date
    element: object

    def session(self, previous: date) -> MarketSession:
        """The session, after that of `previous`. Raises Unreadable if its hours cannot be."""
        opens, closes = convert(_Hours, self.element).moments()
        return MarketSession(day=self.day, opens=opens, closes=closes, previous_day=previous)


def read_calendar_day(element: object) -> CalendarDay:
    """Raises Unreadable if it has no date."""
    return CalendarDay(convert(_Dated, members(element)).date, element)


class ClockPayload(Payload):
    """GET /v2/clock."""

    timestamp: Moment


class QuotePayload(Payload):
    """One entry of GET /v2/stocks/quotes/latest."""

    bid: Number = Field(validation_alias=AliasPath("bp"))
    ask: Number = Field(validation_alias=AliasPath("ap"))
    at: Moment = Field(validation_alias=AliasPath("t"))

    def quote(self, symbol: str) -> Quote:
        """The quote as the port has it; USD."""
        return Quote(symbol=symbol, bid=self.bid, ask=self.ask, at=self.at)


class TradePayload(Payload):
    """One entry of GET /v2/stocks/trades/latest."""

    price: Number = Field(validation_alias=AliasPath("p"))
    at: Moment = Field(validation_alias=AliasPath("t"))

    def trade(self, symbol: str) -> Trade:
        """The trade as the port has it; USD."""
        return Trade(symbol=symbol, price=self.price, at=self.at)


type _Shares = Annotated[Number, Field(gt=0)]


class SplitPayload(Payload):
    """A forward or reverse split of GET /v1/corporate-actions: `new_rate` shares for `old_rate`."""

    symbol: Text
    ex_date: Day
    new_rate: _Shares
    old_rate: _Shares

    def split(self) -> Split:
        """The split as the port has it."""
        return Split(self.symbol, self.ex_date, self.new_rate, self.old_rate)


class StockDividendPayload(Payload):
    """A stock dividend of GET /v1/corporate-actions: `rate` more shares for each one held."""

    symbol: Text
    ex_date: Day
    rate: _Shares

    def split(self) -> Split:
        """The dividend as what it does to the share count."""
        return Split(self.symbol, self.ex_date, 1 + self.rate, Decimal(1))


class UnitSplitPayload(Payload):
    """A unit split of GET /v1/corporate-actions: units become shares, mostly under another symbol."""

    old_symbol: Text
    new_symbol: Text
    effective_date: Day
    new_rate: _Shares
    old_rate: _Shares

    def split(self) -> Split | None:
        """What it does to the share count of the symbol; None if it ends the symbol, for then no bar follows."""
        if self.old_symbol != self.new_symbol:
            return None
        return Split(self.old_symbol, self.effective_date, self.new_rate, self.old_rate)


type _List[P] = Annotated[tuple[P, ...], BeforeValidator(lambda content: () if content is None else content)]
"""Null is what Alpaca writes for a list without entries."""


class CorporateActionsPayload(Payload):
    """GET /v1/corporate-actions: lists by type, of which those that change a share count are read.

    A spin-off gives shares of another symbol, and a merger ends one: neither changes the count of what is held.
    """

    forward_splits: _List[SplitPayload] = ()
    reverse_splits: _List[SplitPayload] = ()
    unit_splits: _List[UnitSplitPayload] = ()
    stock_dividends: _List[StockDividendPayload] = ()

    def splits(self) -> list[Split]:
        """All of them, oldest first."""
        found = [
            *(item.split() for item in (*self.forward_splits, *self.reverse_splits)),
            *(item.split() for item in self.unit_splits),
            *(item.split() for item in self.stock_dividends),
        ]
        return sorted((split for split in found if split is not None), key=lambda split: split.day)
