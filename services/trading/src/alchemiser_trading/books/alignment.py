"""Books made to follow the broker's own figures, where its activities are no witness. Pure.

That is when a home with books begins to follow an account, and when a person asks for the books to be repaired.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from alchemiser_common.messages.snapshot import Position
from alchemiser_trading.books.books import UNASSIGNED, Book, bought, differences, sold
from alchemiser_trading.books.corporate_actions import Exchange, exchanged
from alchemiser_trading.books.renames import renamed
from alchemiser_trading.books.splits import is_split


def aligned(
    books: Mapping[str, Book], positions: Sequence[Position], day: date, only: Collection[str] | None = None
) -> dict[str, Book]:
    """Books that add up to the positions: shares that nobody booked come to `unassigned` at their entry price.

    A new name is taken over; a split changes every strategy's shares alike. Shares that are booked but gone leave at
    the position's price (or their own cost), `unassigned` first, then every strategy in proportion. Of `only` these
    symbols if they are given.
    """
    by_symbol = {position.symbol: position for position in positions}
    held = {symbol: position.quantity for symbol, position in by_symbol.items()}
    result = _renamed(books, positions) if only is None else dict(books)
    for item in differences(tuple(result.values()), held):
        if only is not None and item.symbol not in only:
            continue
        position = by_symbol.get(item.symbol)
        surplus = item.at_broker - item.in_books
        if position is not None and is_split(item.in_books, _cost(result.values(), item.symbol), position):
            split = Exchange(item.symbol, item.in_books, {item.symbol: item.at_broker}, Decimal(0), day)
            result = exchanged(result, split, {})
        elif surplus > 0 and position is not None:
            price = position.average_entry_price if position.average_entry_price > 0 else position.price
            result = bought(result, UNASSIGNED, item.symbol, surplus, price, day)
        elif surplus < 0:
            result = sold(result, item.symbol, -surplus, position.price if position else None, day)
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
