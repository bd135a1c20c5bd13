"""The books at a run's end: its fills, whose they are, and the day's equity, all in the write that ends the run."""

from collections.abc import Sequence
from decimal import Decimal

from alchemiser_common.messages.snapshot import Account, Position
from alchemiser_common.ports.state import WRITES_LIMIT, Put, StateStore
from alchemiser_common.records.books import BookedOrder, BookedRun
from alchemiser_common.records.plan import Plan
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.books.alignment import aligned
from alchemiser_trading.books.attribution import attribute, strategies_of
from alchemiser_trading.books.book_store import StoredBooks, equity_put
from alchemiser_trading.books.books import Book
from alchemiser_trading.orders.legs import LegState

_BOOKS_AT_ONCE = WRITES_LIMIT - 6
"""Of the write that ends a run, beside lease, head, report, equity, followed account and loose orders."""


def book_run(
    store: StateStore,
    lease: AccountLease,
    account_alias: str,
    plan: Plan,
    legs: Sequence[LegState],
    account: Account | None = None,
    positions: Sequence[Position] = (),
) -> tuple[Put, ...]:
    """The hook at a run's end: what belongs into its write, so that a fill counts once.

    `account` and `positions` as they are after it; None if they could not be read, and the day's equity stays. What
    the broker reports later of the run's orders, the next `follow_account` books for the same strategies. Books of
    strategies that left are emptied before, through the lease, if they are too many for one write.
    """
    stored = StoredBooks.load(store, account_alias)
    books = attribute(_before(stored, plan), plan, legs)
    puts = stored.puts(account_alias, books)
    if len(puts) > _BOOKS_AT_ONCE:
        for write in stored.retirements(account_alias, strategies_of(plan)):
            lease.write(*write)
        stored = StoredBooks.load(store, account_alias)
        books = attribute(_before(stored, plan), plan, legs)
        puts = stored.puts(account_alias, books)
    followed = stored.account
    transferred = Decimal(0) if followed is None else followed.transferred
    if account is not None:
        puts = (*puts, equity_put(store, account_alias, plan.session, account, positions, books, transferred))
    if followed is None:
        return puts
    runs = (*followed.runs, _booked(plan, legs))
    return (*puts, stored.account_put(account_alias, followed.model_copy(update={"runs": runs})))


def _before(stored: StoredBooks, plan: Plan) -> dict[str, Book]:
    """The books that the run began with: one that was planned before this home followed its account has none yet."""
    return dict(stored.books) if stored.account is not None else aligned(stored.books, plan.positions, plan.session)


# The same fills come twice: here from the legs, at once and whoever asks, and later as the account's activities, maybe
# more of them. Both name the broker's order, and what is booked here is counted there.
def _booked(plan: Plan, legs: Sequence[LegState]) -> BookedRun:
    orders = {order.order_id: order.filled_quantity for state in legs for order in state.orders}
    booked = (BookedOrder(order_id=order, quantity=quantity) for order, quantity in orders.items() if quantity > 0)
    return BookedRun(run_id=plan.run_id, session=plan.session, orders=tuple(booked))
