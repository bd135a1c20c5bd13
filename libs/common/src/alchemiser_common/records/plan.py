"""The frozen plan of a run: its legs, and what they were made from. Money in USD, quantities in shares."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from alchemiser_common.ids import Side
from alchemiser_common.messages.base import Frozen, Money, Price, Quantity, Symbol, UtcTime, VersionedModel
from alchemiser_common.messages.decision import Target
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.snapshot import Account, Position, StrategyTargets, TargetWeight
from alchemiser_common.shares import ORDER_STEP, WHOLE_SHARE

_NOTEWORTHY = Decimal("0.005")
"""Buys of a full portfolio always lack a little: the allowance, and sells that are too small to be made."""


class PlannedLeg(Frozen):
    """One symbol's side of the plan."""

    number: int
    symbol: Symbol
    side: Side
    quantity: Quantity
    price: Price
    """The price when the plan was made, of a source that a second one confirmed."""
    fractionable: bool
    full_exit: bool = False
    order_quantity: Quantity | None = None
    """Shares that one order of it may have at most, see `trading.max_order_value`; None if one may have all. Since 1.6.
    """

    @property
    def value(self) -> Decimal:
        """USD at the plan's price."""
        return self.quantity * self.price

    @property
    def step(self) -> Decimal:
        """The smallest difference of quantities that the broker takes."""
        return ORDER_STEP if self.fractionable else WHOLE_SHARE


class SkippedLeg(Frozen):
    """A trade, or a part of one, that was wanted and could not be planned, and why; the report names it."""

    symbol: Symbol
    side: Side
    value: Money
    """USD of what was left out."""
    reason: str
    """Why, with the figures, for a person."""
    cause: LegReason | None = None
    """The same as a word of the one list; None from before 1.6."""
    untradable: bool = False
    """The broker does not trade it: the target cannot be met today."""


class PlanSetting(Frozen):
    """A setting by which a plan was made, for comparison with the other pipeline's."""

    name: str
    """E.g. ``trading.cash_reserve``."""
    value: str


class HeldShares(Frozen):
    """Shares of one symbol."""

    symbol: Symbol
    quantity: Quantity


class StrategyHolding(Frozen):
    """A strategy that keeps what it has: its own shares are its target, whatever they are worth by now."""

    strategy: str
    weights: tuple[TargetWeight, ...]
    """As its signal says, fractions of its capital: for comparison with the other pipeline."""
    shares: tuple[HeldShares, ...]
    """Its book when the plan was made; empty if nothing was booked for it: then its weights are traded."""
    rules: str = ""
    """Content hash of the strategy, see `Signal.rules`."""


class Plan(VersionedModel):
    """What a run will trade, whatever happens to it later."""

    run_id: UUID
    decision_hash: str
    session: date
    made_at: UtcTime
    account: Account
    positions: tuple[Position, ...]
    unmanaged: Money = Decimal(0)
    """What holdings are worth that are not managed: nothing of the equity is allocated in their place. Since 1.6."""
    reserve: Money
    """Cash that buys must leave."""
    targets: tuple[Target, ...]
    strategy_targets: tuple[StrategyTargets, ...]
    """What the strategies that gave target weights want to hold."""
    holdings: tuple[StrategyHolding, ...] = ()
    """The strategies that hold. Since 1.5; a plan without any traded them, if there were some, to their weights."""
    notes: tuple[str, ...] = ()
    """As the report's. Since 1.5."""
    legs: tuple[PlannedLeg, ...]
    skipped: tuple[SkippedLeg, ...] = ()
    shrink: Decimal = Decimal(1)
    """All buys were multiplied by this, because cash falls short; 1 if it does not."""
    settings: tuple[PlanSetting, ...] = ()
    """What it was made by; empty from before 1.6."""
    lacking: Money = Decimal(0)
    """USD by which it falls short of them, with the allowance for the spread. Since 1.6."""

    @property
    def base(self) -> Decimal:
        """USD of the account that targets are fractions of: equity without what is not managed."""
        return self.account.equity - self.unmanaged

    @property
    def invested(self) -> Decimal:
        """USD that targets share: the base less the reserve."""
        return self.base - self.reserve

    @property
    def short_of_cash(self) -> bool:
        """Whether the lack of cash is more than the allowance for the spread and trades too small to be made."""
        return self.lacking > _NOTEWORTHY * self.account.equity
