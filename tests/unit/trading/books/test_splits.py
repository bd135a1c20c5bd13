"""Splits overnight, told by the broker's figures: every strategy has as many times the shares, and none is for sale."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.messages.snapshot import Position
from alchemiser_trading.books.alignment import aligned
from alchemiser_trading.books.books import UNASSIGNED, Book, total
from support.books import DAY, book, position, shares


def booked(**shares: str) -> dict[str, Book]:
    """Books of X at 8 USD a share."""
    return {name: book(name, quantity) for name, quantity in shares.items()}


def split_into(quantity: str, entry: str) -> tuple[Position, ...]:
    return (position("X", quantity, price=entry, entry=entry),)


@pytest.mark.parametrize(
    ("held", "entry", "a", "b"),
    [
        ("80", "4", "60", "20"),
        ("120", "2.6666666667", "90", "30"),
        ("60", "5.3333", "45", "15"),
        ("4", "80", "3", "1"),
        ("42", "7.619", "31.5", "10.5"),
        ("32", "10", "24", "8"),
    ],
    ids=["2 for 1", "3 for 1", "3 for 2", "1 for 10", "a stock dividend of 5 %", "4 for 5"],
)
def test_a_split_changes_every_strategy_alike_and_earns_nothing(held: str, entry: str, a: str, b: str) -> None:
    before = booked(a="30", b="10")
    after = aligned(before, split_into(held, entry), DAY)
    assert shares(after) == {"a": Decimal(a), "b": Decimal(b)}
    for name, each in after.items():
        assert each.realised == 0
        assert round(each.unrealised({}), 12) == 0
        assert round(each.market_value({}), 12) == round(before[name].market_value({}), 12), "at the same cost"


def test_lots_keep_their_order_their_days_and_their_ratio_to_each_other() -> None:
    two = Book(strategy="a").changed("Y", Decimal(1), Decimal(3), DAY).changed("X", Decimal(10), Decimal(5), DAY)
    two = two.changed("X", Decimal(30), Decimal(9), DAY)
    (after,) = aligned({"a": two}, (position("Y", "1", entry="3"), *split_into("80", "4")), DAY).values()
    assert [(lot.symbol, lot.quantity, lot.price) for lot in after.lots] == [
        ("Y", Decimal(1), Decimal(3)),
        ("X", Decimal(20), Decimal("2.5")),
        ("X", Decimal(60), Decimal("4.5")),
    ]


@pytest.mark.parametrize(
    ("before", "held", "entry"),
    [("10.5", "1", "80"), ("10.5", "31", "2.6666666667"), ("25", "2", "80"), ("0.7", "1", "4"), ("7", "10", "5.3333")],
    ids=["1 for 10", "3 for 1", "1 for 10, half of a share", "2 for 1 of less than a share", "3 for 2"],
)
def test_a_fraction_of_a_share_may_be_paid_out_in_cash(before: str, held: str, entry: str) -> None:
    assert shares(aligned(booked(a=before), split_into(held, entry), DAY)) == {"a": Decimal(held)}


def test_the_cost_need_not_agree_to_the_percent_where_the_ratio_is_plain() -> None:
    """Books sell the oldest lots first, the broker may reckon with averages: 8 USD a share here, 9 there."""
    assert shares(aligned(booked(a="40"), split_into("80", "4.5"), DAY)) == {"a": Decimal(80)}
    assert shares(aligned(booked(a="20.25"), split_into("40.5", "4.5"), DAY)) == {"a": Decimal("40.5")}
    assert shares(aligned(booked(a="40"), split_into("80", "5.1"), DAY)) == {"a": Decimal(40), UNASSIGNED: Decimal(40)}


@pytest.mark.parametrize(
    ("held", "entry"),
    [("80", "8"), ("80", "5.5"), ("41", "8"), ("40.3", "7.95"), ("41.6", "7.9"), ("60", "7"), ("50", "8.2")],
    ids=["as many more", "as many more at 3", "one more", "a third of one more", "4 %", "half as many", "ten more"],
)
def test_what_a_person_bought_is_no_split_and_belongs_to_no_strategy(held: str, entry: str) -> None:
    after = aligned(booked(a="40"), split_into(held, entry), DAY)
    assert shares(after) == {"a": Decimal(40), UNASSIGNED: Decimal(held) - 40}


@pytest.mark.parametrize("held", ["20", "4", "39", "13.333333333", "1"])
def test_what_a_person_sold_is_no_split_and_has_its_result(held: str) -> None:
    (after,) = aligned(booked(a="40"), (position("X", held, price="10", entry="8"),), DAY).values()
    assert after.quantity("X") == Decimal(held)
    assert after.realised == (40 - Decimal(held)) * 2


def test_a_dividend_and_a_price_of_half_change_nothing() -> None:
    before = booked(a="40")
    assert aligned(before, (position("X", "40", price="4", entry="8"),), DAY) == before


@pytest.mark.parametrize("entry", ["0", "-1"])
def test_a_broker_without_an_entry_price_tells_of_no_split(entry: str) -> None:
    (held,) = split_into("80", "4")
    unknown = held.model_copy(update={"average_entry_price": Decimal(entry)})
    assert shares(aligned(booked(a="40"), (unknown,), DAY)) == {"a": Decimal(40), UNASSIGNED: Decimal(40)}


@given(
    st.dictionaries(st.sampled_from("abc"), st.decimals("10.5", "900", places=9), min_size=1),
    st.sampled_from(["2", "3", "10", "1.5", "0.1", "0.25", "0.333333333333"]),
    st.booleans(),
)
def test_after_any_split_the_books_add_up_and_nobody_has_changed_places(
    held: dict[str, Decimal], ratio: str, in_whole_shares: bool
) -> None:
    before = {name: book(name, str(quantity)) for name, quantity in held.items()}
    booked = total(before.values(), "X")
    now = (booked * Decimal(ratio)).quantize(Decimal(1) if in_whole_shares else Decimal("1E-9"), rounding="ROUND_FLOOR")
    entry = Decimal(8) / Decimal(ratio)
    after = aligned(before, (position("X", str(now), entry=str(entry)),), DAY)
    assert total(after.values(), "X") == now
    assert set(after) == set(before), "nothing came to nobody"
    for name, each in after.items():
        assert each.quantity("X") >= 0
        assert abs(each.quantity("X") / now - held[name] / booked) <= Decimal("0.00000001")
