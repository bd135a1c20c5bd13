"""The broker: what can be read from it and what can be asked of it, in this project's own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from alchemiser_common.ids import Side
from alchemiser_common.messages.base import Frozen, Money, Price, Quantity, Symbol, UtcTime
from alchemiser_common.messages.snapshot import Account, MarketSession, Position


class OrderStatus(StrEnum):
    """The broker's order statuses, folded to what a decision can depend on."""

    OPEN = "open"
    CANCELLING = "cancelling"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"
    DONE_FOR_DAY = "done_for_day"

    @property
    def terminal(self) -> bool:
        """Whether no further fill can come."""
        return self not in {OrderStatus.OPEN, OrderStatus.CANCELLING}


@dataclass(frozen=True, slots=True)
class LimitOrder:
    """Fills at `price` USD or better, or not at all."""

    price: Decimal

    @property
    def limit_price(self) -> Decimal | None:
        """USD, as records and the broker's JSON have it."""
        return self.price


@dataclass(frozen=True, slots=True)
class MarketOrder:
    """Fills at whatever price there is."""

    @property
    def limit_price(self) -> Decimal | None:
        """None, as records and the broker's JSON have it."""
        return None


type OrderType = LimitOrder | MarketOrder


def order_type(limit_price: Decimal | None) -> OrderType:
    """The type of an order from the limit that a record or the broker's answer shows."""
    return MarketOrder() if limit_price is None else LimitOrder(limit_price)


class OrderRequest(Frozen):
    """An order that is good for the day; `quantity` in shares, above zero, on the asset's step."""

    client_order_id: str
    symbol: Symbol
    side: Side
    quantity: Quantity
    order_type: OrderType


class BrokerOrder(Frozen):
    """An order as the broker reports it; its figures are numbers, but may contradict each other."""

    order_id: str
    client_order_id: str
    symbol: Symbol
    side: Side
    status: OrderStatus
    quantity: Quantity | None
    """None for an order by amount, which this project does not send."""
    filled_quantity: Quantity
    average_price: Price | None = None
    """None until known; the broker may report a fill before its price."""
    order_type: OrderType = MarketOrder()
    submitted_at: UtcTime | None = None
    replaced_by: str | None = None
    links: int = 1
    """How many orders this stands for: a replaced one and its successors are shown as one, with the first one's id."""
    raw_status: str = ""
    """The status as the broker wrote it, for reports: `held`, `calculated`, one that this project does not know."""


class Asset(Frozen):
    """What may be traded and how finely."""

    symbol: Symbol
    tradable: bool
    fractionable: bool


class Quote(Frozen):
    """Best bid and ask as received, sane or not; whoever uses it checks it."""

    symbol: Symbol
    bid: Decimal
    ask: Decimal
    at: UtcTime


class Trade(Frozen):
    """The latest trade of a symbol."""

    symbol: Symbol
    price: Decimal
    at: UtcTime


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What the broker's clock said, and how long the answer took: it was read at some moment of the round trip."""

    at: datetime
    """Aware UTC."""
    round_trip: timedelta
    """From the request to the answer, by the longer of two measures: the given clock's and a monotonic one's.

    The middle of it is the best guess at the moment of `at`, and half of it the most that this guess is wrong by.
    """


@dataclass(frozen=True, slots=True)
class RequestQuota:
    """What the broker said is left of the account's request budget, whoever used the rest."""

    remaining: int
    resets_at: datetime
    """When the budget is whole again."""


@dataclass(frozen=True, slots=True)
class SymbolBars:
    """Daily bars of one symbol as the broker sent them, oldest first: session dates and closes in USD, unchecked.

    A close that the broker sent as something else than a number is NaN.
    """

    symbol: str
    days: Sequence[date]
    closes: Sequence[float]


