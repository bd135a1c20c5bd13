"""What the control API takes and gives, shared by its routes and its client. Unknown fields are refused."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import AwareDatetime, Field, model_validator

from alchemiser_simulator.control.faults import Fault
from alchemiser_simulator.control.rules import Model
from alchemiser_simulator.exchange.marks import AssetClass, Mark


class ClockState(Model):
    """The exchange's time, aware UTC. `mode` is frozen, flowing or waited; the clock can show [begins, ends]."""

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
    """None leaves a property as it is. An asset that is not tradable or not active takes no new orders; those of a
    halted one are taken. Open orders stay, and trade only while it is neither halted nor untradable. `listed_twice`:
    the list of assets has a second, inactive entry under the same symbol.
    """

    fractionable: bool | None = None
    tradable: bool | None = None
    halted: bool | None = None
    active: bool | None = None
    listed_twice: bool | None = None


class AccountChange(Model):
    """None leaves a property as it is; `cash` in USD, and `withheld` of it that may not be spent (unsettled, not
    cleared). A block refuses new orders and leaves open ones.
    """

    cash: Decimal | None = None
    withheld: Decimal | None = Field(default=None, ge=0)
    trading_blocked: bool | None = None
    account_blocked: bool | None = None
    trade_suspended_by_user: bool | None = None


class HoldingChange(Model):
    """Put a holding into the account; zero removes it, less is a short one. Prices in USD a share; without one they
    cost the last.

    `asset_class` other than stock: any symbol, valued at `price` a unit (of an option's hundred shares). Stock with
    `price` 0, or `worthless` (its price is then null), counts for nothing, whatever the market says.
    """

    symbol: str
    qty: Decimal
    avg_entry_price: Decimal | None = Field(default=None, gt=0)
    asset_class: AssetClass = "us_equity"
    price: Decimal | None = Field(default=None, ge=0)
    worthless: bool = False

    @property
    def mark(self) -> Mark | None:
        """How it is valued; None: by the market."""
        if self.asset_class == "us_equity" and self.price is None and not self.worthless:
            return None
        multiplier = Decimal(100) if self.asset_class == "us_option" else Decimal(1)
        return Mark(asset_class=self.asset_class, price=self.price, multiplier=multiplier)


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
