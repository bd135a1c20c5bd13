"""The books against what the broker holds, for a person: compared, and made to follow it when asked to."""

from datetime import datetime

from alchemiser_common.ports.broker import Holdings, MarketReader
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.ports.state import StateStore
from alchemiser_trading.account.audit import Change
from alchemiser_trading.account.lease import require_idle
from alchemiser_trading.books.alignment import aligned
from alchemiser_trading.books.book_store import StoredBooks
from alchemiser_trading.books.books import BookDifference, differences
from alchemiser_trading.books.corrections import acknowledged
from alchemiser_trading.books.follow_account import Followed, follow_account


def compare_account(
    store: StateStore, broker: MarketReader, account_alias: str, now: datetime
) -> tuple[BookDifference, ...]:
    """Symbols whose books do not add up to what the broker holds, all activities booked; changes nothing."""
    holdings = broker.holdings()
    return _wrong(store, account_alias, follow_account(store, broker, account_alias, holdings, now), holdings)


def repair_books(
    store: StateStore, broker: MarketReader, account_alias: str, *, who: str, reason: str, now: datetime
) -> tuple[BookDifference, ...]:
    """Make the books add up to what the broker holds, with an audit entry; what was wrong comes back.

    Activities are booked first; those that nothing explains are acknowledged, and never booked. Raises RunInProgress
    while a run has not ended, Conflict if one begins at the same moment.
    """
    holdings = broker.holdings()
    followed = follow_account(store, broker, account_alias, holdings, now)
    wrong = _wrong(store, account_alias, followed, holdings)
    listed = ", ".join(f"{item.symbol} {item.in_books} to {item.at_broker}" for item in wrong)
    change = Change(f"books: {listed or ', '.join(sorted(followed.blocked))}", who, reason, now)
    if not wrong and not followed.blocked:
        return wrong
    for write in followed.writes:
        store.write(require_idle(store, account_alias, now), *write)
    stored, account = followed.stored, followed.account
    today = now.astimezone(EXCHANGE_ZONE).date()
    after = aligned(stored.books, holdings.positions, today)
    settled = acknowledged(account, followed.activities, today).model_copy(update={"blocked": ()})
    store.write(
        require_idle(store, account_alias, now),
        *stored.puts(account_alias, after),
        stored.account_put(account_alias, settled),
        change.entry(account_alias, "books"),
    )
    return wrong


def _wrong(store: StateStore, account_alias: str, followed: Followed, holdings: Holdings) -> tuple[BookDifference, ...]:
    """Of books that follow the account, what is left; of those that do not yet, what the first reading will align."""
    stored = StoredBooks.load(store, account_alias)
    books = stored.books if stored.account is None else followed.books
    held = {position.symbol: position.quantity for position in holdings.positions}
    return differences(tuple(books.values()), held)
