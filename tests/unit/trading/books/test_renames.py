"""A symbol gets a new name overnight: its shares stay whose they were."""

from decimal import Decimal

import pytest

from alchemiser_common.messages.snapshot import Position
from alchemiser_trading.books.alignment import aligned
from alchemiser_trading.books.books import UNASSIGNED, Book
from support.books import DAY, book, position


def held(*positions: Position) -> dict[str, dict[str, Decimal]]:
    """Shares by strategy and symbol, of what A and B had as OLD."""
    books = {"a": book("a", "30", "OLD"), "b": book("b", "10", "OLD")}
    return {
        name: {symbol: each.quantity(symbol) for symbol in sorted(each.symbols())}
        for name, each in aligned(books, positions, DAY).items()
    }


def test_as_many_shares_at_the_same_cost_under_another_symbol_stay_whose_they_were() -> None:
    assert held(position("NEW", "40", entry="8.001")) == {"a": {"NEW": Decimal(30)}, "b": {"NEW": Decimal(10)}}


def test_lots_keep_everything_but_the_name_and_other_symbols_stay() -> None:
    two = Book(strategy="a").changed("OLD", Decimal(10), Decimal(5), DAY).changed("Y", Decimal(1), Decimal(3), DAY)
    (after,) = aligned({"a": two}, (position("NEW", "10", entry="5"), position("Y", "1", entry="3")), DAY).values()
    assert after.lots == (two.lots[0].model_copy(update={"symbol": "NEW"}), two.lots[1])
    assert after.realised == 0


@pytest.mark.parametrize(
    "positions",
    [
        (position("NEW", "41", entry="8"),),
        (position("NEW", "40", entry="9"),),
        (position("NEW", "40", entry="8"), position("NEWER", "40", entry="8")),
        (position("OLD", "0", entry="8"), position("NEW", "39.999999999", entry="8")),
    ],
    ids=["more shares", "another cost", "two that fit", "not quite as many"],
)
def test_what_is_not_surely_the_same_is_nobodys(positions: tuple[Position, ...]) -> None:
    after = held(*positions)
    assert (after["a"], after["b"]) == ({}, {})
    assert set(after[UNASSIGNED]) == {item.symbol for item in positions if item.quantity > 0}


def test_a_symbol_that_is_still_held_or_was_booked_before_has_no_new_name() -> None:
    both = held(position("OLD", "40", entry="8"), position("NEW", "40", entry="8"))
    assert both == {"a": {"OLD": Decimal(30)}, "b": {"OLD": Decimal(10)}, UNASSIGNED: {"NEW": Decimal(40)}}
    books = {"a": book("a", "40", "OLD"), "b": book("b", "40", "NEW")}
    after = aligned(books, (position("NEW", "40", entry="8"),), DAY)
    assert (after["a"].lots, after["b"]) == ((), books["b"])
