"""What each strategy holds at what cost, and what it has earned: the books as a person reads them. Pure; USD."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from alchemiser_common.records.books import Lot, StrategyBook

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class OpenLot:
    """Shares that came at one price, and what they are worth now."""

    symbol: str
    opened: date
    quantity: Decimal
    price: Decimal
    cost: Decimal
    value: Decimal | None
    """None without a price."""

    @property
    def unrealised(self) -> Decimal | None:
        """USD above cost; None without a price."""
        return None if self.value is None else self.value - self.cost


@dataclass(frozen=True, slots=True)
class BookView:
    """One strategy's book."""

    strategy: str
    lots: tuple[OpenLot, ...]
    realised: Decimal
    """Since the first run, by FIFO lots; no wash sale is taken into account."""
    income: Decimal

    @property
    def cost(self) -> Decimal:
        """USD of all lots."""
        return sum((lot.cost for lot in self.lots), _NOTHING)

    @property
    def unrealised(self) -> Decimal | None:
        """USD above cost; None if a lot has no price."""
        parts = [lot.unrealised for lot in self.lots]
        known = [part for part in parts if part is not None]
        return sum(known, _NOTHING) if len(known) == len(parts) else None

    @property
    def value(self) -> Decimal | None:
        """USD that the shares are worth; None if a lot has no price."""
        gained = self.unrealised
        return None if gained is None else self.cost + gained


def book_views(books: Iterable[StrategyBook], prices: Mapping[str, Decimal]) -> tuple[BookView, ...]:
    """The books by strategy, lots by symbol and age; one that holds nothing and never earned anything is left out."""
    views = (
        BookView(
            strategy=book.strategy,
            lots=tuple(_view(lot, prices.get(lot.symbol)) for lot in sorted(book.lots, key=_order)),
            realised=book.realised,
            income=book.income,
        )
        for book in sorted(books, key=lambda book: book.strategy)
    )
    return tuple(view for view in views if view.lots or view.realised or view.income)


def shares_held(books: Iterable[StrategyBook]) -> dict[str, Decimal]:
    """Shares by symbol over all books."""
    held: dict[str, Decimal] = {}
    for book in books:
        for lot in book.lots:
            held[lot.symbol] = held.get(lot.symbol, _NOTHING) + lot.quantity
    return {symbol: quantity for symbol, quantity in held.items() if quantity}


def _order(lot: Lot) -> tuple[str, date]:
    return lot.symbol, lot.opened


def _view(lot: Lot, price: Decimal | None) -> OpenLot:
    value = None if price is None else lot.quantity * price
    return OpenLot(lot.symbol, lot.opened, lot.quantity, lot.price, lot.quantity * lot.price, value)