@dataclass(frozen=True, slots=True)
class SymbolPrices:
    """Whole daily bars of one symbol, adjusted for splits and dividends, oldest first: USD and shares, unchecked."""

    symbol: str
    days: Sequence[date]
    opens: Sequence[float]
    highs: Sequence[float]
    lows: Sequence[float]
    closes: Sequence[float]
    volumes: Sequence[float]


@dataclass(frozen=True, slots=True)
class Split:
    """An announced change of the share count: from `day`'s open on, `new_shares` stand for `old_shares`."""

    symbol: str
    day: date
    new_shares: Decimal
    old_shares: Decimal

    @property
    def ratio(self) -> Decimal:
        """New shares for each old one: above 1 for a forward split, below 1 for a reverse one."""
        return self.new_shares / self.old_shares


class OtherHolding(Frozen):
    """A holding that this system does not manage: no stock, held short, or an element that could not be read."""

    symbol: str
    """As the broker wrote it; empty if it wrote none."""
    kind: str
    """The broker's asset class, `short`, `unpriced` (null or zero: worthless, delisted) or `unreadable`."""
    quantity: Quantity | None = None
    market_value: Money | None = None
    """USD, negative for a short holding; None if the broker names none that can be read."""
    detail: str
    """Why it is not managed, for a person."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that the account holds, each element of the broker's answer in one of the two lists."""

    positions: tuple[Position, ...]
    """Stocks held long, with a price: what is managed."""
    others: tuple[OtherHolding, ...] = ()


class OddOrder(Frozen):
    """An element of an order list that is no stock order of this system's shape: a leg of several, an option, nonsense.

    It may still fill, whatever it says.
    """

    order_id: str
    client_order_id: str
    symbol: str
    """Any of the three may be empty."""
    open: bool
    """Whether it may still fill, by its status; an unknown status may."""
    detail: str


@dataclass(frozen=True, slots=True)
class OrderList:
    """A list of orders, each element of the broker's answer in one of the two."""

    orders: tuple[BrokerOrder, ...]
    odd: tuple[OddOrder, ...] = ()


class Fill(Frozen):
    """Shares that changed hands, whoever sent the order: a trade activity of the account."""

    activity_id: str
    """The broker's own, unique in the account: a fill counts once."""
    at: UtcTime
    symbol: Symbol
    side: Side
    quantity: Quantity
    """Above zero."""
    price: Price
    order_id: str


class AccountEntry(Frozen):
    """Any other activity of the account: a dividend, split, transfer, fee, …"""

    activity_id: str
    code: str
    """The broker's activity type, such as DIV, SPLIT, CSD."""
    status: str = "executed"
    """`executed`; `correct` is as valid, and follows one that was `canceled`, which takes an earlier entry back."""
    day: date
    symbol: str = ""
    quantity: Quantity = Decimal(0)
    """Shares that come (+) or go (-). Of a dividend: the shares that it was paid on, which stay."""
    amount: Money = Decimal(0)
    """USD that come (+) or go (-)."""
    description: str = ""


type Activity = Fill | AccountEntry


@dataclass(frozen=True, slots=True)
class Activities:
    """What happened on the account, oldest first, each element of the broker's answer in one of the two."""

    entries: tuple[Activity, ...]
    odd: tuple[str, ...] = ()
    """Elements that could not be read, each in a line for a person."""


class QuoteReader(Protocol):
    """What the market shows, and nothing of any account. Reads raise as `MarketReader`'s.

    Symbols without any are left out, as are those that the broker refuses, and what cannot be read: the log names it.
    """

    def latest_trades(self, symbols: Sequence[str]) -> Sequence[Trade]:
        """The last trade of each symbol that has one."""
        ...

    def latest_quotes(self, symbols: Sequence[str]) -> Sequence[Quote]:
        """The best bid and ask of each symbol that has them."""
        ...


