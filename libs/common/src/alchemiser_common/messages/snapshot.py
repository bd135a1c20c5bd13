"""MarketSnapshot: everything a decision may depend on, read once, checked, and hashed."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from alchemiser_common.messages.bars import DailyBars
from alchemiser_common.messages.base import Frozen, Message, Money, Price, Quantity, Symbol, UtcTime, Weight


class BarPolicy(StrEnum):
    """Which bar is the last: the last finished session's, or today's so far."""

    COMPLETED = "completed"
    PROVISIONAL = "provisional"


class Account(Frozen):
    """The brokerage account as the broker reports it."""

    account_id: str
    status: str
    currency: str = "USD"
    equity: Money
    last_equity: Money | None
    """Equity at yesterday's close; zero or less for a new account, None if the broker does not say. None since 1.6."""
    cash: Money
    buying_power: Money
    blocked: bool = False
    """Trading or the whole account is blocked, by the broker or by the user."""


class Position(Frozen):
    """One holding; negative quantity is short."""

    symbol: Symbol
    quantity: Quantity
    available: Quantity
    """What can be sold now: the broker's own figure, shares in open orders excluded."""
    market_value: Money
    price: Price
    average_entry_price: Money


class MarketSession(Frozen):
    """One exchange session by the broker's calendar."""

    day: date
    opens: UtcTime
    closes: UtcTime
    previous_day: date

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not (self.opens < self.closes and self.previous_day < self.day):
            raise ValueError(f"session {self.day}: opens {self.opens}, closes {self.closes}, after {self.previous_day}")
        return self


class ProvisionalBar(Frozen):
    """Marks the last row of the bars as unfinished."""

    day: date
    read_at: UtcTime
    oldest_trade: UtcTime


class NeededBars(Frozen):
    """How many daily bars of a symbol strategies need, up to the last session."""

    symbol: Symbol
    bars: Annotated[int, Field(ge=1)]


class MissingData(Frozen):
    """A symbol of which bars were left out, all of them or those before a gap: by which rule and why."""

    symbol: Symbol
    rule: str
    detail: str


class CarriedBars(Frozen):
    """Sessions on which the feed had no bar of a symbol: the bars carry the close before. Since 1.5."""

    symbol: Symbol
    days: tuple[date, ...]


class TargetWeight(Frozen):
    """A symbol's share of equity (or of a strategy's capital)."""

    symbol: Symbol
    weight: Weight


class StrategyTargets(Frozen):
    """What one strategy last wanted to hold, and since which session."""

    strategy: str
    decided_for: date
    weights: tuple[TargetWeight, ...]
    as_of: date | None = None
    """Session of the last bar that the decision saw; None from before 1.5."""
    rules: str = ""
    """Content hash of the strategy that decided, see `Signal.rules`; empty from before 1.5."""
    allocation: Weight | None = None
    """Fraction of equity that the strategy had; None from before 1.5."""


class Provenance(Frozen):
    """Where and how the data were read."""

    source: str
    feed: str
    adjustment: str
    read_at: UtcTime


class MarketSnapshot(Message):
    """Bars, account, positions and session of one run."""

    ENVELOPE: ClassVar[frozenset[str]] = Message.ENVELOPE | {"provenance"}

    kind: Literal["market-snapshot"] = "market-snapshot"
    scheduled_at: UtcTime
    not_after: UtcTime
    """No order of this run may be sent after this moment."""
    session: MarketSession
    bar_policy: BarPolicy
    universe: tuple[NeededBars, ...] = ()
    """What was asked for: what the data service was deployed for. Since 1.5."""
    bars: DailyBars
    provisional: ProvisionalBar | None = None
    missing: tuple[MissingData, ...] = ()
    carried: tuple[CarriedBars, ...] = ()
    account: Account
    positions: tuple[Position, ...] = ()
    previous_targets: tuple[StrategyTargets, ...] = ()
    provenance: Provenance = Field(repr=False)

    @property
    def as_of(self) -> date:
        """Session of the last bar."""
        return self.bars.dates[-1]

    @model_validator(mode="after")
    def _bars_fit_policy(self) -> Self:
        expected = self.session.previous_day if self.bar_policy is BarPolicy.COMPLETED else self.session.day
        if self.as_of != expected:
            raise ValueError(f"last bar is of {self.as_of}; policy {self.bar_policy.value} wants {expected}")
        if (self.provisional is not None) != (self.bar_policy is BarPolicy.PROVISIONAL):
            raise ValueError("a provisional bar is marked if and only if the bar policy is provisional")
        return self
