"""Orders, fills and holdings: what the exchange keeps. Frozen; money and quantities are Decimals, times aware UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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

    @property
    def other(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"


class TimeInForce(StrEnum):
    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class Status(StrEnum):
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
    """What a client asks for. Exactly one of `qty` (shares) and `notional` (USD) is set."""

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
    """An order in one state of its life."""

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
        """Shares still to fill at `price`; a notional order buys what its money covers."""
        if self.ticket.qty is not None:
            return self.ticket.qty - self.filled_qty
        left = (self.ticket.notional or ZERO) - self.filled_cost
        return max((left / price).quantize(SHARE_STEP, ROUND_DOWN), ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution. `visible_at` is when positions and buying power begin to show it."""

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


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares held and what they cost."""

    qty: Decimal
    cost: Decimal

    @property
    def average(self) -> Decimal:
        return self.cost / self.qty


@dataclass(frozen=True, slots=True)
class Ledger:
    """Cash and holdings; no holding has zero shares."""

    cash: Decimal
    holdings: Mapping[str, Holding]

    def after(self, fill: Fill) -> Ledger:
        """The ledger once the fill is booked; a sale reduces cost in proportion."""
        held = self.holdings.get(fill.symbol, Holding(ZERO, ZERO))
        amount = fill.qty * fill.price
        if fill.side is Side.BUY:
            return self._with(fill.symbol, Holding(held.qty + fill.qty, held.cost + amount), self.cash - amount)
        left = held.qty - fill.qty
        cost = held.cost * left / held.qty if held.qty else ZERO
        return self._with(fill.symbol, Holding(left, cost), self.cash + amount)

    def split(self, symbol: str, ratio: Decimal) -> Ledger:
        """The ledger after a split: more shares, same cost."""
        held = self.holdings.get(symbol)
        if held is None:
            return self
        return self._with(symbol, replace(held, qty=(held.qty * ratio).quantize(SHARE_STEP, ROUND_DOWN)), self.cash)

    def holding(self, symbol: str, holding: Holding) -> Ledger:
        """The ledger with one holding set, as the control API does."""
        return self._with(symbol, holding, self.cash)

    def _with(self, symbol: str, holding: Holding, cash: Decimal) -> Ledger:
        holdings = {**self.holdings, symbol: holding}
        if not holding.qty:
            del holdings[symbol]
        return Ledger(cash, holdings)
