"""What an account earned: transfers are nobody's profit, and the parts add up to the whole."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.records.books import DailyEquity, StrategyWorth
from alchemiser_readmodel.performance import (
    Worth,
    gain_since,
    growth,
    performance,
    session_return,
    since,
    worths,
)

MONDAY = date(2026, 11, 2)


def usd(value: float | str) -> Decimal:
    return Decimal(str(value))


def curve(*points: tuple[int, str, str]) -> tuple[Worth, ...]:
    """Worths so many days after Monday: equity, transferred."""
    return tuple(Worth(MONDAY + timedelta(days=day), usd(equity), usd(moved)) for day, equity, moved in points)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (("1000", "0"), ("1010", "0"), "0.01"),
        (("1000", "0"), ("2020", "1000"), "0.01"),  # the deposit was there to earn
        (("1000", "0"), ("510", "-500"), "0.01"),  # the withdrawal left after it
        (("1000", "0"), ("0", "-1000"), "0"),
        (("1000", "500"), ("0", "500"), "-1"),
        (("0", "0"), ("101", "100"), "0.01"),
        (("0", "0"), ("0", "0"), None),
    ],
)
def test_a_sessions_return_is_on_what_was_there_to_earn_it(
    before: tuple[str, str], after: tuple[str, str], expected: str | None
) -> None:
    first, last = curve((0, *before), (1, *after))
    assert session_return(first, last) == (None if expected is None else usd(expected))


returns = st.lists(
    st.tuples(
        st.decimals("-0.2", "0.2", places=4),
        st.one_of(st.just(Decimal(0)), st.decimals("0", "5000", places=2)),
    ),
    min_size=1,
    max_size=60,
)


@given(returns)
def test_what_was_deposited_changes_no_return(steps: list[tuple[Decimal, Decimal]]) -> None:
    points, plain, moved = [Worth(MONDAY, usd(1000), usd(0))], Decimal(1), Decimal(0)
    for number, (earned, deposit) in enumerate(steps, 1):
        moved += deposit
        equity = (points[-1].equity + deposit) * (1 + earned)
        points.append(Worth(MONDAY + timedelta(days=number), equity, moved))
        plain *= 1 + earned
    found = performance(points)
    assert found is not None
    assert found.whole.fraction is not None
    assert abs(found.whole.fraction - (plain - 1)) < usd("1e-20")
    assert found.whole.profit == points[-1].equity - 1000 - moved
    assert sum((month.profit for month in found.months), Decimal(0)) == found.whole.profit
    assert sum((month.transferred for month in found.months), Decimal(0)) == moved
    by_month = Decimal(1)
    for month in found.months:
        assert month.fraction is not None
        by_month *= 1 + month.fraction
    assert abs(by_month - plain) < usd("1e-20")


def worth(name: str, realised: str, unrealised: str, income: str = "0") -> StrategyWorth:
    return StrategyWorth(
        strategy=name,
        market_value=usd(500),
        realised=usd(realised),
        unrealised=usd(unrealised),
        income=usd(income),
    )


def record(day: int, equity: str, *strategies: StrategyWorth, moved: str = "0") -> DailyEquity:
    return DailyEquity(
        session=MONDAY + timedelta(days=day),
        equity=usd(equity),
        cash=usd(0),
        strategies=strategies,
        transferred=usd(moved),
    )


def test_strategies_and_what_is_in_no_book_add_up_to_the_accounts_profit() -> None:
    records = [
        record(1, "1110", worth("old", "20", "0"), worth("new", "5", "-7", "2"), moved="100"),
        record(0, "1004", worth("old", "1", "3")),
    ]
    found = performance(worths(records, opening=usd(1000)))
    assert found is not None
    assert [(item.strategy, item.profit) for item in found.strategies] == [("old", usd(20)), ("new", usd(0))]
    assert (found.whole.profit, found.unbooked) == (usd(10), usd(-10))
    later = performance(worths(records))
    assert later is not None
    assert [(item.strategy, item.realised, item.unrealised) for item in later.strategies] == [
        ("old", usd(19), usd(-3)),
        ("new", usd(5), usd(-7)),
    ]
    assert (later.whole.profit, later.unbooked) == (usd(6), usd(-10))


def test_a_span_begins_with_the_last_worth_before_it() -> None:
    points = curve((0, "100", "0"), (1, "101", "0"), (4, "103", "0"), (7, "107", "0"))
    monday = MONDAY
    assert since(points, None, None) == points
    assert since(points, monday + timedelta(days=2), monday + timedelta(days=5)) == points[1:3]
    assert since(points, monday, None) == points
    assert since(points, monday + timedelta(days=9), None) == points[3:]
    gains = [gain_since(points, monday + timedelta(days=day)) for day in (-1, 3, 6, 7)]
    assert [None if item is None else item.profit for item in gains] == [usd(7), usd(6), usd(4), None]


def test_without_two_worths_nothing_was_earned_and_an_empty_account_has_no_return() -> None:
    assert performance(()) is None
    assert performance(curve((0, "100", "0"))) is None
    assert worths([], opening=usd(5)) == ()
    empty = curve((0, "0", "0"), (1, "0", "0"), (2, "10", "10"))
    assert growth(empty) is None
    found = performance(empty)
    assert found is not None
    assert (found.whole.profit, found.whole.fraction) == (Decimal(0), None)
