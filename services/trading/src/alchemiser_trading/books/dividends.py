"""Whose cash is that a holding brought: of those who held it on the day that decided it. Pure. Shares and USD."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal

from alchemiser_common.ports.broker import AccountEntry
from alchemiser_trading.books.apportion import apportioned
from alchemiser_trading.books.books import UNASSIGNED, Book

_RECORD_DAY = re.compile(r"Rec(?:ord)? Date: *(\d{4}-\d{2}-\d{2})")
_SHARES = re.compile(r"Pos QTY: *(\d+(?:\.\d+)?)")


def earners(books: Mapping[str, Book], entry: AccountEntry) -> dict[str, Decimal]:
    """Shares by strategy that the cash of an entry was paid on; `unassigned` if the symbol was held by nobody."""
    for day in _days(books, entry):
        held = {name: shares for name, book in books.items() if (shares := held_over(book, entry.symbol, day)) > 0}
        if held:
            return held
    return {UNASSIGNED: Decimal(1)}


def paid(books: Mapping[str, Book], entry: AccountEntry) -> dict[str, Book]:
    """The books after cash came with (or was taken for) a holding: income of those who earned it."""
    return {
        **books,
        **{
            name: books.get(name, Book(strategy=name)).earned(income=part)
            for name, part in apportioned(entry.amount, earners(books, entry)).items()
        },
    }


def held_over(book: Book, symbol: str, day: date) -> Decimal:
    """Shares of the symbol that the book had in the night before the day: bought earlier, sold on the day or later."""
    now = (lot.quantity for lot in book.lots if lot.symbol == symbol and lot.opened < day)
    then = (lot.quantity for lot in book.past if lot.symbol == symbol and lot.opened < day <= lot.closed)
    return sum(now, Decimal(0)) + sum(then, Decimal(0))


# Who holds a share in the night before the ex-day gets its dividend, which is paid days or weeks later. Alpaca's entry
# says on how many shares was paid, and names the record day; that is the ex-day, and was the day after it until 2024.
# So the shares decide: the day that is named if the account had as many, else the last one on which it had. Where none
# fits, as after a split, the day that is named, or the last on which anybody had any.
def _days(books: Mapping[str, Book], entry: AccountEntry) -> Iterator[date]:
    """Days on which to look for who held the symbol, most likely first."""
    record_day = _RECORD_DAY.search(entry.description)
    shares = _SHARES.search(entry.description)
    named = [] if record_day is None else list(_date(record_day[1]))
    quantity = Decimal(shares[1]) if shares and entry.quantity == 0 else abs(entry.quantity)
    days = [*named, *_changes(books, entry)]
    for day in days:
        if sum((held_over(book, entry.symbol, day) for book in books.values()), Decimal(0)) == quantity:
            yield day
    yield from days


def _date(text: str) -> Iterator[date]:
    """The day that the text names, if there is such a day: it is the broker's free text."""
    with suppress(ValueError):
        yield date.fromisoformat(text)


def _changes(books: Mapping[str, Book], entry: AccountEntry) -> list[date]:
    """The entry's day, and every day until then on which shares of the symbol changed hands; latest first."""
    held = [lot for book in books.values() for lot in book.lots if lot.symbol == entry.symbol]
    past = [lot for book in books.values() for lot in book.past if lot.symbol == entry.symbol]
    days = {lot.opened for lot in held} | {day for lot in past for day in (lot.opened, lot.closed)}
    return sorted({entry.day, *(day for day in days if day < entry.day)}, reverse=True)
