"""What each strategy holds of the account, at what cost, and what it has earned: FIFO lots. Pure.

The books of all strategies together are the account: shares that no strategy asked for are in the book `unassigned`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_DOWN, Decimal

from alchemiser_common.messages.base import Frozen, Quantity, Symbol
from alchemiser_common.messages.snapshot import Position
from alchemiser_common.records.books import Lot, StrategyBook
from alchemiser_common.shares import REPORTED_STEP
from alchemiser_trading.books.renames import renamed
from alchemiser_trading.books.splits import is_split

UNASSIGNED = "unassigned"


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

    def unrealised(self, prices: Mapping[str, Decimal]) -> Decimal:
        """USD above cost at the given prices."""
        cost = sum((lot.quantity * lot.price for lot in self.lots), Decimal(0))
        return self.market_value(prices) - cost

    def changed(self, symbol: str, by: Decimal, price: Decimal, day: date) -> "Book":
        """After buying (`by` > 0) or selling shares at `price` USD: sales take the oldest lots first.

        Raises ValueError when more is sold than held.
        """
        if by > 0:
            return self.model_copy(
                update={"lots": (*self.lots, Lot(symbol=symbol, quantity=by, price=price, opened=day))}
            )
        left, realised, kept = -by, self.realised, []
        for lot in self.lots:
            taken = min(left, lot.quantity) if lot.symbol == symbol else Decimal(0)
            left -= taken
            realised += taken * (price - lot.price)
            if taken < lot.quantity:
                kept.append(lot if taken == 0 else lot.model_copy(update={"quantity": lot.quantity - taken}))
        if left > 0:
            raise ValueError(f"book {self.strategy} sells {-by} {symbol}, {left} more than it holds")
        return self.model_copy(update={"lots": tuple(kept), "realised": realised})


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


def aligned(books: Mapping[str, Book], positions: Sequence[Position], day: date) -> dict[str, Book]:
    """Books that add up to the positions: shares that nobody booked come to `unassigned` at their entry price.

    A new name is taken over; a split changes every strategy's shares alike. Shares that are booked but gone leave at
    the position's price (or their own cost), `unassigned` first, then every strategy in proportion.
    """
    by_symbol = {position.symbol: position for position in positions}
    held = {symbol: position.quantity for symbol, position in by_symbol.items()}
    result = _renamed(books, positions)
    for item in differences(tuple(result.values()), held):
        position = by_symbol.get(item.symbol)
        surplus = item.at_broker - item.in_books
        if position is not None and is_split(item.in_books, _cost(result.values(), item.symbol), position):
            _split(result, item.symbol, item.in_books, item.at_broker)
        elif surplus > 0 and position is not None:
            price = position.average_entry_price if position.average_entry_price > 0 else position.price
            book = result.get(UNASSIGNED, Book(strategy=UNASSIGNED))
            result[UNASSIGNED] = book.changed(item.symbol, surplus, price, day)
        elif surplus < 0:
            _write_off(result, item.symbol, -surplus, position.price if position else None, day)
    return result


def _renamed(books: Mapping[str, Book], positions: Sequence[Position]) -> dict[str, Book]:
    names = renamed((lot for book in books.values() for lot in book.lots), positions)
    return {
        name: book.model_copy(
            update={
                "lots": tuple(
                    lot.model_copy(update={"symbol": names[lot.symbol]}) if lot.symbol in names else lot
                    for lot in book.lots
                )
            }
        )
        for name, book in books.items()
    }


def _cost(books: Iterable[Book], symbol: str) -> Decimal:
    lots = (lot for book in books for lot in book.lots if lot.symbol == symbol)
    return sum((lot.quantity * lot.price for lot in lots), Decimal(0))


def _split(books: dict[str, Book], symbol: str, before: Decimal, after: Decimal) -> None:
    """Every lot becomes `after` shares for `before` at the same cost; what rounding leaves comes to the largest."""
    ratio, left = after / before, after
    scaled: dict[str, list[Lot]] = {}
    largest: tuple[Decimal, str, int] | None = None
    for name, book in sorted(books.items()):
        scaled[name] = []
        for place, lot in enumerate(book.lots):
            new = lot
            if lot.symbol == symbol:
                quantity = (lot.quantity * ratio).quantize(REPORTED_STEP, rounding=ROUND_DOWN)
                new = lot.model_copy(update={"quantity": quantity, "price": lot.price / ratio})
                left -= quantity
                if largest is None or quantity > largest[0]:
                    largest = (quantity, name, place)
            scaled[name].append(new)
    if largest is not None:
        quantity, name, place = largest
        scaled[name][place] = scaled[name][place].model_copy(update={"quantity": quantity + left})
    for name, lots in scaled.items():
        books[name] = books[name].model_copy(update={"lots": tuple(lot for lot in lots if lot.quantity > 0)})


def _write_off(books: dict[str, Book], symbol: str, missing: Decimal, price: Decimal | None, day: date) -> None:
    spare = books.get(UNASSIGNED)
    if spare is not None and spare.quantity(symbol) > 0:
        taken = min(missing, spare.quantity(symbol))
        books[UNASSIGNED] = _reduced(spare, symbol, taken, price, day)
        missing -= taken
    holders = [book for book in books.values() if book.strategy != UNASSIGNED and book.quantity(symbol) > 0]
    whole = total(holders, symbol)
    for number, book in enumerate(holders, start=1):
        share = missing if number == len(holders) else (missing * book.quantity(symbol) / whole).quantize(REPORTED_STEP)
        taken = min(share, book.quantity(symbol))
        books[book.strategy] = _reduced(book, symbol, taken, price, day)
        missing -= taken
        whole -= book.quantity(symbol)


def _reduced(book: Book, symbol: str, by: Decimal, price: Decimal | None, day: date) -> Book:
    """At the price if there is one, else at cost: what vanishes without a price earns nothing."""
    if price is not None:
        return book.changed(symbol, -by, price, day)
    return book.changed(symbol, -by, Decimal(0), day).model_copy(update={"realised": book.realised})
