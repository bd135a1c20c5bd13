"""What each strategy holds of the account, at what cost, and what it has earned: FIFO lots. Pure.

The books of all strategies together are the account: shares that no strategy asked for are in the book `unassigned`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from alchemiser_common.messages.base import Frozen, Quantity, Symbol
from alchemiser_common.records.books import Lot, PastLot, StrategyBook
from alchemiser_trading.books.apportion import apportioned

UNASSIGNED = "unassigned"
_PAST_KEPT = timedelta(days=60)
"""Longer than dividends take from the day that decides whose they are to the day on which they are paid."""
_PAST_MOST = 500
"""Of one strategy: a book is one record, and a record has a limit."""


class Book(StrategyBook):
    """The stored book with what can be asked of it and done to it."""

    def quantity(self, symbol: str) -> Decimal:
        """Shares of the symbol over all lots."""
        return sum((lot.quantity for lot in self.lots if lot.symbol == symbol), Decimal(0))

    def symbols(self) -> frozenset[str]:
        """The symbols of all lots."""
        return frozenset(lot.symbol for lot in self.lots)

    def market_value(self, prices: Mapping[str, Decimal]) -> Decimal:
        """USD at the given prices; a lot without one counts at its cost."""
        return sum((lot.quantity * prices.get(lot.symbol, lot.price) for lot in self.lots), Decimal(0))

    def cost(self) -> Decimal:
        """USD that all lots cost."""
        return sum((lot.quantity * lot.price for lot in self.lots), Decimal(0))

    def unrealised(self, prices: Mapping[str, Decimal]) -> Decimal:
        """USD above cost at the given prices."""
        return self.market_value(prices) - self.cost()

    def earned(self, *, realised: Decimal = Decimal(0), income: Decimal = Decimal(0)) -> "Book":
        """With more realised result and more income, in USD."""
        return self.model_copy(update={"realised": self.realised + realised, "income": self.income + income})

    def emptied(self) -> "Book":
        """Without lots; what was earned stays."""
        return self.model_copy(update={"lots": ()})

    def changed(self, symbol: str, by: Decimal, price: Decimal, day: date) -> "Book":
        """After buying (`by` > 0) or selling shares at `price` USD: sales take the oldest lots first.

        Raises ValueError when more is sold than held.
        """
        if by > 0:
            return self.model_copy(
                update={"lots": (*self.lots, Lot(symbol=symbol, quantity=by, price=price, opened=day))}
            )
        left, realised, kept, sold = -by, self.realised, [], []
        for lot in self.lots:
            taken = min(left, lot.quantity) if lot.symbol == symbol else Decimal(0)
            left -= taken
            realised += taken * (price - lot.price)
            if taken > 0:
                sold.append(PastLot(symbol=symbol, quantity=taken, opened=lot.opened, closed=day))
            if taken < lot.quantity:
                kept.append(lot if taken == 0 else lot.model_copy(update={"quantity": lot.quantity - taken}))
        if left > 0:
            raise ValueError(f"book {self.strategy} sells {-by} {symbol}, {left} more than it holds")
        return self.model_copy(
            update={"lots": tuple(kept), "realised": realised, "past": remembered(self.past, sold, day)}
        )


def remembered(past: Iterable[PastLot], more: Iterable[PastLot], day: date) -> tuple[PastLot, ...]:
    """What is still worth knowing on `day` of shares that are gone: those that were held over a night, not long ago."""
    quantities: dict[tuple[str, date, date], Decimal] = {}
    for lot in (*past, *more):
        if lot.opened < lot.closed and lot.closed >= day - _PAST_KEPT:
            key = lot.symbol, lot.opened, lot.closed
            quantities[key] = quantities.get(key, Decimal(0)) + lot.quantity
    kept = [
        PastLot(symbol=symbol, quantity=quantity, opened=opened, closed=closed)
        for (symbol, opened, closed), quantity in quantities.items()
    ]
    return tuple(sorted(kept, key=lambda lot: (lot.closed, lot.symbol, lot.opened))[-_PAST_MOST:])


class BookDifference(Frozen):
    """Shares of a symbol in all books, and at the broker."""

    symbol: Symbol
    in_books: Quantity
    at_broker: Quantity


def total(books: Iterable[Book], symbol: str) -> Decimal:
    """Shares of a symbol in all books."""
    return sum((book.quantity(symbol) for book in books), Decimal(0))


def differences(books: Sequence[Book], held: Mapping[str, Decimal]) -> tuple[BookDifference, ...]:
    """Symbols whose books do not add up to the account's shares."""
    symbols = sorted(held.keys() | {symbol for book in books for symbol in book.symbols()})
    found = (
        BookDifference(symbol=symbol, in_books=total(books, symbol), at_broker=held.get(symbol, Decimal(0)))
        for symbol in symbols
    )
    return tuple(item for item in found if item.in_books != item.at_broker)


def bought(
    books: Mapping[str, Book], strategy: str, symbol: str, quantity: Decimal, price: Decimal, day: date
) -> dict[str, Book]:
    """The books after one of them got shares at a price in USD."""
    book = books.get(strategy, Book(strategy=strategy))
    return {**books, strategy: book.changed(symbol, quantity, price, day)}


def sold(
    books: Mapping[str, Book], symbol: str, quantity: Decimal, price: Decimal | None, day: date
) -> dict[str, Book]:
    """The books after shares that no strategy sold have left the account: `unassigned` loses first, then all alike.

    At `price` USD, or at their own cost without one: what vanishes without a price earns nothing. Raises ValueError
    when they are more than all books hold.
    """
    result = dict(books)
    spare = books[UNASSIGNED].quantity(symbol) if UNASSIGNED in books else Decimal(0)
    holders = {name: book.quantity(symbol) for name, book in books.items() if name != UNASSIGNED}
    first = min(quantity, spare)
    parts = {UNASSIGNED: first, **apportioned(quantity - first, holders)}
    if sum(parts.values(), Decimal(0)) < quantity:
        raise ValueError(f"{quantity} {symbol} leave, more than the {spare + sum(holders.values())} that are booked")
    for name, part in parts.items():
        if part > 0:
            result[name] = _reduced(result[name], symbol, part, price, day)
    return result


def _reduced(book: Book, symbol: str, by: Decimal, price: Decimal | None, day: date) -> Book:
    if price is not None:
        return book.changed(symbol, -by, price, day)
    return book.changed(symbol, -by, Decimal(0), day).model_copy(update={"realised": book.realised})
