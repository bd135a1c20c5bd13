"""Whose the fills are."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.ids import Side
from alchemiser_trading.books.alignment import aligned
from alchemiser_trading.books.attribution import attribute
from alchemiser_trading.books.books import UNASSIGNED, Book, total
from alchemiser_trading.orders.legs import LegState
from support.books import DAY, book, filled, plan, position, shares


def test_a_buy_is_split_by_the_shares_of_the_target() -> None:
    leg = filled("X", Side.BUY, "100", "100")
    books = attribute({}, plan({"X": {"a": 0.3, "b": 0.1}}, (), (leg,)), (leg,))
    assert (books["a"].quantity("X"), books["b"].quantity("X")) == (Decimal(75), Decimal(25))


def test_a_partial_fill_is_split_alike_and_takes_nothing_from_those_who_hold() -> None:
    held = {"a": Book(strategy="a").changed("X", Decimal(100), Decimal(8), DAY)}
    leg = filled("X", Side.BUY, "100", "40")
    books = attribute(held, plan({"X": {"a": 0.2, "b": 0.2}}, (position("X", "100"),), (leg,)), (leg,))
    assert (books["a"].quantity("X"), books["b"].quantity("X")) == (Decimal(100), Decimal(40))


def test_strategies_that_want_opposite_things_trade_with_each_other() -> None:
    held = {"a": Book(strategy="a").changed("X", Decimal(100), Decimal(8), DAY)}
    books = attribute(held, plan({"X": {"b": 0.2}}, (position("X", "100"),), ()), ())
    assert (books["a"].quantity("X"), books["b"].quantity("X")) == (Decimal(0), Decimal(100))
    assert books["a"].realised == Decimal(200), "a sold to b at the market's price"


def test_what_cannot_be_sold_stays_with_who_holds_it() -> None:
    held = {"a": Book(strategy="a").changed("X", Decimal(10), Decimal(8), DAY)}
    leg = filled("X", Side.SELL, "10", "0")
    books = attribute(held, plan({}, (position("X", "10"),), (leg,)), (leg,))
    assert books["a"].quantity("X") == Decimal(10)


def test_of_a_sale_that_is_half_done_each_has_given_half() -> None:
    leg = filled("X", Side.SELL, "10", "4")
    books = attribute({"a": book("a", "10")}, plan({}, (position("X", "10"),), (leg,)), (leg,))
    assert shares(books) == {"a": Decimal(6)}
    assert books["a"].realised == 4 * 2


@pytest.mark.parametrize("held", ["100", "0.5"])
@pytest.mark.parametrize("targets", [{}, {"X": {"a": 0.0}}], ids=["no target", "a target of nothing"])
def test_what_no_strategy_wants_and_no_leg_sells_is_unassigned(held: str, targets: dict[str, dict[str, float]]) -> None:
    books = attribute({"a": book("a", held)}, plan(targets, (position("X", held),), ()), ())
    assert shares(books) == {"a": Decimal(0), UNASSIGNED: Decimal(held)}


def test_without_a_trade_strategies_still_come_to_their_shares() -> None:
    held = {"a": book("a", "60"), "b": book("b", "40")}
    books = attribute(held, plan({"X": {"a": 0.1, "b": 0.3}}, (position("X", "100"),), ()), ())
    assert shares(books) == {"a": Decimal(25), "b": Decimal(75)}
    one = attribute(held, plan({"X": {"a": 0.61, "b": 0.39}}, (position("X", "100"),), ()), ())
    assert shares(one) == {"a": Decimal(61), "b": Decimal(39)}


def test_a_wanted_symbol_that_nobody_holds_and_no_leg_buys_changes_nothing() -> None:
    books = attribute({}, plan({"X": {"a": 0.1}}, (), ()), ())
    assert books == {"a": Book(strategy="a")}


def test_an_unassigned_result_is_kept_and_an_empty_unassigned_book_is_not() -> None:
    spare = book(UNASSIGNED, "5")
    leg = filled("X", Side.SELL, "5", "5")
    earned = attribute({UNASSIGNED: spare}, plan({}, (position("X", "5"),), (leg,)), (leg,))
    assert earned == {UNASSIGNED: Book(strategy=UNASSIGNED, realised=Decimal(10))}
    one = attribute({UNASSIGNED: Book(strategy=UNASSIGNED, realised=Decimal(1))}, plan({}, (), ()), ())
    assert list(one) == [UNASSIGNED]
    assert attribute({UNASSIGNED: Book(strategy=UNASSIGNED)}, plan({}, (), ()), ()) == {}


@pytest.mark.parametrize(
    ("weights", "parts"),
    [
        ({"a": 0.1, "b": 0.1, "c": 0.1}, {"a": "6.666666668", "b": "6.666666666", "c": "6.666666666"}),
        ({"a": 0.1, "b": 0.2}, {"a": "6.666666666", "b": "13.333333334"}),
    ],
    ids=["the first of equals", "the largest"],
)
def test_what_rounding_leaves_goes_to_one(weights: dict[str, float], parts: dict[str, str]) -> None:
    leg = filled("X", Side.BUY, "20", "20", price="12")
    books = attribute({}, plan({"X": weights}, (), (leg,)), (leg,))
    assert shares(books) == {name: Decimal(part) for name, part in parts.items()}
    assert {lot.price for each in books.values() for lot in each.lots} == {Decimal(12)}, "bought at the fill's price"


def test_who_holds_keeps_its_shares_and_the_others_share_the_rest() -> None:
    held = {"h": book("h", "5"), "a": book("a", "10")}
    leg = filled("X", Side.SELL, "2", "1")
    targets = {"X": {"a": 0.1, "b": 0.1, "h": 0.7}}
    books = attribute(held, plan(targets, (position("X", "15"),), (leg,), {"h": "5"}), (leg,))
    # A and B are to share 15 - 2 - 5 = 8: A gives B its 4, and one of the two that are to be sold.
    assert shares(books) == {"h": Decimal(5), "a": Decimal(5), "b": Decimal(4)}
    assert books["h"].lots == held["h"].lots


def test_what_nobody_with_a_target_wants_is_unassigned_beside_what_is_kept() -> None:
    held = {"h": book("h", "3.5"), "a": book("a", "3.5")}
    leg = filled("X", Side.SELL, "3", "3")
    books = attribute(held, plan({"X": {"h": 0.4}}, (position("X", "7"),), (leg,), {"h": "3.5"}), (leg,))
    assert shares(books) == {"h": Decimal("3.5"), "a": Decimal(0), UNASSIGNED: Decimal("0.5")}


def test_a_holder_whose_book_was_lost_since_the_plan_gets_its_shares_back() -> None:
    found = aligned({}, (position("X", "5"),), DAY)
    books = attribute(found, plan({}, (position("X", "5"),), (), {"h": "5"}), ())
    assert shares(books) == {"h": Decimal(5), UNASSIGNED: Decimal(0)}


def test_books_that_differ_from_the_position_are_left_alone_unless_it_was_traded() -> None:
    held = {"a": book("a", "10")}
    assert attribute(held, plan({}, (position("X", "30"),), ()), ()) == held
    leg = filled("X", Side.SELL, "30", "30")
    after = attribute(held, plan({}, (position("X", "30"),), (leg,)), (leg,))
    assert shares(after) == {"a": Decimal(0), UNASSIGNED: Decimal(0)}
    assert (after["a"].realised, after[UNASSIGNED].realised) == (Decimal(20), Decimal(40))


def test_only_where_less_is_left_than_is_kept_do_those_that_hold_lose() -> None:
    """Somebody enlarged the order by hand."""
    held = {"h": book("h", "5"), "g": book("g", "1"), "a": book("a", "2")}
    leg = filled("X", Side.SELL, "2", "4")
    books = attribute(held, plan({}, (position("X", "8"),), (leg,), {"h": "5", "g": "1"}), (leg,))
    assert shares(books) == {"h": Decimal(3), "g": Decimal(1), "a": Decimal(0)}


@pytest.mark.parametrize(
    ("side", "quantity", "done", "wants", "parts"),
    [
        (Side.SELL, "1", "0", {"b": 0.99}, {"a": "1", "b": "99"}),
        (Side.SELL, "40", "10", {"b": 0.6}, {"a": "30", "b": "60"}),
        (Side.BUY, "20", "0", {"b": 0.3, "c": 0.3}, {"a": "0", "b": "50", "c": "50"}),
        (Side.BUY, "20", "10", {"b": 0.6, "c": 0.2}, {"a": "0", "b": "82.5", "c": "27.5"}),
    ],
    ids=["a sale that is not filled", "in part", "a buy that is not filled", "in part, of unequal takers"],
)
def test_what_strategies_can_give_each_other_waits_for_no_fill(
    side: Side, quantity: str, done: str, wants: dict[str, float], parts: dict[str, str]
) -> None:
    """A leaves X. Held from now on, it would keep for a year what a single share left undone."""
    leg = filled("X", side, quantity, done)
    books = attribute({"a": book("a", "100")}, plan({"X": wants}, (position("X", "100"),), (leg,)), (leg,))
    assert shares(books) == {name: Decimal(part) for name, part in parts.items()}


def test_a_plan_from_before_holdings_shares_all_by_targets() -> None:
    held = {"h": book("h", "5"), "a": book("a", "5")}
    books = attribute(held, plan({"X": {"h": 0.6, "a": 0.4}}, (position("X", "10"),), ()), ())
    assert shares(books) == {"h": Decimal(6), "a": Decimal(4)}


amounts = st.decimals("0", "1000", places=9)


@given(
    held=st.dictionaries(st.sampled_from("abc"), amounts, max_size=3),
    at_broker=amounts,
    wanted=st.dictionaries(st.sampled_from("abcd"), st.integers(1, 20), max_size=4),
    kept=st.dictionaries(st.sampled_from("aeu"), amounts, max_size=2),
    planned=st.decimals("-1000", "1000", places=6),
    part=st.integers(0, 100),
)
def test_the_books_add_up_to_the_account_whatever_was_booked_planned_kept_and_filled(
    held: dict[str, Decimal],
    at_broker: Decimal,
    wanted: dict[str, int],
    kept: dict[str, Decimal],
    planned: Decimal,
    part: int,
) -> None:
    books = {
        name: Book(strategy=name).changed("X", quantity, Decimal(8), DAY) if quantity > 0 else Book(strategy=name)
        for name, quantity in held.items()
    }
    planned = max(planned, -at_broker)
    legs: tuple[LegState, ...] = ()
    done = Decimal(0)
    if planned != 0:
        side = Side.BUY if planned > 0 else Side.SELL
        done = (abs(planned) * part / 100).quantize(Decimal("0.000000001"))
        legs = (filled("X", side, str(abs(planned)), str(min(done, abs(planned)))),)
        done = min(done, abs(planned)) * (1 if planned > 0 else -1)
    targets = {"X": {name: share / 100 for name, share in wanted.items()}} if wanted else {}
    positions = (position("X", str(at_broker)),) if at_broker > 0 else ()
    keeps = {name: str(quantity) for name, quantity in kept.items()}
    after = attribute(aligned(books, positions, DAY), plan(targets, positions, legs, keeps), legs)
    assert total(after.values(), "X") == at_broker + done
    assert all(book.quantity("X") >= 0 for book in after.values())
    if sum(kept.values()) <= at_broker + done:
        assert {name: after[name].quantity("X") for name in kept} == kept
