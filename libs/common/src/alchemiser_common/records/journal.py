"""A run's journal: where it stands, and each order as it will be asked for."""

from enum import StrEnum

from alchemiser_common.ids import Side
from alchemiser_common.messages.base import OfRun, Price, Quantity, Symbol, UtcTime, VersionedModel


class Phase(StrEnum):
    """Where a run stands in the trading service."""

    RECEIVED = "received"
    """A decision is here; nothing is planned or sent."""
    PLANNED = "planned"
    """The plan is frozen; from here on a redelivery continues it."""
    SELLING = "selling"
    """Orders may be at the broker; not every sell is done. Buys that cash covers may have begun."""
    BUYING = "buying"
    """Every sell is done."""
    DONE = "done"
    PARTIAL = "partial"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    HALTED = "halted"
    FAILED = "failed"
    SHADOWED = "shadowed"
    """Planned beside the pipeline that trades; nothing was sent."""

    @property
    def final(self) -> bool:
        """Whether a redelivery only reports."""
        return self in _FINAL


_FINAL = frozenset(Phase) - {Phase.RECEIVED, Phase.PLANNED, Phase.SELLING, Phase.BUYING}


class JournalHead(OfRun):
    """The head of a run's record."""

    decision_hash: str
    phase: Phase
    not_after: UtcTime
    """No order of the run after this."""
    reason: str = ""
    authority_epoch: int = 0
    """Of the authority that the plan was frozen under; 0 before."""
    failures: int = 0
    """Deliveries that ended because something stayed out of reach; hand-overs do not count. Since 1.6."""
    created_at: UtcTime
    updated_at: UtcTime


class Intent(VersionedModel):
    """One order as it will be asked for. Written before the request, never changed."""

    client_order_id: str
    leg: int
    step: int
    symbol: Symbol
    side: Side
    quantity: Quantity
    limit_price: Price | None
    """None for a market order."""
    cost_price: Price
    """What a share may cost at most by our reckoning; buys keep quantity x this in cash."""
    leg_quantity: Quantity
    """What the whole leg is to trade; for a buy that cash cut short, less than planned."""
    arrival_mid: Price | None
    """Middle of the quote when the leg started."""
    filled_before: Quantity | None = None
    """Shares that the leg's earlier steps had filled when this was written; None from before 1.6."""
    leg_started_at: UtcTime
    authority_epoch: int
    lease_epoch: int
    written_at: UtcTime