class OrderReader(QuoteReader, Protocol):
    """What whoever works orders has to read. Reads raise as `MarketReader`'s."""

    def clock(self) -> ClockReading:
        """The broker's clock, and how long it took to answer."""
        ...

    def account(self) -> Account:
        """Status, equity, cash and buying power in USD as the broker shows them now, which may lag behind fills.

        Raises BrokerRefused, with the reason, for an account that is not active and has no figures yet.
        """
        ...

    def holdings(self) -> Holdings:
        """Everything held: shares and USD as the broker shows them now, which may lag behind fills."""
        ...

    def open_orders(self) -> OrderList:
        """Every order that may still fill."""
        ...

    def orders_since(self, moment: datetime) -> OrderList:
        """Every order submitted after the moment that may still fill, and with them those that have ended.

        What has ended may be missing if there are very many; what may still fill never is.
        """
        ...

    def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """The order, or None if the broker does not know the id; one sent a moment ago may not be visible yet.

        An answer with another order, or one that is no order, is BrokerUnavailable.
        """
        ...

    def order(self, order_id: str) -> BrokerOrder | None:
        """The order by the broker's own id: how a replaced order's successor is found."""
        ...

    def quota(self) -> RequestQuota | None:
        """As the newest answer told it; asks nothing. None before the first answer."""
        ...

    def requests(self) -> int:
        """How many requests this process has made that count against the account's limit; asks nothing."""
        ...


class OrderDesk(OrderReader, Protocol):
    """What takes orders and cancels, and shows what becomes of them: all that the order machine needs."""

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """Place an order, once.

        Raises BrokerRefused (surely not placed, do not repeat), BrokerThrottled (surely not placed, may be repeated
        later under the same id) or AmbiguousOutcome (unknown: look it up by client order id).
        An id that was used before gives the order it was used for if that is the same one. An answer with an order
        that differs from the request (id, symbol, side, quantity, limit) is an AmbiguousOutcome that names both.
        """
        ...

    def cancel(self, order_id: str) -> None:
        """Ask for a cancel; only a later read tells whether it happened. Raises BrokerUnavailable."""
        ...


class MarketReader(OrderReader, Protocol):
    """Read-only access. Every read raises BrokerUnavailable (try again) or BrokerRefused (do not)."""

    def now(self) -> datetime:
        """The broker's clock, aware UTC, some network delay old: `clock().at`."""
        ...

    def activities(self, first: date, last: date) -> Activities:
        """What happened on the account, or was entered by the broker, from `first` to `last`; every page followed.

        Exchange dates, both included. What is entered late has an earlier day: it is found by who reads the day of the
        entry, and counts once by its id.
        """
        ...

    def session_on(self, day: date) -> MarketSession | None:
        """The session of that exchange date, or None if the market is closed all day.

        Hours that cannot be are no answer: BrokerUnavailable, as is an entry of the calendar without a date.
        """
        ...

    def sessions(self, first: date, last: date) -> Sequence[date]:
        """The exchange's sessions from `first` to `last`, both included, oldest first; one request."""
        ...

    def daily_bars(
        self, symbols: Sequence[str], first: date, last: date, *, adjusted: bool = True
    ) -> Sequence[SymbolBars]:
        """Daily bars of the sessions first..last, adjusted for splits and dividends, or as they were traded.

        Symbols without any are left out, as are those that the broker refuses, and what cannot be read, which the log
        names; the same in the reads below.
        """
        ...

    def announced_splits(self, symbol: str, first: date, last: date) -> Sequence[Split]:
        """Splits and stock dividends of a symbol that take effect from `first` to `last`, both included, oldest first.

        Announcements reach the broker late now and then: none is no proof that there was none. One that cannot be read
        is BrokerUnavailable.
        """
        ...

    def assets(self, symbols: Sequence[str]) -> Sequence[Asset]:
        """Metadata of the symbols the broker knows."""
        ...

    @property
    def paper(self) -> bool:
        """Whether the key is one of a paper account."""
        ...


class Broker(MarketReader, OrderDesk, Protocol):
    """What reads and can also send orders and cancels."""
