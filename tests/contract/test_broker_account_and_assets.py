"""The account and the assets: what is not said of them is not so."""

from decimal import Decimal

import pytest

from alchemiser_common.errors import BrokerRefused, BrokerUnavailable
from alchemiser_common.ports.broker import Asset
from support.alpaca_elements import Json, account, asset
from support.answered_broker import always


def test_yesterdays_equity_may_be_unknown() -> None:
    without = {name: value for name, value in account().items() if name != "last_equity"}
    for content in (account(last_equity=None), without):
        assert always(content).account().last_equity is None
    assert always(account()).account().last_equity == Decimal("1000.5")


@pytest.mark.parametrize("name", ["equity", "cash", "buying_power", "trading_blocked"])
def test_an_account_without_figures_is_no_account(name: str) -> None:
    with pytest.raises(BrokerUnavailable, match=f"another shape than expected: {name} missing"):
        always(account(**{name: None})).account()
    with pytest.raises(BrokerRefused, match=f"acc-1 is ONBOARDING, not ACTIVE, and has no {name}"):
        always(account(status="ONBOARDING", **{name: None})).account()
    assert always(account(status="ONBOARDING")).account().status == "ONBOARDING"


@pytest.mark.parametrize(
    ("found", "tradable", "fractionable"),
    [
        (asset(), True, True),
        (asset(fractionable=None), True, False),
        (asset(fractionable="true"), True, False),
        (asset(tradable=None), False, True),
        (asset(tradable=1), False, True),
        (asset(status="inactive"), False, True),
        (asset(status=None), False, True),
    ],
)
def test_what_an_asset_is_not_said_to_be_it_is_not(found: Json, tradable: bool, fractionable: bool) -> None:
    assert always(found).assets(["SPY"]) == [Asset(symbol="SPY", tradable=tradable, fractionable=fractionable)]


def test_an_asset_that_is_another_or_unreadable_is_left_out() -> None:
    odd: list[object] = [
        asset("QQQ"),
        {**asset(), "class": "crypto"},
        {**asset(), "class": None},
        None,
        [],
        {"symbol": None},
    ]
    for content in odd:
        assert always(content).assets(["SPY"]) == []


def test_of_an_asset_that_is_listed_twice_the_tradable_one_counts() -> None:
    many = [f"S{number}" for number in range(30)]
    gone, here = asset("S1", status="inactive", tradable=False), asset("S1")
    for listed in ([gone, here], [here, gone]):
        (found,) = always([None, {"symbol": 7}, *listed, asset("ELSE")]).assets(many)
        assert (found.symbol, found.tradable) == ("S1", True)
