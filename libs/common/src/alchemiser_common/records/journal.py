"""A run's journal: where it stands, and each order as it will be asked for."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from alchemiser_common.ids import Side
from alchemiser_common.messages.base import OfRun, Price, Quantity, Symbol, UtcTime, VersionedModel
from alchemiser_common.messages.report import RunStatus

_DONE = "done"


def _from_journal(word: object) -> object:
    return RunStatus.COMPLETED if word == _DONE else word


def _journaled(status: RunStatus) -> RunStatus:
    if not status.journaled:
        raise ValueError(f"{status.value} is not what a journal says of a run")
    return status


def _as_stored(status: RunStatus) -> str:
    # Images before 1.6 know the end of a run that did all as `done` and nothing else.
    return _DONE if status is RunStatus.COMPLETED else status.value


JournalStatus = Annotated[
    RunStatus, BeforeValidator(_from_journal), AfterValidator(_journaled), PlainSerializer(_as_stored)
]
"""Where a run stands in the trading service; `completed` is stored as `done`, and read as either."""


class JournalHead(OfRun):
    """The head of a run's record."""

    decision_hash: str
    phase: JournalStatus
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
