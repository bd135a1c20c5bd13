"""The books in the store against what the broker holds."""

from datetime import date
from decimal import Decimal

import pytest

from alchemiser_common import keys
from alchemiser_common.errors import Conflict
from alchemiser_common.ports.state import ABSENT, put
from alchemiser_trading.books.book_store import StoredBooks
from alchemiser_trading.books.books import UNASSIGNED, Book, total
from alchemiser_trading.books.reconciling import compare_account, repair_books
from support.trading_rig import Rig
from support.trading_runs import SWITCH


def test_books_that_differ_are_named_and_repaired_with_a_trail(rig: Rig) -> None:
    rig.trade(rig.decision(SWITCH))
    rig.control.set_holding("DDD", Decimal(5))
    shown = compare_account(rig.state, rig.broker, "bench", rig.clock.now())
    (difference,) = shown.differences
    assert (difference.symbol, difference.in_books, difference.at_broker) == ("DDD", Decimal(0), Decimal(5))
    repair_books(rig.state, rig.broker, "bench", shown, who="ann", reason="shares were given", now=rig.clock.now())
    assert compare_account(rig.state, rig.broker, "bench", rig.clock.now()).agrees
    assert StoredBooks.load(rig.state, "bench").books["unassigned"].quantity("DDD") == Decimal(5)


def test_a_repair_that_is_not_what_was_shown_changes_nothing(rig: Rig) -> None:
    rig.trade(rig.decision(SWITCH))
    rig.control.set_holding("DDD", Decimal(5))
    shown = compare_account(rig.state, rig.broker, "bench", rig.clock.now())
    rig.control.set_holding("DDD", Decimal(6))
    with pytest.raises(Conflict, match="have changed since they were shown"):
        repair_books(rig.state, rig.broker, "bench", shown, who="ann", reason="given", now=rig.clock.now())
    assert total(StoredBooks.load(rig.state, "bench").books.values(), "DDD") == 0


def test_books_of_strategies_that_left_are_emptied_in_as_many_writes_as_it_takes(rig: Rig) -> None:
    """After any of them every share is in a book, and no strategy's result is another's."""
    for number in range(200):
        one = Book(strategy=f"s{number:03d}", realised=Decimal(number))
        one = one.changed("X", Decimal(1), Decimal(10), date(2020, 6, 1 + number % 2))
        rig.state.write(put(keys.strategy_book("bench", one.strategy), one, ABSENT))
    stored = StoredBooks.load(rig.state, "bench")
    writes = stored.retirements("bench", {"s000", "s001"})
    assert [len(write) for write in writes] == [91, 91, 19]
    for write in writes:
        rig.state.write(*write)
        assert total(StoredBooks.load(rig.state, "bench").books.values(), "X") == 200
    books = StoredBooks.load(rig.state, "bench").books
    assert {name for name, book in books.items() if book.lots} == {"s000", "s001", UNASSIGNED}
    assert [books[f"s{number:03d}"].realised for number in range(200)] == list(range(200))
    days = [lot.opened for lot in books[UNASSIGNED].lots]
    assert days == sorted(days), "the oldest lots are sold first"
    assert StoredBooks.load(rig.state, "bench").retirements("bench", {"s000", "s001"}) == ()
