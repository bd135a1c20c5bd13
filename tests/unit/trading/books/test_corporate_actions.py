"""What issuers do to shares, in Alpaca's entries: every strategy's lots follow, and nothing is earned but what is."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pytest

from alchemiser_common.ports.broker import AccountEntry
from alchemiser_trading.books.books import UNASSIGNED, Book, total
from support.activities import entry, followed, ledger, lot_rows, steps
from support.books import DAY

BEFORE = DAY - timedelta(days=30)


def held(name: str, shares: str, cost: str, symbol: str = "OLD", day: date = BEFORE) -> Book:
    return Book(strategy=name).changed(symbol, Decimal(shares), Decimal(cost), day)


@dataclass(frozen=True)
class Case:
    """A had 30 OLD at 20 USD, B 10 at 16; then these entries, at these prices."""

    entries: tuple[AccountEntry, ...]
    a: tuple[tuple[str, str, str], ...]
    """Lots of A then: symbol, shares, cost a share."""
    b: tuple[tuple[str, str, str], ...]
    prices: dict[str, str] | None = None
    realised: tuple[str, str] = ("0", "0")


CASES = {
    "3 for 1": Case(
        (
            entry("SPLIT", "OLD", "-40", text="REMOVE, From QTY:-40, To QTY:120, Position Value:800"),
            entry("SPLIT", "OLD", "120", text="ADD, From QTY:-40, To QTY:120, Position Value:800"),
        ),
        (("OLD", "90", "6.666666667"),),
        (("OLD", "30", "5.333333333"),),
    ),
    "3 for 1 in one entry": Case(
        (entry("SPLIT", "OLD", "80"),), (("OLD", "90", "6.666666667"),), (("OLD", "30", "5.333333333"),)
    ),
    "1 for 8": Case(
        (entry("SPLIT", "OLD", "-40"), entry("SPLIT", "OLD", "5")),
        (("OLD", "3.75", "160"),),
        (("OLD", "1.25", "128"),),
    ),
    "1 for 8 in one entry": Case((entry("SPLIT", "OLD", "-35"),), (("OLD", "3.75", "160"),), (("OLD", "1.25", "128"),)),
    # 40 / 12 = 3.333: a third of a share is paid out, a tenth of what was there. It cost 76 of 760.
    "1 for 12, a fraction in cash": Case(
        (entry("SPLIT", "OLD", "-40"), entry("SPLIT", "OLD", "3"), entry("CIL", "OLD", cash="80")),
        (("OLD", "2.25", "240"),),
        (("OLD", "0.75", "192"),),
        {"OLD": "240"},
        ("0", "4"),
    ),
    "1 for 50, all in cash": Case(
        (entry("SPLIT", "OLD", "-40"), entry("CIL", "OLD", cash="800")), (), (), None, ("0", "40")
    ),
    "a stock dividend of 5 %": Case(
        (entry("DIV", "OLD", "2", text="Stock DIV @ 1.05, Pos QTY: 40, Rec Date: 2020-05-29"),),
        (("OLD", "31.5", "19.047619048"),),
        (("OLD", "10.5", "15.238095238"),),
    ),
    "a new name": Case(
        (
            entry("NC", "OLD", "-40", text="Name Change from OLD to NEW"),
            entry("NC", "NEW", "40", text="Name Change from OLD to NEW"),
        ),
        (("NEW", "30", "20"),),
        (("NEW", "10", "16"),),
    ),
    "a new CUSIP of the same name": Case(
        (
            entry("NC", "OLD", "40", text="Name Change from OLD to OLD"),
            entry("NC", "OLD", "-40", text="Name Change from OLD to OLD"),
        ),
        (("OLD", "30", "20"),),
        (("OLD", "10", "16"),),
    ),
    "a merger into half as many": Case(
        (
            entry("MA", "OLD", "-40", text="Stock Merger 0.5 NEW for 1 OLD"),
            entry("MA", "NEW", "20", text="Stock Merger 0.5 NEW for 1 OLD"),
        ),
        (("NEW", "15", "40"),),
        (("NEW", "5", "32"),),
    ),
    # 20 NEW at 30 are worth 600 and 200 came in cash: a quarter of the cost goes with the cash.
    "a merger for shares and cash": Case(
        (
            entry("MA", "OLD", "-40", text="Stock Cash Merger 0.5 NEW and $5 for 1 OLD"),
            entry("MA", "NEW", "20", text="Stock Cash Merger 0.5 NEW and $5 for 1 OLD"),
            entry("MA", "OLD", cash="200", text="Stock Cash Merger 0.5 NEW and $5 for 1 OLD"),
        ),
        (("NEW", "15", "30"),),
        (("NEW", "5", "24"),),
        {"NEW": "30"},
        ("0", "10"),
    ),
    # Half a NEW at 40 was paid out: 20 of 820, and so is the cost.
    "a merger, and a fraction in cash": Case(
        (
            entry("CIL", "NEW", cash="20"),
            entry("MA", "OLD", "-40", text="Stock Merger 0.5125 NEW for 1 OLD"),
            entry("MA", "NEW", "20", text="Stock Merger 0.5125 NEW for 1 OLD"),
        ),
        (("NEW", "15", "39.024390244"),),
        (("NEW", "5", "31.219512195"),),
        {"NEW": "40"},
        ("0.365853659", "1.097560976"),
    ),
    "a merger for cash": Case(
        (
            entry("MA", "OLD", "-40", text="Cash Merger $25 per share"),
            entry("MA", "OLD", cash="1000", text="Cash Merger $25 per share"),
        ),
        (),
        (),
        None,
        ("150", "90"),
    ),
    # 40 OLD at 15 are worth 600, 20 NEW at 10 are 200: a quarter of the cost goes with NEW.
    "a spin-off": Case(
        (
            entry("SPIN", "NEW", "20", text="Target Symbol: NEW, Initiating Symbol: OLD, 0.5 NEW for each 1 OLD"),
            entry("SPIN", "OLD", "40", text="ADD, Cost basis adjustment for source company"),
            entry("SPIN", "OLD", "-40", text="REMOVE, Cost basis adjustment for source company"),
        ),
        (("OLD", "30", "15"), ("NEW", "15", "10")),
        (("OLD", "10", "12"), ("NEW", "5", "8")),
        {"OLD": "15", "NEW": "10"},
    ),
    "a spin-off in one entry": Case(
        (entry("SPIN", "NEW", "20", text="Target Symbol: NEW, Initiating Symbol: OLD, 0.5 NEW for each 1 OLD"),),
        (("OLD", "30", "15"), ("NEW", "15", "10")),
        (("OLD", "10", "12"), ("NEW", "5", "8")),
        {"OLD": "15", "NEW": "10"},
    ),
    "removed as worthless": Case(
        (entry("REORG", "OLD", "-40", text="Worthless Removal - OLD"),), (), (), None, ("-600", "-160")
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_kind_changes_lots_and_results_as_it_should(case: Case) -> None:
    start = ledger(held("a", "30", "20"), held("b", "10", "16"))
    after = followed(start, *case.entries, prices=case.prices)
    for name, expected, realised in (("a", case.a, case.realised[0]), ("b", case.b, case.realised[1])):
        wanted = [(symbol, Decimal(shares), Decimal(cost), BEFORE) for symbol, shares, cost in expected]
        assert sorted(lot_rows(after.books[name])) == sorted(wanted), "lots keep their day"
        assert round(after.books[name].realised, 9) == Decimal(realised)
    cost = sum((book.cost() - book.realised for book in after.books.values()), Decimal(0))
    cash = sum((item.amount for item in case.entries), Decimal(0))
    assert abs(cost - (760 - cash)) < Decimal("1e-9"), "what the account has and what was earned add up"
    again = followed(after, *case.entries, prices=case.prices)
    assert again.books == after.books, "told twice, booked once"


def test_shares_bought_on_the_day_are_new_ones_and_a_late_notice_leaves_them_alone() -> None:
    start = ledger(held("a", "40", "20").changed("OLD", Decimal(5), Decimal(7), DAY))
    after = followed(start, entry("SPLIT", "OLD", "-40"), entry("SPLIT", "OLD", "120"))
    assert [row[1:3] for row in lot_rows(after.books["a"])] == [
        (Decimal(120), Decimal("6.666666667")),
        (Decimal(5), Decimal(7)),
    ]


def test_a_mergers_cash_may_come_days_later_and_is_waited_for() -> None:
    start = ledger(held("a", "40", "20"))
    gone = entry("MA", "OLD", "-40", text="Cash Merger $25 per share")
    (early, _) = steps(start, [gone])
    assert early.ledger == start
    assert list(early.unexplained) == ["OLD"]
    cash = entry("MA", "OLD", cash="1000", text="Cash Merger $25 per share", day=DAY + timedelta(days=2))
    assert followed(start, gone, cash).books["a"].realised == 200


def test_the_cash_of_a_fraction_that_is_gone_belongs_to_who_held_it() -> None:
    start = ledger(held("a", "3", "20"), held("b", "1", "16"))
    gone = followed(start, entry("REORG", "OLD", "-4"))
    later = followed(gone, entry("REORG", "OLD", "-4"), entry("CIL", "OLD", cash="40", text="x"))
    assert [later.books[name].realised for name in "ab"] == [-60 + 30, -16 + 10]


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ((entry("SPLIT", "OLD", "-40"),), "40 OLD went, and what came for them is not there"),
        ((entry("SPLIT", "OLD", "-41"), entry("SPLIT", "OLD", "82")), "41 OLD were changed, the books have 40"),
        ((entry("SPIN", "NEW", "20"),), "nothing that is held tells where NEW came from"),
        (
            (entry("MA", "OLD", "-40", text="for OLD and ALSO"), entry("MA", "ALSO", "-1")),
            "shares of ALSO, OLD went together",
        ),
        (
            (entry("MA", "OLD", "-40", text="ONE and TWO"), entry("MA", "ONE", "1"), entry("MA", "TWO", "2")),
            "OLD became ONE, TWO among others, without a price",
        ),
    ],
    ids=["half of a split", "of more than is held", "a spin-off of nothing", "two at once", "without prices"],
)
def test_what_cannot_be_explained_changes_nothing_and_is_named(entries: tuple[AccountEntry, ...], says: str) -> None:
    start = ledger(held("a", "40", "20"))
    first, last = steps(start, entries)
    assert last.ledger.books == start.books
    assert "OLD" in first.unexplained or "NEW" in first.unexplained
    assert all(says in why for why in first.unexplained.values())


def test_a_split_of_thirds_of_a_billionth_still_adds_up() -> None:
    start = ledger(held("a", "0.000000001", "20"), held("b", "10", "16"), held(UNASSIGNED, "3.333333333", "7"))
    before = total(start.books.values(), "OLD")
    after = followed(start, entry("SPLIT", "OLD", f"-{before}"), entry("SPLIT", "OLD", "1.333333333"))
    assert total(after.books.values(), "OLD") == Decimal("1.333333333")
    assert abs(sum(book.cost() - book.realised for book in after.books.values()) - Decimal("183.333333351")) < 1e-9
