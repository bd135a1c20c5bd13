"""What the control API takes and gives, shared by its routes and its client. Unknown fields are refused."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import AwareDatetime, Field, model_validator

from alchemiser_simulator.control.faults import Fault
from alchemiser_simulator.control.rules import Model


class ClockState(Model):
    """The exchange's time, aware UTC. `mode` is frozen or flowing; the clock can show [begins, ends]."""

    now: datetime
    is_open: bool
    mode: str
    begins: datetime
    ends: datetime


class ClockChange(Model):
    """Set `now`, or `advance` by seconds: one of them."""

    now: AwareDatetime | None = None
    advance: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one(self) -> ClockChange:
        if (self.now is None) == (self.advance is None):
            raise ValueError("give either now or advance")
        return self


class FaultEntry(Model):
    """A rule in force, and how many requests it was applied to."""

    number: int
    used: int
    fault: Fault


class AssetChange(Model):
    """None leaves a property as it is. An asset that is halted, not tradable or not active takes no new orders; its
    open ones stay, and trade only while it is neither halted nor untradable.
    """

    fractionable: bool | None = None
    tradable: bool | None = None
    halted: bool | None = None
    active: bool | None = None


class AccountChange(Model):
    """None leaves a property as it is; `cash` in USD. A block refuses new orders and leaves open ones."""

    cash: Decimal | None = None
    trading_blocked: bool | None = None
    account_blocked: bool | None = None
    trade_suspended_by_user: bool | None = None


class HoldingChange(Model):
    """Put shares into the account; zero removes them. Prices in USD a share; without one they cost the last."""

    symbol: str
    qty: Decimal = Field(ge=0)
    avg_entry_price: Decimal | None = Field(default=None, gt=0)


class Reset(Model):
    """A fresh account; what is not given is as configured. `cash` in USD."""

    start: AwareDatetime | None = None
    cash: Decimal | None = Field(default=None, ge=0)


class HoldingState(Model):
    """Shares held as booked, and what all of them cost, in USD."""

    symbol: str
    qty: Decimal
    cost: Decimal


class OrderState(Model):
    """An order as it is now: quantities in shares, amounts, prices and cost in USD."""

    id: str
    client_order_id: str
    symbol: str
    side: str
    status: str
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    filled_qty: Decimal
    filled_cost: Decimal
    created_at: datetime
    replaces: str | None
    replaced_by: str | None


class MarketState(Model):
    """The truth behind the trading API: booked (not reported) cash and holdings, all orders, request counts.

    Money in USD. `requests` counts by method and path, ids and symbols replaced by placeholders; `derived` is empty or
    says which of the prices were not observed.
    """

    now: datetime
    cash: Decimal
    equity: Decimal
    last_equity: Decimal
    buying_power: Decimal
    holdings: list[HoldingState]
    orders: list[OrderState]
    fills: int
    requests: dict[str, int]
    source: str
    derived: str
