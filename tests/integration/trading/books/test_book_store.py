"""The books in the store against what the broker holds."""

from decimal import Decimal

from alchemiser_trading.books.book_store import StoredBooks, compare_books, repair_books
from support.trading_rig import Rig
from support.trading_runs import SWITCH


def test_books_that_differ_are_named_and_repaired_with_a_trail(rig: Rig) -> None:
    rig.trade(rig.decision(SWITCH))
    rig.control.set_holding("DDD", Decimal(5))
    positions = rig.broker.positions()
    (difference,) = compare_books(rig.state, "bench", positions)
    assert (difference.symbol, difference.in_books, difference.at_broker) == ("DDD", Decimal(0), Decimal(5))
    repair_books(rig.state, "bench", positions, who="ann", reason="shares were given", now=rig.clock.now())
    assert compare_books(rig.state, "bench", positions) == ()
    assert StoredBooks.load(rig.state, "bench").books["unassigned"].quantity("DDD") == Decimal(5)
