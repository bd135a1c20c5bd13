"""The limits on a whole plan: they take from buys, never from sells, and say what they took."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.ids import Side
from alchemiser_common.messages.decision import SignalStatus
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.records.plan import Plan, PlannedLeg
from alchemiser_common.settings import TradingSettings
from alchemiser_trading.plan.limits import largest_order, slice_of, within_limits
from alchemiser_trading.plan.transfers import DayResult
from support.plans import SETTINGS, book, decided, legs, planned, planned_for, position, signal

QUIET = DayResult(Decimal(0), "no loss")
FELL = DayResult(Decimal("0.3"), "equity fell 0.3000")
UNKNOWN = DayResult(None, "nothing is known")


def limited(plan: Plan, day: DayResult = QUIET, **limits: object) -> Plan:
    return within_limits(plan, TradingSettings.model_validate(limits), day)


def switch() -> Plan:
    """600 of OLD out, 400 of AAA, 300 of BBB and 200 of CCC in; equity 1000."""
    held = (position("OLD", "60", "10"),)
    prices = {"AAA": "10", "BBB": "10", "CCC": "10"}
    settings = TradingSettings(cash_reserve=Decimal(0))
    return planned({"AAA": 0.4, "BBB": 0.3, "CCC": 0.2}, cash="400", positions=held, prices=prices, settings=settings)


@pytest.mark.parametrize(
    ("limits", "day", "left", "cause", "said"),
    [
        (
            {"max_orders": 2},
            QUIET,
            [("sell", "OLD", 60), ("buy", "AAA", 40)],
            LegReason.LIMIT_ORDERS,
            "left out: 30.000000 shares; trading.max_orders: the plan has 4 legs, the limit is 2",
        ),
        (
            {"max_orders": 1},
            QUIET,
            [("sell", "OLD", 60)],
            LegReason.LIMIT_ORDERS,
            "left out: 30.000000 shares; trading.max_orders: the plan has 4 legs, the limit is 1",
        ),
        (
            {"max_turnover": "1.05"},
            QUIET,
            [("sell", "OLD", 60), ("buy", "AAA", 20), ("buy", "BBB", 15), ("buy", "CCC", 10)],
            LegReason.LIMIT_TURNOVER,
            "cut by 15.000000 shares; trading.max_turnover: the plan trades 1.500 times equity, the limit is 1.05",
        ),
        (
            {"max_turnover": "0.5"},
            QUIET,
            [("sell", "OLD", 60)],
            LegReason.LIMIT_TURNOVER,
            "left out: 30.000000 shares; trading.max_turnover: the plan trades 1.500 times equity, the limit is 0.5",
        ),
        (
            {"max_symbol_weight": "0.25"},
            QUIET,
            [("sell", "OLD", 60), ("buy", "AAA", 25), ("buy", "BBB", 25), ("buy", "CCC", 20)],
            LegReason.LIMIT_SYMBOL_WEIGHT,
            "cut by 5.000000 shares; trading.max_symbol_weight: BBB would be 0.3 of the account, the limit is 0.25",
        ),
        (
            {},
            FELL,
            [("sell", "OLD", 60)],
            LegReason.LIMIT_DAILY_LOSS,
            "left out: 30.000000 shares; trading.max_daily_loss: equity fell 0.3000, the limit is 0.25",
        ),
        (
            {},
            UNKNOWN,
            [("sell", "OLD", 60)],
            LegReason.LIMIT_DAILY_LOSS,
            "left out: 30.000000 shares; trading.max_daily_loss cannot be checked: nothing is known",
        ),
    ],
)
def test_a_limit_takes_from_buys_and_names_what_it_took_with_its_figure(
    limits: dict[str, object], day: DayResult, left: list[tuple[str, str, int]], cause: LegReason, said: str
) -> None:
    plan = limited(switch(), day, **limits)
    assert legs(plan) == [(side, symbol, Decimal(quantity)) for side, symbol, quantity in left]
    assert [leg.number for leg in plan.legs] == list(range(1, len(left) + 1))
    assert said in [leg.reason for leg in plan.skipped if leg.symbol == "BBB"]
    assert {leg.cause for leg in plan.skipped} == {cause}
    bought = sum((leg.value for leg in plan.legs if leg.side is Side.BUY), Decimal(0))
    assert bought + sum(leg.value for leg in plan.skipped) == 900, "what is not bought is named"


def test_a_loss_within_the_limit_and_a_plan_within_all_of_them_stay_as_they_are() -> None:
    plan = switch()
    assert limited(plan, DayResult(Decimal("0.25"), "just the limit")).legs == plan.legs


def test_a_rotation_of_32_symbols_into_32_others_is_within_the_defaults() -> None:
    held = tuple(position(f"OLD{number}", "10", "10") for number in range(32))
    prices = {f"NEW{number}": "10" for number in range(32)}
    plan = planned(dict.fromkeys(prices, 1 / 32), cash="40", positions=held, prices=prices)
    assert len(limited(plan).legs) == 64
    assert limited(plan).skipped == plan.skipped == ()


@pytest.mark.parametrize(
    ("side", "quantity", "price", "fractionable", "most", "part"),
    [
        ("sell", "10969.94", "100", True, None, None),
        ("sell", "10969.94", "100", True, "1000000", "5484.97"),
        ("buy", "100", "10", True, "1000", None),
        ("buy", "100", "10", True, "999.99", "50"),
        ("buy", "100", "10", False, "999.99", "50"),
        ("buy", "101", "10", False, "999.99", "51"),
        ("buy", "7", "300", False, "1000", "3"),
        ("buy", "10", "3", False, "10", "3"),
        ("sell", "3", "2000", False, "1000", "1"),
    ],
    ids=[
        "the default has grown with the account",
        "two equal ones",
        "just the limit",
        "just over",
        "whole shares",
        "whole shares, rounded up",
        "three times 900",
        "rounding stays within the limit",
        "one share is more than the limit and is sold all the same",
    ],
)
def test_a_leg_over_the_size_limit_is_sliced_whatever_its_side(
    side: str, quantity: str, price: str, *, fractionable: bool, most: str | None, part: str | None
) -> None:
    leg = PlannedLeg(
        number=1,
        symbol="AAA",
        side=Side(side),
        quantity=Decimal(quantity),
        price=Decimal(price),
        fractionable=fractionable,
        full_exit=side == "sell",
    )
    settings = TradingSettings(max_order_value=None if most is None else Decimal(most))
    found = slice_of(leg, largest_order(Decimal(2_200_000), settings))
    assert found == (None if part is None else Decimal(part))


@pytest.mark.parametrize(("equity", "symbols", "orders"), [("1200000", 1, 2), ("3100000", 3, 1), ("100000000", 15, 1)])
def test_an_account_of_any_size_is_invested_by_default(equity: str, symbols: int, orders: int) -> None:
    prices = {f"S{number}": "50" for number in range(symbols)}
    plan = limited(planned(dict.fromkeys(prices, 1 / symbols), cash=equity, prices=prices))
    assert (len(plan.legs), plan.skipped) == (symbols, ())
    for leg in plan.legs:
        most = leg.order_quantity or leg.quantity
        assert (leg.quantity / most).to_integral_value() == orders


def test_what_is_kept_counts_at_what_it_is_worth_by_now_and_no_more_is_bought() -> None:
    """H's quarter has become 600 of 1000 USD; T wants a tenth of its half there, too."""
    hold = signal("h", 0.25, {"AAA": 1.0}, SignalStatus.HOLD)
    said = decided(hold, signal("t", 0.5, {"AAA": 0.1, "BBB": 0.9}))
    plan = planned_for(said, [book("h", AAA="6")], cash="400", prices={"AAA": "100", "BBB": "10"})
    found = limited(plan, max_symbol_weight="0.59")
    assert [leg.symbol for leg in found.legs] == ["BBB"]
    note = "trading.max_symbol_weight: AAA is 0.6 of the account, the limit is 0.59; it is kept, and nothing more"
    assert any(line.startswith(note) for line in found.notes)
    reason = "AAA would be 0.63898 of the account, the limit is 0.59"
    assert [leg.reason[-len(reason) :] for leg in found.skipped] == [reason]
    assert limited(plan, max_symbol_weight="0.64").skipped == ()


