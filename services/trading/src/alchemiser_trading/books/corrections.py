"""Entries that the broker takes back or mends: what they did to the books is undone. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from alchemiser_common.ports.broker import AccountEntry, Activity
from alchemiser_common.records.books import BookChange, BookedEntry, BookedEvent, FollowedAccount, PastLot
from alchemiser_trading.books.account_events import CANCELED
from alchemiser_trading.books.books import Book
from alchemiser_trading.books.ledger import Ledger, Step, booked_entry
from alchemiser_trading.plan.transfers import VALID


# The broker takes an entry back by changing its status, or by a second entry that says of the same figures that they
# are canceled; and it may mend an entry's figures. Then the whole event is taken back, and those of its entries that
# still stand are booked anew. What was taken back is remembered without effect, or it would be booked again.
def taken_back(ledger: Ledger, entries: Sequence[AccountEntry], today: date) -> Iterator[Step]:
    """Events that the broker has taken back or mended, undone."""
    for entry in entries:
        known = {booked.activity_id: event for event in ledger.account.events for booked in event.entries}
        event = known.get(entry.activity_id)
        void: tuple[AccountEntry, ...] = ()
        if entry.status == CANCELED:
            if event is None:
                standing = [item for item in entries if item.status in VALID and _mirrors(entry, item)]
                twin = next((item for item in standing if not _is_void(known, item)), None)
                event = None if twin is None else known.get(twin.activity_id)
                void = (entry,) if twin is None else (entry, twin)
            elif event.changes or event.transferred:
                void = (entry,)
            else:
                continue
        elif event is None or booked_entry(entry) in event.entries or entry.status not in VALID:
            continue
        yield (step := _undone(ledger, event, void, today))
        ledger = step.ledger


def _is_void(known: Mapping[str, BookedEvent], entry: AccountEntry) -> bool:
    """Whether the entry was taken back before."""
    event = known.get(entry.activity_id)
    return event is not None and not event.changes and not event.transferred


def _mirrors(entry: AccountEntry, other: AccountEntry) -> bool:
    """Whether the two have the same figures, whatever their signs."""
    same = entry.code == other.code and entry.symbol == other.symbol and entry.day == other.day
    return same and abs(entry.quantity) == abs(other.quantity) and abs(entry.amount) == abs(other.amount)


def _undone(ledger: Ledger, event: BookedEvent | None, void: Sequence[AccountEntry], today: date) -> Step:
    """The ledger without the event; the `void` entries are remembered."""
    events = [known for known in ledger.account.events if known is not event]
    events.extend(BookedEvent(day=entry.day, booked=today, entries=(booked_entry(entry),)) for entry in void)
    account = ledger.account.model_copy(update={"events": tuple(events)})
    if event is None:
        return Step(replace(ledger, account=account))
    books = dict(ledger.books)
    for change in event.changes:
        book = books.get(change.strategy, Book(strategy=change.strategy))
        symbols = {lot.symbol for lot in (*change.before, *change.after)}
        if tuple(lot for lot in book.lots if lot.symbol in symbols) != change.after:
            reason = f"the broker took back {_figures(event)}, and shares of it were traded since"
            return Step(ledger, unexplained=dict.fromkeys(symbols, reason))
        others = (lot for lot in book.lots if lot.symbol not in symbols)
        lots = tuple(sorted((*others, *change.before), key=lambda lot: lot.opened))
        book = book.model_copy(update={"lots": lots, "past": _past_without(book, event, change)})
        books[change.strategy] = book.earned(realised=-change.realised, income=-change.income)
    account = account.model_copy(update={"transferred": account.transferred - event.transferred})
    return Step(Ledger(books, account), f"taken back by the broker: {_figures(event)}")


def _past_without(book: Book, event: BookedEvent, change: BookChange) -> tuple[PastLot, ...]:
    """What the book remembers of shares that are gone, without those that the event took and its undoing gave back."""
    back = {lot.symbol for lot in change.before} - {lot.symbol for lot in change.after}
    return tuple(lot for lot in book.past if lot.closed != event.day or lot.symbol not in back)


def _figures(event: BookedEvent) -> str:
    return ", ".join(
        f"{entry.code} {entry.symbol} {entry.quantity:+} shares {entry.amount:+} USD" for entry in event.entries
    )


def acknowledged(account: FollowedAccount, activities: Sequence[Activity], today: date) -> FollowedAccount:
    """The account with every entry settled as it stands: a person has made the books right by other means."""
    entries = {item.activity_id: item for item in activities if isinstance(item, AccountEntry)}
    events = [event for event in account.events if all(_stands(booked, entries) for booked in event.entries)]
    known = {booked.activity_id for event in events for booked in event.entries}
    events.extend(
        BookedEvent(day=entry.day, booked=today, entries=(booked_entry(entry),))
        for entry in entries.values()
        if entry.activity_id not in known and entry.status in {*VALID, CANCELED}
    )
    return account.model_copy(update={"events": tuple(events)})


def _stands(booked: BookedEntry, entries: Mapping[str, AccountEntry]) -> bool:
    """Whether the broker still says what is booked; an entry that is not read any more does."""
    entry = entries.get(booked.activity_id)
    return entry is None or (entry.status != CANCELED and booked_entry(entry) == booked)
