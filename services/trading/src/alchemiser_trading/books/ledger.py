"""The books together with what of the account's activities is in them, and one step from there to the next. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alchemiser_common.ports.broker import AccountEntry
from alchemiser_common.records.books import BookChange, BookedEntry, BookedEvent, FollowedAccount
from alchemiser_trading.books.books import Book


@dataclass(frozen=True, slots=True)
class Ledger:
    """The books and what of the account's activities is in them."""

    books: Mapping[str, Book]
    account: FollowedAccount

    def after(self, books: Mapping[str, Book], event: BookedEvent) -> "Ledger":
        """With an event in it, which remembers what it did to each book."""
        changes = tuple(
            _change(self.books.get(name, Book(strategy=name)), book)
            for name, book in sorted(books.items())
            if book != self.books.get(name)
        )
        events = (*self.account.events, event.model_copy(update={"changes": changes}))
        transferred = self.account.transferred + event.transferred
        return Ledger(books, self.account.model_copy(update={"events": events, "transferred": transferred}))


@dataclass(frozen=True, slots=True)
class Step:
    """One event booked, or not."""

    ledger: Ledger
    note: str = ""
    """For a person; empty if it is nothing to speak of."""
    unexplained: Mapping[str, str] = field(default_factory=dict)
    """Why not, by symbol."""


def booked_entry(entry: AccountEntry) -> BookedEntry:
    """An entry as it is remembered."""
    return BookedEntry(
        activity_id=entry.activity_id,
        code=entry.code,
        symbol=entry.symbol,
        quantity=entry.quantity,
        amount=entry.amount,
    )


def _change(before: Book, after: Book) -> BookChange:
    symbols = {lot.symbol for lot in set(before.lots) ^ set(after.lots)}
    return BookChange(
        strategy=after.strategy,
        realised=after.realised - before.realised,
        income=after.income - before.income,
        before=tuple(lot for lot in before.lots if lot.symbol in symbols),
        after=tuple(lot for lot in after.lots if lot.symbol in symbols),
    )
