"""Activities of an account in Alpaca's shape, and books that follow them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import AccountEntry, Activity, Fill
from alchemiser_common.records.books import FollowedAccount
from alchemiser_common.records.plan import Plan
from alchemiser_trading.books.books import Book
from alchemiser_trading.books.following import Facts, follow
from alchemiser_trading.books.ledger import Ledger, Step
from support.books import DAY

NOW = datetime(DAY.year, DAY.month, DAY.day, 14, 0, tzinfo=UTC)


def entry(
    code: str, symbol: str = "", shares: str = "0", cash: str = "0", text: str = "", **changes: object
) -> AccountEntry:
    """An entry of today, with an id made of its figures unless one is given."""
    found = AccountEntry(
        activity_id=f"{code} {symbol} {shares} {cash}",
        code=code,
        day=DAY,
        symbol=symbol,
        quantity=Decimal(shares),
        amount=Decimal(cash),
        description=text,
    )
    return found.model_copy(update=changes)


def fill(side: Side, quantity: str, price: str, symbol: str = "X", order: str = "by hand", minutes: int = 0) -> Fill:
    """A fill of today, so many minutes before now."""
    return Fill(
        activity_id=f"{side} {quantity} {symbol} {price} {order} {minutes}",
        at=NOW - timedelta(minutes=minutes),
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        order_id=order,
    )


def ledger(*books: Book) -> Ledger:
    """Books that have followed the account until an hour ago."""
    account = FollowedAccount(through=NOW - timedelta(hours=1))
    return Ledger({book.strategy: book for book in books}, account)


def steps(
    start: Ledger,
    activities: Sequence[Activity],
    prices: Mapping[str, str] | None = None,
    owners: Mapping[str, Plan] | None = None,
    now: datetime = NOW,
) -> list[Step]:
    known = {symbol: Decimal(price) for symbol, price in (prices or {}).items()}
    return list(follow(start, activities, Facts(known, owners or {}), now))


def followed(start: Ledger, *activities: Activity, prices: Mapping[str, str] | None = None) -> Ledger:
    """The ledger after all activities, each of them explained."""
    done = steps(start, activities, prices)
    assert [step.unexplained for step in done if step.unexplained] == []
    return done[-1].ledger


def lot_rows(book: Book) -> list[tuple[str, Decimal, Decimal, date]]:
    """Symbol, shares, cost a share (to a billionth) and day of each lot."""
    return [(lot.symbol, lot.quantity, round(lot.price, 9), lot.opened) for lot in book.lots]
