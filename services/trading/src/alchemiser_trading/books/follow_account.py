"""The books brought up to the account, before anything is planned: activities are booked, the positions compared.

Reads broker and store and writes nothing: what is to be written comes back, for a shadow to ignore.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from uuid import UUID

from alchemiser_common import keys
from alchemiser_common.ports.broker import Activity, Fill, Holdings, MarketReader
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.ports.state import Put, StateStore, load, load_all
from alchemiser_common.records.books import BlockedSymbol, FollowedAccount
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.run import RunEntry
from alchemiser_common.text import and_more
from alchemiser_trading.account.audit import Change, next_entry
from alchemiser_trading.books.alignment import aligned
from alchemiser_trading.books.book_store import StoredBooks
from alchemiser_trading.books.books import Book, differences
from alchemiser_trading.books.corporate_actions import Unexplained, shares_before
from alchemiser_trading.books.following import (
    LOOK_BACK,
    Facts,
    adopted,
    announced,
    first_day,
    follow,
    unbooked_fills,
)
from alchemiser_trading.books.ledger import Ledger, Step

_log = logging.getLogger(__name__)
_BOOKS_AT_ONCE = 90
"""Of one write, beside lease, account, audit."""
_RUNS_SEARCHED = 30
"""For an order that no run has booked: a day has few runs, and fills are read for two days."""
_MOST_NAMED = 8
_ROUNDING = Decimal("0.000001")
_REMEDY = "look at the account's activities, then `alchemiser reconcile --repair` makes the books follow the account"


@dataclass(frozen=True, slots=True)
class Followed:
    """The books as the account is now."""

    stored: StoredBooks
    """As they will be stored once `writes` have been made, in their order."""
    account: FollowedAccount
    activities: Sequence[Activity]
    """As they were read."""
    blocked: Mapping[str, str]
    """Symbols that must not be traded, with the reason: books and account differ, and nothing explains it."""
    writes: tuple[tuple[Put, ...], ...]

    @property
    def books(self) -> Mapping[str, Book]:
        """Every strategy's, by name. They add up to the account but for what is blocked."""
        return self.stored.books


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """The books as they were last, and nothing to be written."""

    books: Mapping[str, Book]
    blocked: Mapping[str, str]
    writes: tuple[tuple[Put, ...], ...] = ()


def follow_account(
    store: StateStore, broker: MarketReader, account_alias: str, holdings: Holdings, now: datetime
) -> Followed:
    """The hook before a plan: stored books, brought up to `holdings`, which were just read.

    In a home that has never followed its account the books are made to follow the broker's figures, once. Raises
    BrokerUnavailable, BrokerRefused, StoreUnavailable, StateCorrupt.
    """
    stored = StoredBooks.load(store, account_alias)
    today = now.astimezone(EXCHANGE_ZONE).date()
    activities = broker.activities(first_day(stored.account, now), today)
    for line in activities.odd:
        _log.warning("activity not read", extra={"detail": line})
    if stored.account is None:
        books = aligned(stored.books, holdings.positions, today)
        account = adopted(activities.entries, now)
        first = (*stored.puts(account_alias, books), stored.account_put(account_alias, account))
        return Followed(stored.written(books, account), account, activities.entries, {}, (first,))
    ledger = Ledger(stored.books, stored.account)
    fills = unbooked_fills(stored.account, activities.entries)
    owners = _Owners(store, broker, account_alias).plans(ledger, fills)
    prices = {position.symbol: position.price for position in holdings.positions}
    steps = list(follow(ledger, activities.entries, Facts(prices, owners), now))
    steps.extend(_announced(steps[-1].ledger, broker, holdings, now))
    unexplained = {symbol: why for step in steps for symbol, why in step.unexplained.items()}
    blocked = blocked_symbols(steps[-1].ledger.books, holdings, unexplained)
    last = steps[-1].ledger
    named = tuple(BlockedSymbol(symbol=symbol, reason=why) for symbol, why in sorted(blocked.items()))
    steps.append(Step(replace(last, account=last.account.model_copy(update={"blocked": named}))))
    for symbol, why in blocked.items():
        _log.warning("symbol not traded", extra={"symbol": symbol, "reason": why})
    after, writes = _writes(store, account_alias, stored, ledger, steps, now)
    return Followed(after, steps[-1].ledger.account, activities.entries, blocked, writes)


def not_followed(store: StateStore, account_alias: str, holdings: Holdings) -> Unfollowed:
    """The books as they are stored, while activities cannot be read: what does not agree with them is not traded."""
    stored = StoredBooks.load(store, account_alias)
    if stored.account is None:
        return Unfollowed(stored.books, {})
    return Unfollowed(stored.books, blocked_symbols(stored.books, holdings, {}))


