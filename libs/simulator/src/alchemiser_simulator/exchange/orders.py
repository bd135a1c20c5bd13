"""Orders, fills and holdings: what the exchange keeps. Frozen; money and quantities are Decimals, times aware UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import Literal
from uuid import UUID

SHARE_STEP = Decimal("1e-9")
ZERO = Decimal(0)


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"


class TimeInForce(StrEnum):
    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class Status(StrEnum):
    """Where an order is in its life, in Alpaca's words.

    pending_new -> new -> partially_filled -> filled      submitted during a session
    accepted    -> new -> ...                             submitted outside of one: new at the open
    any of these -> pending_cancel -> canceled | filled   pending only if a fault holds the cancellation back
    any of these -> canceled | expired | rejected | replaced | done_for_day
    """

    PENDING_NEW = "pending_new"
    ACCEPTED = "accepted"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"
    DONE_FOR_DAY = "done_for_day"


OPEN_STATUSES = frozenset(
    {Status.PENDING_NEW, Status.ACCEPTED, Status.NEW, Status.PARTIALLY_FILLED, Status.PENDING_CANCEL}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTicket:
    """What a client asks for. Exactly one of `qty` (shares) and `notional` (USD) is set, and `limit_price` (USD) for
    limit orders only: acceptance sees to both, a ticket as such may be nonsense.
    """

    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    client_order_id: str | None = None
    extended_hours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """Misbehaviour a fault attaches to an order; the default is none."""

    fill_fraction: Decimal | None = None  # of the ordered quantity, a match
    max_fills: int | None = None
    interval: int = 1  # seconds between matches
    afterwards: Literal["rest", "cancel", "reject", "done_for_day"] = "rest"
    lag_seconds: float = 0.0
    price_polls: int = 0
    reject: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelQuirks:
    """Misbehaviour a fault attaches to a cancellation."""

    stuck: bool = False
    seconds: float | None = None  # None: for ever
    fill_fraction: Decimal = ZERO  # of what is left, filled just before the cancellation


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order in one state of its life. Times are aware UTC; `filled_qty` in shares, `filled_cost` in USD.

    Never more is filled than was asked for: filled_qty <= qty, or filled_cost <= notional.
    """

    id: UUID
    sequence: int
    client_order_id: str
    ticket: OrderTicket
    status: Status
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    reserve_price: Decimal  # what a share is assumed to cost while the order is open
    filled_qty: Decimal = ZERO
    filled_cost: Decimal = ZERO
    fills: int = 0
    filled_at: datetime | None = None
    expired_at: datetime | None = None
    canceled_at: datetime | None = None
    failed_at: datetime | None = None
    replaced_at: datetime | None = None
    replaces: UUID | None = None
    replaced_by: UUID | None = None
    cancel_due: datetime | None = None
    quirks: Quirks = field(default_factory=Quirks)

    @property
    def is_open(self) -> bool:
        """Whether it may still fill, a pending cancellation included."""
        return self.status in OPEN_STATUSES

    @property
    def reserved(self) -> Decimal:
        """USD an open buy may still cost; zero for everything else."""
        if not self.is_open or self.ticket.side is Side.SELL:
            return ZERO
        if self.ticket.notional is not None:
            return max(self.ticket.notional - self.filled_cost, ZERO)
        return self.remaining(self.reserve_price) * self.reserve_price

    @property
    def held(self) -> Decimal:
        """Shares an open sell still holds back."""
        if not self.is_open or self.ticket.side is Side.BUY:
            return ZERO
        return self.remaining(self.reserve_price)

    def remaining(self, price: Decimal) -> Decimal:
        """Shares still to fill at `price` USD; a notional order buys what its money covers, rounded down."""
        if self.ticket.qty is not None:
            return self.ticket.qty - self.filled_qty
        left = (self.ticket.notional or ZERO) - self.filled_cost
        return max((left / price).quantize(SHARE_STEP, ROUND_DOWN), ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution of `qty` shares at `price` USD. `visible_at` is when positions and buying power begin to show it;
    `cum_qty` and `leaves_qty` are the order's filled and open shares after it.
    """

    id: UUID
    order_id: UUID
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    at: datetime
    visible_at: datetime
    cum_qty: Decimal
    leaves_qty: Decimal
    number: int = 0  # in the account's own sequence; 0 in a state file that did not keep it


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares held and what they cost, in USD."""

    qty: Decimal
    cost: Decimal

    @property
    def average(self) -> Decimal:
        """Cost of a share in USD; a holding has shares, a ledger keeps no other."""
        return self.cost / self.qty


@dataclass(frozen=True, slots=True)
class Ledger:
    """Cash in USD, below zero where margin is used, and holdings by symbol; no holding has zero shares, a short one has
    less than zero, and so has its cost.
    """

    cash: Decimal
    holdings: Mapping[str, Holding]

    def after(self, fill: Fill) -> Ledger:
        """The ledger once the fill is booked; a sale reduces cost in proportion."""
        held = self.holdings.get(fill.symbol, Holding(ZERO, ZERO))
        amount = fill.qty * fill.price
        if fill.side is Side.BUY:
            if held.qty < 0:
                return self.moved(-amount, fill.symbol, fill.qty)
            return self._with(fill.symbol, Holding(held.qty + fill.qty, held.cost + amount), self.cash - amount)
        left = held.qty - fill.qty
        cost = held.cost * left / held.qty if held.qty else ZERO
        return self._with(fill.symbol, Holding(left, cost), self.cash + amount)

    def moved(self, amount: Decimal, symbol: str = "", qty: Decimal = ZERO, cost: Decimal | None = None) -> Ledger:
        """The ledger after `amount` USD and `qty` shares have come, or gone where they are below zero. Shares come at
        `cost` USD in all, nothing if that is None, and take their part of the cost along when they go.
        """
        cash = self.cash + amount
        if not qty:
            return Ledger(cash, self.holdings)
        held = self.holdings.get(symbol, Holding(ZERO, ZERO))
        going = held.qty and (qty < 0) == (held.qty > 0)
        change = held.cost * qty / held.qty if cost is None and going else cost or ZERO
        return self._with(symbol, Holding(held.qty + qty, held.cost + change), cash)

    def holding(self, symbol: str, holding: Holding) -> Ledger:
        """The ledger with one holding set, as the control API does."""
        return self._with(symbol, holding, self.cash)

    def _with(self, symbol: str, holding: Holding, cash: Decimal) -> Ledger:
        holdings = {**self.holdings, symbol: holding}
        if not holding.qty:
            del holdings[symbol]
        return Ledger(cash, holdings)