def test_a_hold_that_has_drifted_is_no_turnover() -> None:
    hold = signal("h", 1.0, {"AAA": 0.1, "BBB": 0.9}, SignalStatus.HOLD)
    plan = planned_for(decided(hold), [book("h", AAA="6", BBB="1")], cash="0", prices={"AAA": "100", "BBB": "10"})
    assert limited(plan, max_turnover="0.0001").skipped == ()


def test_the_transfers_that_were_left_out_are_in_the_notes() -> None:
    day = DayResult(Decimal(0), "equity fell 0.0000 since the last close", Decimal(-30_000))
    assert limited(switch(), day).notes == ("max_daily_loss: equity fell 0.0000 since the last close",)


TAKEN = {reason for reason in LegReason if reason.by_limit}

tight = st.fixed_dictionaries(
    {
        "max_orders": st.none() | st.integers(1, 5),
        "max_order_value": st.none() | st.decimals("1", "2000", places=2),
        "max_turnover": st.decimals("0.001", "3", places=3),
        "max_symbol_weight": st.decimals("0.01", "1", places=2),
        "max_daily_loss": st.decimals("0.01", "0.99", places=2),
    }
)


@given(tight, st.sampled_from([QUIET, FELL, UNKNOWN]), st.integers(0, 90), st.integers(0, 50))
def test_no_limits_touch_a_sell_and_all_that_they_take_is_named(
    limits: dict[str, object], day: DayResult, much: int, held: int
) -> None:
    holds = (position("OLD", str(held), "10"), position("AAA", "20", "10")) if held else ()
    targets = {"AAA": much / 100, "BBB": 0.1}
    before = planned(targets, cash="700", positions=holds, prices={"AAA": "10", "BBB": "7"}, whole=frozenset({"BBB"}))
    after = limited(before, day, **limits)
    was, now = ({leg.symbol: leg for leg in plan.legs} for plan in (before, after))
    for symbol, leg in was.items():
        left = now[symbol].quantity if symbol in now else Decimal(0)
        named = sum((item.value for item in after.skipped if item.symbol == symbol and item.cause in TAKEN), Decimal(0))
        assert leg.side is Side.BUY or left == leg.quantity, "a limit refused what takes risk away"
        assert 0 <= left <= leg.quantity
        assert abs((leg.quantity - left) * leg.price - named) < Decimal("0.001"), "cut without a word"
    for leg in after.legs:
        most = largest_order(after.account.equity, TradingSettings.model_validate(limits))
        assert leg.order_quantity is None or leg.order_quantity == leg.step or leg.order_quantity * leg.price <= most
    assert SETTINGS.max_orders is None
