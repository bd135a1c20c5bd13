"""The books in the state store: read, and what to write to change them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import batched

from alchemiser_common import keys
from alchemiser_common.messages.snapshot import Account, Position
from alchemiser_common.ports.state import ABSENT, Put, StateStore, load, load_all, put, put_over
from alchemiser_common.records.books import DailyEquity, FollowedAccount, StrategyWorth
from alchemiser_trading.books.books import UNASSIGNED, Book, BookDifference, differences

_AT_ONCE = 90
"""Books emptied in one write, beside `unassigned` and the lease: a write takes 100 records."""


@dataclass(frozen=True, slots=True)
class StoredBooks:
    """All books of an account, how far they have followed it, and the versions to name when changing them."""

    books: Mapping[str, Book]
    versions: Mapping[str, int]
    account: FollowedAccount | None = None
    """None in a home that has never followed its account."""
    account_version: int = ABSENT

    @classmethod
    def load(cls, store: StateStore, account_alias: str) -> "StoredBooks":
        """Every strategy's book with the version it was read at. Raises StateCorrupt, StoreUnavailable."""
        found = load_all(store, keys.account_partition(account_alias), Book, prefix=keys.BOOK_PREFIX)
        followed = load(store, keys.followed_account(account_alias), FollowedAccount)
        return cls(
            {item.value.strategy: item.value for item in found},
            {item.value.strategy: item.version for item in found},
            None if followed is None else followed.value,
            ABSENT if followed is None else followed.version,
        )

    def puts(self, account_alias: str, after: Mapping[str, Book]) -> tuple[Put, ...]:
        """The writes that make `after` the books; a strategy that left keeps an empty one."""
        whole = {name: book.emptied() for name, book in self.books.items()} | dict(after)
        return tuple(
            put(keys.strategy_book(account_alias, name), book, self.versions.get(name, ABSENT))
            for name, book in sorted(whole.items())
            if book != self.books.get(name)
        )

    def account_put(self, account_alias: str, account: FollowedAccount) -> Put:
        """The write of how far the books have followed the account."""
        return put(keys.followed_account(account_alias), account, self.account_version)

    def written(self, after: Mapping[str, Book], account: FollowedAccount) -> "StoredBooks":
        """As they are stored once `puts` and `account_put` have been written."""
        changed = {name for name, book in after.items() if book != self.books.get(name)}
        versions = {name: self.versions.get(name, ABSENT) + (name in changed) for name in after}
        return replace(
            self,
            books={**self.books, **after},
            versions={**self.versions, **versions},
            account=account,
            account_version=self.account_version + 1,
        )

    # When a whole portfolio is exchanged for another one, the books that are emptied and those that are filled can be
    # more than one write takes, and a run's end is one write. So what has left is emptied before, with its own result
    # left in its book: each write moves shares from some books to `unassigned` and changes nothing else, and the books
    # add up to the account after any of them. A run that dies in between finds them moved, and goes on.
    def retirements(self, account_alias: str, strategies: Collection[str]) -> tuple[tuple[Put, ...], ...]:
        """Writes, one after the other, that move the shares of every other strategy to `unassigned`."""
        left = [
            book for name, book in sorted(self.books.items()) if book.lots and name not in {*strategies, UNASSIGNED}
        ]
        spare, version = self.books.get(UNASSIGNED, Book(strategy=UNASSIGNED)), self.versions.get(UNASSIGNED, ABSENT)
        writes = []
        for some in batched(left, _AT_ONCE, strict=False):
            lots = (*spare.lots, *(lot for book in some for lot in book.lots))
            spare = spare.model_copy(update={"lots": tuple(sorted(lots, key=lambda lot: lot.opened))})
            emptied = (
                put(
                    keys.strategy_book(account_alias, book.strategy),
                    book.emptied(),
                    self.versions[book.strategy],
                )
                for book in some
            )
            writes.append((put(keys.strategy_book(account_alias, UNASSIGNED), spare, version), *emptied))
            version += 1
        return tuple(writes)


def equity_put(
    store: StateStore,
    account_alias: str,
    session: date,
    account: Account,
    positions: Sequence[Position],
    books: Mapping[str, Book],
    transferred: Decimal,
) -> Put:
    """The write of the session's equity; a later run of the session replaces it."""
    prices = {position.symbol: position.price for position in positions}
    worth = tuple(
        StrategyWorth(
            strategy=name,
            market_value=book.market_value(prices),
            realised=book.realised,
            unrealised=book.unrealised(prices),
            income=book.income,
        )
        for name, book in sorted(books.items())
    )
    key = keys.equity_record(account_alias, session)
    known = load(store, key, DailyEquity)
    record = DailyEquity(
        session=session, equity=account.equity, cash=account.cash, strategies=worth, transferred=transferred
    )
    return put_over(known, key, record)


def compare_books(store: StateStore, account_alias: str, positions: Sequence[Position]) -> tuple[BookDifference, ...]:
    """Symbols whose books, as they are stored, do not add up to what the broker holds; changes nothing."""
    stored = StoredBooks.load(store, account_alias)
    held = {position.symbol: position.quantity for position in positions}
    return differences(tuple(stored.books.values()), held)
