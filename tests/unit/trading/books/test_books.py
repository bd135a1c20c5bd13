"""The strategies' books: lots first in first out, and what is done when they differ from the account."""

from decimal import Decimal

import pytest

from alchemiser_common.records.books import Lot
from alchemiser_trading.books.alignment import aligned
from alchemiser_trading.books.books import UNASSIGNED, Book, differences
from support.books import DAY, book, position


def test_sales_take_the_oldest_lots_first_and_realise_their_gain() -> None:
    two = Book(strategy="a").changed("X", Decimal(10), Decimal(5), DAY).changed("X", Decimal(10), Decimal(8), DAY)
    after = two.changed("X", Decimal(-15), Decimal(9), DAY)
    assert after.realised == 10 * 4 + 5 * 1
    assert [(lot.quantity, lot.price) for lot in after.lots] == [(Decimal(5), Decimal(8))]
    assert after.unrealised({"X": Decimal(9)}) == Decimal(5)
    with pytest.raises(ValueError, match="book a sells 6 X, 1 more than it holds"):
        after.changed("X", Decimal(-6), Decimal(9), DAY)


def test_shares_that_nobody_booked_are_unassigned_at_their_entry_price() -> None:
    books = aligned({}, (position("X", "5"),), DAY)
    assert books[UNASSIGNED].lots[0].price == Decimal(8)
    assert differences(tuple(books.values()), {"X": Decimal(5)}) == ()


def test_shares_that_are_gone_leave_unassigned_first_then_in_proportion() -> None:
    books = {
        UNASSIGNED: Book(strategy=UNASSIGNED).changed("X", Decimal(10), Decimal(8), DAY),
        "a": Book(strategy="a").changed("X", Decimal(30), Decimal(8), DAY),
        "b": Book(strategy="b").changed("X", Decimal(10), Decimal(8), DAY),
    }
    after = aligned(books, (position("X", "20"),), DAY)
    assert [after[name].quantity("X") for name in (UNASSIGNED, "a", "b")] == [0, Decimal(15), Decimal(5)]


def test_a_sale_leaves_other_lots_as_they_are() -> None:
    before = book("a", "3", "Y").changed("X", Decimal(10), Decimal(5), DAY).changed("X", Decimal(2), Decimal(6), DAY)
    other, first, second = before.lots
    after = before.changed("X", Decimal(-1), Decimal(9), DAY)
    assert after.lots == (other, first.model_copy(update={"quantity": Decimal(9)}), second)
    assert before.changed("X", Decimal(0), Decimal(9), DAY) == before


def test_a_lot_without_a_price_counts_at_its_cost() -> None:
    both = book("a", "3", "Y").changed("X", Decimal(10), Decimal(5), DAY)
    assert both.market_value({"X": Decimal(6)}) == 60 + 24
    assert both.unrealised({"X": Decimal(6)}) == 10


@pytest.mark.parametrize(("entry", "price"), [("8", "8"), ("0.5", "0.5"), ("0", "10")])
def test_unbooked_shares_join_the_unassigned_at_entry_or_if_unknown_at_the_market(entry: str, price: str) -> None:
    spare = book(UNASSIGNED, "1", "Y")
    (lot,) = spare.lots
    after = aligned({UNASSIGNED: spare}, (position("X", "0.5", entry=entry), position("Y", "1")), DAY)
    new = Lot(symbol="X", quantity=Decimal("0.5"), price=Decimal(price), opened=DAY)
    assert after == {UNASSIGNED: Book(strategy=UNASSIGNED, lots=(lot, new))}


def test_shares_that_are_gone_leave_at_the_market_if_it_is_known_and_else_at_cost() -> None:
    books = {UNASSIGNED: book(UNASSIGNED, "0.5"), "a": book("a", "30")}
    sold = aligned(books, (position("X", "30", price="10"),), DAY)
    assert (sold[UNASSIGNED], sold["a"]) == (Book(strategy=UNASSIGNED, realised=Decimal(1)), books["a"])
    some = aligned(books, (position("X", "20", price="10"),), DAY)
    assert some["a"] == book("a", "20").model_copy(update={"realised": Decimal(20)})
    earned = {name: each.model_copy(update={"realised": Decimal(7)}) for name, each in books.items()}
    gone = aligned(earned, (), DAY)
    assert gone == {name: Book(strategy=name, realised=Decimal(7)) for name in books}


def test_of_shares_that_are_gone_each_loses_its_part_to_the_last_digit() -> None:
    books = {name: book(name, "10") for name in ("a", "b", "c")}
    after = aligned(books, (position("X", "20"),), DAY)
    parts = [after[name].quantity("X") for name in ("a", "b", "c")]
    assert parts == [Decimal("6.666666666"), Decimal("6.666666667"), Decimal("6.666666667")]
