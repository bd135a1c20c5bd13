"""Strategies that hold keep their own shares: what is traded then, and with what money."""

from decimal import Decimal

import pytest

from alchemiser_common.messages.decision import SignalStatus
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.settings import TradingSettings
from alchemiser_trading.plan.holdings import wanted_by
from support.plans import book, decided, legs, planned_for, signal

EXACT = TradingSettings(cash_reserve=Decimal(0), min_trade_share=Decimal(0), price_allowance=Decimal(0))
HOLD, UNKNOWN = SignalStatus.HOLD, SignalStatus.UNKNOWN
PRICES = {"AAA": "100", "BBB": "50"}


@pytest.mark.parametrize("status", [HOLD, UNKNOWN], ids=["hold", "unknown that is kept"])
@pytest.mark.parametrize("opens_at", ["51", "99", "102", "250"])
def test_a_strategy_that_holds_is_not_traded_whatever_its_weights_have_become(
    opens_at: str, status: SignalStatus
) -> None:
    said = decided(signal("h", 1.0, {"AAA": 0.5, "BBB": 0.5}, status))
    plan = planned_for(said, [book("h", AAA="5", BBB="9.5")], cash="20", prices=PRICES | {"AAA": opens_at})
    assert (plan.legs, plan.skipped, plan.strategy_targets) == ((), (), ())


def test_an_unknown_strategy_that_goes_to_cash_is_sold() -> None:
    plan = planned_for(decided(signal("h", 1.0, {}, UNKNOWN)), [book("h", AAA="5.25")], cash="20", prices=PRICES)
    assert legs(plan) == [("sell", "AAA", Decimal("5.25"))]
    assert plan.holdings == ()


def test_a_strategy_that_holds_without_shares_is_traded_to_its_weights() -> None:
    said = decided(signal("h", 1.0, {"AAA": 0.5}, HOLD))
    plan = planned_for(said, [], cash="1000", prices=PRICES, settings=EXACT)
    assert legs(plan) == [("buy", "AAA", Decimal(5))]
    assert [(item.strategy, item.shares) for item in plan.holdings] == [("h", ())]


def test_one_that_sells_what_another_one_holds_sells_its_own_shares() -> None:
    said = decided(signal("h", 0.5, {"AAA": 1.0}, HOLD), signal("t", 0.5, {"BBB": 1.0}))
    books = [book("h", AAA="4.123456789"), book("t", AAA="3.000000001")]
    (sale, _) = planned_for(said, books, cash="0", prices=PRICES).legs
    assert (sale.symbol, sale.quantity, sale.full_exit) == ("AAA", Decimal(3), False), "no more than can be ordered"


@pytest.mark.parametrize("last", ["90", "110"])
def test_what_leaves_a_symbol_that_is_kept_is_counted_in_shares_and_not_in_prices(last: str) -> None:
    """The position is valued at another price than the last trade's: six shares at 100 are not six at 90."""
    said = decided(signal("h", 0.5, {"AAA": 1.0}, HOLD), signal("t", 0.5, {}))
    books = [book("h", AAA="4"), book("t", AAA="6")]
    plan = planned_for(said, books, cash="0", prices=PRICES, last={"AAA": last}, settings=EXACT)
    assert legs(plan) == [("sell", "AAA", Decimal(6))]


def test_a_part_sale_takes_no_share_that_is_kept() -> None:
    said = decided(signal("h", 0.5, {"AAA": 1.0}, HOLD), signal("t", 0.5, {"AAA": 0.06}))
    books = [book("h", AAA="6"), book("t", AAA="4")]
    plan = planned_for(said, books, cash="0", prices=PRICES, last={"AAA": "80"}, settings=EXACT)
    assert legs(plan) == [("sell", "AAA", Decimal(4))], "worth 370 USD, at 80 a share 4.6"


def test_strategies_that_want_what_others_leave_trade_the_difference() -> None:
    said = decided(
        signal("h", 0.4, {"AAA": 1.0}, HOLD), signal("leaves", 0.3, {"BBB": 1.0}), signal("comes", 0.3, {"AAA": 1.0})
    )
    books = [book("h", AAA="4"), book("leaves", AAA="3"), book("comes", BBB="6")]
    assert planned_for(said, books, cash="0", prices=PRICES, settings=EXACT).legs == ()


def test_shares_that_nobody_booked_are_sold_beside_what_is_kept() -> None:
    said = decided(signal("h", 1.0, {"AAA": 1.0}, HOLD))
    plan = planned_for(said, [book("h", AAA="4")], cash="0", prices=PRICES, spare={"AAA": "2", "BBB": "1.000000001"})
    assert [(leg.symbol, leg.quantity, leg.full_exit) for leg in plan.legs] == [
        ("AAA", Decimal(2), False),
        ("BBB", Decimal("1.000000001"), True),
    ]


def test_a_fraction_beside_what_is_kept_of_a_whole_share_asset_stays_and_is_named() -> None:
    said = decided(signal("h", 1.0, {"AAA": 1.0}, HOLD))
    plan = planned_for(
        said, [book("h", AAA="3.5")], cash="0", prices=PRICES, spare={"AAA": "0.5"}, whole=frozenset({"AAA"})
    )
    assert plan.legs == ()
    assert [(leg.symbol, leg.cause) for leg in plan.skipped] == [("AAA", LegReason.LESS_THAN_ONE_SHARE)]


def test_strategies_with_targets_share_what_is_left_and_none_goes_short_by_its_name() -> None:
    """H had half of the account and has 70 % by now."""
    said = decided(signal("h", 0.5, {"AAA": 1.0}, HOLD), signal("t", 0.25, {"BBB": 1.0}), signal("u", 0.25, {"CCC": 1}))
    plan = planned_for(said, [book("h", AAA="7")], cash="300", prices=PRICES | {"CCC": "10"}, settings=EXACT)
    assert legs(plan) == [("buy", "BBB", Decimal(3)), ("buy", "CCC", Decimal(15))]
    assert wanted_by(plan).scale == Decimal("0.6")
    assert plan.shrink == 1, "there is cash for what they share"


def test_what_is_kept_may_leave_nothing() -> None:
    said = decided(signal("h", 0.99, {"AAA": 1.0}, HOLD), signal("t", 0.01, {"BBB": 1.0}))
    plan = planned_for(said, [book("h", AAA="99.5"), book("t", BBB="2")], cash="0", prices=PRICES)
    (sale,) = plan.legs
    assert (sale.symbol, sale.quantity, sale.full_exit) == ("BBB", Decimal(2), False), "it is wanted"
    assert wanted_by(plan).scale == 0


def test_a_hold_that_has_lost_does_not_lend_its_money_to_the_others() -> None:
    said = decided(signal("h", 0.5, {"AAA": 1.0}, HOLD), signal("t", 0.5, {"BBB": 1.0}))
    plan = planned_for(said, [book("h", AAA="3")], cash="700", prices=PRICES, settings=EXACT)
    assert legs(plan) == [("buy", "BBB", Decimal(10))], "half of 1000 USD, although 700 are there"


def test_targets_that_are_a_rounding_error_over_one_are_not_scaled() -> None:
    said = decided(signal("a", 0.7, {"AAA": 1.0}), signal("b", 0.3000000001, {"BBB": 1.0}))
    assert wanted_by(planned_for(said, [], cash="1000", prices=PRICES)).scale == 1
