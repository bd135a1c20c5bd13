"""Orders of a run that has ended of which it is not known whether they ended: looked up, and cancelled, until it is."""

from datetime import date
from uuid import UUID

from alchemiser_common.ids import Side
from alchemiser_common.messages.base import Frozen, Quantity, Symbol, VersionedModel


class LooseOrder(Frozen):
    """An order that may be at the broker."""

    client_order_id: str
    symbol: Symbol
    side: Side
    quantity: Quantity
    """What was asked for."""
    filled: Quantity
    """What is known to have been filled, and is booked."""
    reason: str
    """Why it is not known to have ended."""


class LooseOrders(VersionedModel):
    """Those of one run; none are left once each was found ended, or absent after the close. Since 1.6."""

    run_id: UUID
    session: date
    """The orders are good for that day: after its close none of them can fill, or arrive."""
    orders: tuple[LooseOrder, ...]