def blocked_symbols(books: Mapping[str, Book], holdings: Holdings, unexplained: Mapping[str, str]) -> dict[str, str]:
    """What must not be traded: shares that differ, and what activities say of shares that somebody has.

    Shares that lost their price, as those of a halted company, are still held.
    """
    booked = {symbol for book in books.values() for symbol in book.symbols()}
    held = {position.symbol: position.quantity for position in holdings.positions}
    for other in holdings.others:
        if other.kind == "unpriced" and other.quantity is not None and other.symbol in booked:
            held.setdefault(other.symbol, other.quantity)
    concerned = held.keys() | booked
    blocked = {
        item.symbol: f"the books have {item.in_books} shares of {item.symbol}, the account {item.at_broker}, and no "
        f"activity explains it: {_REMEDY}"
        for item in differences(tuple(books.values()), held)
    }
    named = {symbol: f"{why}: {_REMEDY}" for symbol, why in unexplained.items() if symbol in concerned}
    return {**blocked, **named}


def _announced(ledger: Ledger, broker: MarketReader, holdings: Holdings, now: datetime) -> Iterator[Step]:
    """Splits that positions show before the account's activities do."""
    today = now.astimezone(EXCHANGE_ZONE).date()
    held = {position.symbol: position.quantity for position in holdings.positions}
    for item in differences(tuple(ledger.books.values()), held):
        if item.in_books <= 0 or item.at_broker <= 0:
            continue
        for split in broker.announced_splits(item.symbol, today - LOOK_BACK, today):
            change = shares_before(ledger.books, item.symbol, split.day) * (split.ratio - 1)
            if not _is(item.at_broker, item.in_books + change):
                continue
            try:
                step = announced(ledger, item.symbol, split.day, item.at_broker - item.in_books, today)
            except Unexplained:
                continue
            ledger = step.ledger
            yield step
            break


def _is(held: Decimal, exact: Decimal) -> bool:
    """Whether so many shares are there, or their whole part: a fraction may be paid out in cash."""
    return abs(held - exact) <= _ROUNDING or held == exact.to_integral_value(rounding=ROUND_FLOOR)


def _writes(
    store: StateStore,
    account_alias: str,
    stored: StoredBooks,
    before: Ledger,
    steps: Sequence[Step],
    now: datetime,
) -> tuple[StoredBooks, tuple[tuple[Put, ...], ...]]:
    """The steps in as few writes as it takes; each leaves books and account in agreement, whoever dies in between.

    `before` is the ledger as it is stored.
    """
    writes: list[tuple[Put, ...]] = []
    notes: list[str] = []
    reached = before

    def write() -> None:
        nonlocal stored
        puts = [*stored.puts(account_alias, reached.books), stored.account_put(account_alias, reached.account)]
        if notes:
            change = Change(f"books: {'; '.join(and_more(notes, _MOST_NAMED))}", "broker", "account activities", now)
            puts.append(next_entry(store, account_alias, change, f"activities-{len(writes)}"))
            notes.clear()
        writes.append(tuple(puts))
        stored = stored.written(reached.books, reached.account)

    for step in steps:
        if sum(book is not stored.books.get(name) for name, book in step.ledger.books.items()) > _BOOKS_AT_ONCE:
            write()
        reached = step.ledger
        if step.note:
            _log.info("booked", extra={"detail": step.note})
            notes.append(step.note)
    write()
    return stored, tuple(writes)


class _Owners:
    """Whose orders fills are of: a run's, as far as this store has an intent for it, or else a person's."""

    def __init__(self, store: StateStore, broker: MarketReader, account_alias: str) -> None:
        self._store = store
        self._broker = broker
        self._alias = account_alias
        self._intents: Mapping[str, UUID] | None = None

    def plans(self, ledger: Ledger, fills: Iterable[Fill]) -> dict[str, Plan]:
        """The plans of the runs whose orders were filled, by the broker's order id."""
        known = {order.order_id: run.run_id for run in ledger.account.runs for order in run.orders}
        found: dict[str, Plan] = {}
        for order_id in dict.fromkeys(fill.order_id for fill in fills):
            run = known.get(order_id) or self._run_of(order_id)
            plan = None if run is None else load(self._store, keys.plan_record(run), Plan)
            if plan is not None:
                found[order_id] = plan.value
        return found

    def _run_of(self, order_id: str) -> UUID | None:
        order = self._broker.order(order_id)
        return None if order is None else self._by_client_id().get(order.client_order_id)

    def _by_client_id(self) -> Mapping[str, UUID]:
        """Runs of the last days by the client order ids of their intents; read once, if it comes to that."""
        if self._intents is None:
            entries = load_all(
                self._store, keys.runs_partition(self._alias), RunEntry, limit=_RUNS_SEARCHED, descending=True
            )
            runs = [entry.value.run_id for entry in entries]
            self._intents = {
                intent.value.client_order_id: run
                for run in runs
                for intent in load_all(self._store, keys.run_partition(run), Intent, prefix=keys.INTENT_PREFIX)
            }
        return self._intents
