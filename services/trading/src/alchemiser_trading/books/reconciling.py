"""The books against what the broker holds, for a person: compared, and made to follow it when asked to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from alchemiser_common.errors import Conflict
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


@dataclass(frozen=True, slots=True)
class Comparison:
    """Books and account side by side, all activities booked."""

    differences: tuple[BookDifference, ...]
    blocked: Mapping[str, str]
    """Symbols that are not traded until a person has looked, by name, with the reason."""

    @property
    def agrees(self) -> bool:
        """Whether there is nothing for a person to do."""
        return not self.differences and not self.blocked


def compare_account(store: StateStore, broker: MarketReader, account_alias: str, now: datetime) -> Comparison:
    """Symbols whose books do not add up to what the broker holds, and those that are blocked; changes nothing."""
    holdings = broker.holdings()
    return _compared(store, account_alias, follow_account(store, broker, account_alias, holdings, now), holdings)


# A person answers for what was shown. Books and account are read again for the writes, since minutes may have passed;
# what has changed meanwhile was not agreed to.
def repair_books(
    store: StateStore,
    broker: MarketReader,
    account_alias: str,
    shown: Comparison,
    *,
    who: str,
    reason: str,
    now: datetime,
) -> None:
    """Make the books add up to what the broker holds, with an audit entry, if that is still what was `shown`.

    Activities are booked first; those that nothing explains are acknowledged, and never booked. Raises RunInProgress
    while a run has not ended, Conflict if something else than `shown` would be repaired or a run begins at the moment.
    """
    holdings = broker.holdings()
    followed = follow_account(store, broker, account_alias, holdings, now)
    found = _compared(store, account_alias, followed, holdings)
    if (found.differences, found.blocked.keys()) != (shown.differences, shown.blocked.keys()):
        raise Conflict(f"books or positions of account {account_alias} have changed since they were shown: look again")
    if found.agrees:
        return
    listed = ", ".join(f"{item.symbol} {item.in_books} to {item.at_broker}" for item in found.differences)
    change = Change(f"books: {listed or ', '.join(sorted(followed.blocked))}", who, reason, now)
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


def _compared(store: StateStore, account_alias: str, followed: Followed, holdings: Holdings) -> Comparison:
    """Of books that follow the account, what is left; of those that do not yet, what the first reading will align."""
    stored = StoredBooks.load(store, account_alias)
    books = stored.books if stored.account is None else followed.books
    held = {position.symbol: position.quantity for position in holdings.positions}
    return Comparison(differences(tuple(books.values()), held), dict(followed.blocked))
