"""Whether an account adds up: rules as tables."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.ids import Side
from alchemiser_common.messages.snapshot import Position
from alchemiser_common.ports.broker import AccountEntry, Activities, Activity, Fill, Holdings, OtherHolding
from alchemiser_common.records.plan import HeldShares
from alchemiser_trading.plan.account_sum import account_sum, doubtful, moved, set_aside, unexplained, unread
from support.messages import SCHEDULED
from support.plans import account, position

PERCENT = Decimal("0.01")


def other(symbol: str, value: str | None, kind: str = "crypto") -> OtherHolding:
    worth = None if value is None else Decimal(value)
    return OtherHolding(symbol=symbol, kind=kind, market_value=worth, detail="as the test says")


def wrong(held: Position, **changes: str) -> Position:
    return held.model_copy(update={name: Decimal(value) for name, value in changes.items()})


CCC = position("CCC", "100", "200")


@pytest.mark.parametrize(
    ("cash", "equity", "positions", "others", "fault"),
    [
        ("80000", "100000", (CCC,), (), None),
        ("80000", "100999", (CCC,), (), None),
        ("80000", "101100", (CCC,), (), "equity is 101100.00 USD, but cash 80000.00, 1 positions 20000.00 and 0 other"),
        ("80000", "98900", (CCC,), (), "equity is 98900.00 USD, but cash 80000.00, 1 positions 20000.00 and 0 other"),
        ("80000", "100000", (), (), "equity is 100000.00 USD, but cash 80000.00, 0 positions 0.00 and 0 other"),
        ("160000", "100000", (CCC,), (), "equity is 100000.00 USD, but cash 160000.00"),
        (
            "80000",
            "100000",
            (wrong(CCC, market_value="0"),),
            (),
            "CCC: market value 0.00, 100 shares at 200 are 20000.00",
        ),
        (
            "80000",
            "100000",
            (wrong(CCC, price="2000"),),
            (),
            "CCC: market value 20000.00, 100 shares at 2000 are 200000",
        ),
        ("80000", "100000", (wrong(CCC, quantity="50"),), (), "CCC: market value 20000.00, 50 shares at 200 are 10000"),
        ("50000", "100000", (CCC,), (other("BTCUSD", "30000"),), None),
        ("105000", "100000", (), (other("AAA", "-5000", "short"),), None),
        ("80000", "100000", (CCC,), (other("DEAD", None, "unpriced"),), None),
        ("80000", "90000", (CCC,), (other("DEAD", None, "unpriced"),), "equity is 90000.00 USD, but cash 80000.00"),
    ],
    ids=[
        "adds up",
        "within the tolerance",
        "just above it",
        "just below it",
        "no positions",
        "cash twice",
        "a market value of nothing",
        "a price of another world",
        "half of the shares",
        "with crypto",
        "with a short one",
        "with a worthless one",
        "less than the parts: what has no value does not explain it",
    ],
)
def test_equity_is_cash_and_every_holding(
    cash: str, equity: str, positions: tuple[Position, ...], others: tuple[OtherHolding, ...], fault: str | None
) -> None:
    found = account_sum(account(cash, equity), Holdings(positions, others), PERCENT)
    assert found.fault.startswith(fault or "")
    assert bool(found.fault) == (fault is not None)


@pytest.mark.parametrize(
    ("cash", "others", "unmanaged", "guessed"),
    [
        ("80000", (), "0", False),
        ("50000", (other("BTCUSD", "30000"),), "30000", False),
        ("85000", (other("AAA", "-5000", "short"),), "0", False),
        ("55000", (other("AAA", "-5000", "short"), other("BTCUSD", "30000")), "30000", False),
        ("80000", (other("DEAD", None, "unpriced"),), "0", False),
        ("70000", (other("XXX", None, "unreadable"),), "10000", True),
        ("60000", (other("XXX", None, "unreadable"), other("BTCUSD", "5000")), "20000", True),
    ],
    ids=[
        "none",
        "crypto",
        "what is owed stays in cash",
        "both",
        "worthless",
        "unreadable: what equity is above the rest",
        "unreadable beside one with a value",
    ],
)
def test_what_is_not_managed_is_not_there_to_be_allocated(
    cash: str, others: tuple[OtherHolding, ...], unmanaged: str, *, guessed: bool
) -> None:
    found = account_sum(account(cash, "100000"), Holdings((CCC,), others), PERCENT)
    assert (found.fault, found.unmanaged, found.guessed) == ("", Decimal(unmanaged), guessed)


@pytest.mark.parametrize(
    ("others", "uncertain"),
    [
        ((other("BTCUSD", "30000"),), "0"),
        ((other("XXX", "30000", "unreadable"),), "30000"),
        ((other("XXX", None, "unreadable"),), "30000"),
        ((other("XXX", None, "unpriced"),), "30000"),
        ((other("XXX", None, "us_option"),), "0"),
        ((other("XXX", "20000", "unreadable"), other("YYY", None, "us_option")), "20000"),
        ((other("XXX", "20000", "unreadable"), other("YYY", None, "unpriced")), "30000"),
        ((other("XXX", "35000", "unreadable"), other("YYY", "-5000", "short")), "35000"),
    ],
    ids=[
        "a coin is none",
        "a value beside what cannot be read",
        "the same without",
        "no price",
        "an option is none, whatever it is worth",
        "both",
        "two of them",
        "beside what is owed",
    ],
)
def test_what_may_be_shares_to_manage_is_told_apart_from_what_is_not(
    others: tuple[OtherHolding, ...], uncertain: str
) -> None:
    found = account_sum(account("50000", "100000"), Holdings((CCC,), others), PERCENT)
    assert (found.fault, found.uncertain) == ("", Decimal(uncertain))
    assert found.uncertain <= found.unmanaged


amounts = st.decimals("-100000", "100000", places=2)


@given(amounts, st.lists(st.decimals("1", "50000", places=2), max_size=4), amounts, st.sampled_from(["", "one", "all"]))
def test_no_sum_passes_that_is_off_by_more_than_the_tolerance(
    cash: Decimal, worths: list[Decimal], off: Decimal, drop: str
) -> None:
    held = [position(f"S{number}", "1", str(worth)) for number, worth in enumerate(worths)]
    equity = cash + sum(worths, Decimal(0)) + off
    kept = held[1:] if drop == "one" else [] if drop == "all" else held
    lost = sum((item.market_value for item in held if item not in kept), Decimal(0))
    found = account_sum(account(str(cash), str(equity)), Holdings(tuple(kept)), PERCENT)
    assert bool(found.fault) == (abs(off + lost) > PERCENT * abs(equity))


def fill(side: Side, quantity: str, minutes: int, symbol: str = "CCC") -> Fill:
    return Fill(
        activity_id=f"{symbol}{minutes}",
        at=SCHEDULED + timedelta(minutes=minutes),
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(200),
        order_id="of somebody",
    )


def entry(code: str, quantity: str, amount: str = "0") -> AccountEntry:
    return AccountEntry(
        activity_id=code,
        code=code,
        day=SCHEDULED.date(),
        symbol="CCC",
        quantity=Decimal(quantity),
        amount=Decimal(amount),
    )


@pytest.mark.parametrize(
    ("now", "activities", "said"),
    [
        ("100", (), ""),
        ("90", (), "CCC -10 shares"),
        ("90", (fill(Side.SELL, "10", 1),), ""),
        ("90", (fill(Side.SELL, "30", -5), fill(Side.SELL, "10", 1)), ""),
        ("60", (fill(Side.SELL, "30", -5), fill(Side.SELL, "10", 1)), ""),
        ("70", (fill(Side.SELL, "30", -5), fill(Side.SELL, "10", 1)), "CCC -30 shares"),
        ("90", (fill(Side.SELL, "10", 1, "AAA"),), "CCC -10 shares"),
        ("110", (fill(Side.SELL, "10", 1),), "CCC +10 shares"),
        ("300", (entry("SPLIT", "200"),), ""),
        ("200", (entry("DIV", "100", "25"),), "CCC +100 shares"),
        ("110", (entry("DIVS", "10"),), ""),
    ],
    ids=[
        "the same",
        "gone without a word",
        "sold",
        "the last of two",
        "both",
        "the first cannot be the one that is missing",
        "another symbol's",
        "the other way",
        "a split",
        "the shares of a dividend stay",
        "a dividend in shares",
    ],
)
def test_positions_are_those_of_the_snapshot_but_for_the_last_of_the_days_changes(
    now: str, activities: tuple[Activity, ...], said: str
) -> None:
    changes = moved((HeldShares(symbol="CCC", quantity=Decimal(100)),), Holdings((position("CCC", now, "200"),)))
    assert unexplained(changes, Activities(activities)) == said


def test_a_symbol_that_is_not_managed_any_more_has_not_moved_but_is_doubtful_and_set_aside() -> None:
    before = (HeldShares(symbol="CCC", quantity=Decimal(100)),)
    holdings = Holdings((), (other("CCC", "20000", "unpriced"), other("", None, "unreadable")))
    assert moved(before, holdings) == {}
    assert doubtful(before, holdings)
    assert doubtful((), holdings), "an element that makes no sense may be one bad answer"
    assert not doubtful((), Holdings((), (other("BTCUSD", "1"),)))
    assert set_aside(holdings.others) == {"CCC": "held as unpriced: as the test says"}


@pytest.mark.parametrize(
    ("others", "uncertain", "named"),
    [
        ((other("GONE", None, "unpriced"),), "0", {}),
        ((other("HALT", None, "unpriced"),), "30000", {"HALT": "0"}),
        ((other("HALT", "20000", "unpriced"),), "20000", {"HALT": "20000"}),
        ((other("HALT", "20000", "unpriced"), other("GONE", None, "unpriced")), "20000", {"HALT": "20000"}),
        ((other("NULL", None, "unreadable"), other("GONE", None, "unpriced")), "0", {"NULL": "0"}),
        ((other("AAPL251219C00200000", None, "us_option"), other("SSS", "-50", "short")), "0", {}),
    ],
    ids=[
        "worth nothing",
        "worth what equity shows",
        "worth so much",
        "one of each",
        "unreadable",
        "no shares to manage",
    ],
)
def test_shares_without_a_figure_are_missed_only_if_they_are_worth_something(
    others: tuple[OtherHolding, ...], uncertain: str, named: dict[str, str]
) -> None:
    assert unread(others, Decimal(uncertain)) == {symbol: Decimal(worth) for symbol, worth in named.items()}
