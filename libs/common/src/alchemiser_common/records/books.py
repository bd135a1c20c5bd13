"""What each strategy holds at what cost, and what account and strategies are worth after a session. USD, shares."""

from datetime import date
from decimal import Decimal

from alchemiser_common.messages.base import Frozen, Money, Price, Quantity, Symbol, VersionedModel


class Lot(Frozen):
    """Shares that came at one price."""

    symbol: Symbol
    quantity: Quantity
    price: Price
    opened: date


class StrategyBook(VersionedModel):
    """One strategy's lots, oldest first, and what it has earned with those that are gone."""

    strategy: str
    lots: tuple[Lot, ...] = ()
    realised: Money = Decimal(0)


class StrategyWorth(Frozen):
    """One strategy at the end of a run, in USD."""

    strategy: str
    market_value: Money
    realised: Money
    """Since the first run."""
    unrealised: Money


class DailyEquity(VersionedModel):
    """The account at the end of a session's last run, in USD."""

    session: date
    equity: Money
    cash: Money
    strategies: tuple[StrategyWorth, ...]
