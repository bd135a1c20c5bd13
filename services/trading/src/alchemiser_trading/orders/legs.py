"""One leg of a plan on its way: its state, and what it asks of the broker. Values; `smart_execution` moves them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import BrokerOrder, OrderType
from alchemiser_common.records.plan import PlannedLeg
from alchemiser_common.settings import ExecutionStyle

_NOTHING = Decimal(0)
_SMALLEST_ORDER = Decimal(1)
"""USD: the broker takes no smaller order, except to close a position."""


class LegPhase(StrEnum):
    """What a leg waits for."""

    HELD = "held"
    """A buy whose cash is not there yet."""
    READY = "ready"
    """The next order: no order of the leg is open."""
    SENT = "sent"
    """To know whether its order landed."""
    WORKING = "working"
    """Fills of its open order."""
    CANCELLING = "cancelling"
    """The end of the order it asked to cancel."""
    CHECKING = "checking"
    """A look-up and the position to agree with what is reported of its orders, which have all ended by one report."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Step:
    """One order of a leg as it will be asked for."""

    number: int
    quantity: Decimal
    order_type: OrderType
    cost_price: Decimal
    """USD: what a share may cost at most by our reckoning."""


@dataclass(frozen=True, slots=True)
class Place:
    """Write the intent of a new step, then send it."""

    step: Step


@dataclass(frozen=True, slots=True)
class Resend:
    """Send the step again under the same id: it surely is not at the broker, or the broker will show that it is."""

    step: Step


@dataclass(frozen=True, slots=True)
class Cancel:
    """Ask for a cancel; only a later read tells what came of it."""

    order_id: str


type Action = Place | Resend | Cancel


@dataclass(frozen=True, slots=True)
class LegState:
    """Everything known of a leg. The quantity still to trade is derived from the broker's fills, never remembered.

    Fills in `chain` and `order` are the highest that were ever reported, see `evidence`.
    """

    leg: PlannedLeg
    phase: LegPhase
    intended: Decimal
    """Shares; the plan's, or less if cash was short."""
    chain: tuple[BrokerOrder, ...] = ()
    """Orders that have ended, oldest first."""
    order: BrokerOrder | None = None
    """The one order that may still fill."""
    proved: Decimal = Decimal(0)
    """Shares that were filled by the orders' reports and by the position, when the two agreed last."""
    unknown: Decimal = Decimal(0)
    """Shares that orders of `chain`, or lost ones, may have filled beyond what is reported."""
    pending: Step | None = None
    """The step that was written last."""
    steps: int = 0
    """Number of the step that was written last."""
    walked: int = 0
    """How far the walk through the spread has come."""
    style: ExecutionStyle | None = None
    since: datetime | None = None
    """When the present phase began."""
    not_before: datetime | None = None
    """No action before this."""
    misses: int = 0
    """Look-ups in a row that did not find the order."""
    sends: int = 0
    refusals: int = 0
    confirmed: bool = False
    """A leg in CHECKING: a look-up agrees that its last order has ended, or is not there."""
    turned_away: bool = False
    """The step that was written last was refused: nothing of it should be at the broker."""
    cancel_taken: bool | None = None
    """Whether the broker has taken a request to cancel the order; False: asked, and it goes on as it is."""
    odd_since: datetime | None = None
    """Since when the broker's reports of the order cannot be true."""
    quoteless_since: datetime | None = None
    short_since: datetime | None = None
    """Since when cash does not cover the next order in full."""
    spendable: Decimal | None = None
    """USD that the next order of a buy may cost."""
    affordable: Decimal | None = None
    """USD that the broker's last refusal said are left; good for the next order only."""
    cash_coming: bool = False
    """Other legs are under way that bring cash or give back what they keep: a short buy waits for them."""
    cash_lags: bool = False
    """The broker's cash does not show all fills yet: a short buy waits a while for it."""
    for_now: bool = False
    """Cut to what cash there is now: what is missing is bought when the cash of others comes."""
    arrival_mid: Decimal | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    lost: bool = False
    """The leg is done, and it is not known whether its last step's order is at the broker."""
    stopping: str = ""
    """Why no further order may be sent; empty while it may."""
    outcome: LegStatus | None = None
    reason: str = ""
    """In words; `cause` is the same in one."""
    cause: LegReason | None = None

    @property
    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every order of the leg as last reported."""
        return self.chain if self.order is None else (*self.chain, self.order)

    @property
    def filled(self) -> Decimal:
        """Shares, by the broker's reports: at least so many."""
        known = _NOTHING if self.order is None else self.order.filled_quantity
        return sum([order.filled_quantity for order in self.chain], known) if self.chain else known

    @property
    def remaining(self) -> Decimal:
        """Shares still to trade, whatever is not known counted as filled; never negative."""
        return max(self.intended - self.filled - self.unknown, Decimal(0))

    @property
    def unsettled(self) -> Decimal:
        """Shares that may have been filled, or may yet be, beyond what is reported."""
        if not self.may_have_order or self.pending is None:
            return self.unknown
        known = Decimal(0) if self.order is None else self.order.filled_quantity
        return self.unknown + max(self.pending.quantity - known, Decimal(0))

    @property
    def may_have_order(self) -> bool:
        """Whether the step that was written last may be at the broker and not have ended."""
        at_work = self.phase in {LegPhase.SENT, LegPhase.WORKING, LegPhase.CANCELLING}
        return self.order is not None or at_work or self.lost

    @property
    def average_price(self) -> Decimal | None:
        """USD, over all fills; None while nothing is filled or a price is not reported yet."""
        filled = [order for order in self.orders if order.filled_quantity > 0]
        if not filled or any(order.average_price is None for order in filled):
            return None
        return self.known_value / sum((order.filled_quantity for order in filled), Decimal(0))

    @property
    def known_value(self) -> Decimal:
        """USD of the fills whose price is known."""
        return sum((order.filled_quantity * (order.average_price or 0) for order in self.orders), Decimal(0))

    @property
    def unpriced(self) -> Decimal:
        """Shares filled at a price that is not reported yet."""
        return sum((order.filled_quantity for order in self.orders if order.average_price is None), Decimal(0))

    @property
    def unpriced_cost(self) -> Decimal:
        """USD that these may have cost at most: their orders' limits, or what was reckoned for a market order."""
        reckoned = self.pending.cost_price if self.pending else self.leg.price
        return sum(
            (
                order.filled_quantity * (order.order_type.limit_price or reckoned)
                for order in self.orders
                if not order.average_price
            ),
            Decimal(0),
        )

    @property
    def unfinished(self) -> bool:
        """Whether the leg ended without all that was intended, or without knowing what it got."""
        return self.outcome is not LegStatus.FILLED

    @property
    def under_way(self) -> bool:
        """Whether an order of the leg may be at the broker, or may have filled more than is known."""
        return self.phase in {LegPhase.SENT, LegPhase.WORKING, LegPhase.CANCELLING, LegPhase.CHECKING}

    def negligible(self, quantity: Decimal) -> bool:
        """Whether so few shares cannot be ordered; what is left of a full exit is always tried."""
        if quantity < self.leg.step and not (self.leg.full_exit and self.leg.fractionable):
            return True
        if self.leg.full_exit or not self.leg.fractionable:
            return quantity <= 0
        return quantity * self.leg.price < _SMALLEST_ORDER


def start(leg: PlannedLeg) -> LegState:
    """A leg before its first order: sells are ready, buys wait for their cash."""
    phase = LegPhase.HELD if leg.side is Side.BUY else LegPhase.READY
    return LegState(leg=leg, phase=phase, intended=leg.quantity)
