"""What each strategy holds at what cost, and what account and strategies are worth after a session. USD, shares."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from alchemiser_common.messages.base import Frozen, Money, Price, Quantity, Symbol, UtcTime, VersionedModel


class Lot(Frozen):
    """Shares that came at one price."""

    symbol: Symbol
    quantity: Quantity
    price: Price
    opened: date


class PastLot(Frozen):
    """Shares that are gone: whose a dividend is was decided weeks before it is paid. Since 1.6."""

    symbol: Symbol
    quantity: Quantity
    opened: date
    closed: date


class StrategyBook(VersionedModel):
    """One strategy's lots, oldest first, and what it has earned with those that are gone."""

    strategy: str
    lots: tuple[Lot, ...] = ()
    realised: Money = Decimal(0)
    income: Money = Decimal(0)
    """Cash that came with what it held: dividends less taxes and charges on them. Since 1.6."""
    past: tuple[PastLot, ...] = ()
    """What it held lately. Since 1.6."""


class StrategyWorth(Frozen):
    """One strategy at the end of a run, in USD."""

    strategy: str
    market_value: Money
    realised: Money
    """Since the first run."""
    unrealised: Money
    income: Money = Decimal(0)
    """Since the first run. Since 1.6."""


class DailyEquity(VersionedModel):
    """The account at the end of a session's last run, in USD."""

    session: date
    equity: Money
    cash: Money
    strategies: tuple[StrategyWorth, ...]
    transferred: Money = Decimal(0)
    """Came from outside, less what went there, since the account is followed: nobody's profit. Since 1.6."""


class BookedOrder(Frozen):
    """How much of an order's fills is booked: more may come. Since 1.6."""

    order_id: str
    quantity: Quantity


class BookedRun(Frozen):
    """The orders of a run that had fills when it ended, or later. Since 1.6."""

    run_id: UUID
    session: date
    orders: tuple[BookedOrder, ...]


class BookedFill(Frozen):
    """A fill that is booked, by the broker's id. Since 1.6."""

    activity_id: str
    at: UtcTime


class BookedEntry(Frozen):
    """An activity that is booked, with the figures it had then: they may be corrected. Since 1.6."""

    activity_id: str
    code: str
    symbol: str
    quantity: Quantity
    amount: Money


class BookChange(Frozen):
    """What an event did to one book: enough to take it back. Since 1.6."""

    strategy: str
    realised: Money = Decimal(0)
    income: Money = Decimal(0)
    before: tuple[Lot, ...] = ()
    """Lots of the symbols that changed, as they were, and as they then were."""
    after: tuple[Lot, ...] = ()


class BookedEvent(Frozen):
    """Activities that are one event, such as the two entries of a split, and what they did. Since 1.6."""

    day: date
    """On which it took effect."""
    booked: date
    entries: tuple[BookedEntry, ...]
    changes: tuple[BookChange, ...] = ()
    transferred: Money = Decimal(0)


class BlockedSymbol(Frozen):
    """A symbol that is not traded until somebody has looked, or the broker's notice has come. Since 1.6."""

    symbol: str
    reason: str


class FollowedAccount(VersionedModel):
    """How far the books have followed the account's activities. Since 1.6.

    What is older than the next reading goes back to is dropped: the record does not grow.
    """

    through: UtcTime
    runs: tuple[BookedRun, ...] = ()
    fills: tuple[BookedFill, ...] = ()
    """Of orders that are no run's."""
    events: tuple[BookedEvent, ...] = ()
    blocked: tuple[BlockedSymbol, ...] = ()
    transferred: Money = Decimal(0)
    """As `DailyEquity` has it."""
