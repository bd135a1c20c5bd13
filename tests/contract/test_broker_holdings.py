"""Holdings that a broker has shown to somebody: what is not managed is named, and blinds nothing."""

from decimal import Decimal

import pytest

from support.alpaca_elements import Json, position
from support.answered_broker import always


@pytest.mark.parametrize(
    ("odd", "kind", "words"),
    [
        (position("ODD", current_price=None), "unpriced", "no price"),
        (position("ODD", current_price="0"), "unpriced", "no price"),
        (position("ODD", current_price="-1"), "unreadable", "price"),
        (position("ODD", asset_class="us_option"), "us_option", "only us_equity is managed"),
        (position("ODD", asset_class="crypto"), "crypto", "only us_equity is managed"),
        (position("ODD", asset_class=None), "unreadable", "asset_class"),
        (position("ODD", side="short", qty="-10"), "short", "-10 shares held short"),
        (position("ODD", qty="-10"), "short", "-10 shares held short"),
        (position("ODD", qty=None), "unreadable", "is no number"),
        (position("ODD", qty=True), "unreadable", "is no number"),
        (position("ODD", qty="NaN"), "unreadable", "is no number"),
        (position("ODD", qty="0"), "unreadable", "qty: 0"),
        (position("ODD", qty="1e40"), "unreadable", "beyond"),
        (position("ODD", qty_available="11"), "unreadable", "11 of 10 shares"),
        (position("ODD", market_value=None), "unreadable", "market_value"),
        (position("odd"), "unreadable", "symbol"),
        (None, "unreadable", "null, not an object"),
        ([], "unreadable", "a list, not an object"),
    ],
)
def test_a_holding_that_is_not_managed_is_named_beside_the_others(odd: object, kind: str, words: str) -> None:
    holdings = always([position("QQQ"), odd, position("SPY")]).holdings()
    assert [item.symbol for item in holdings.positions] == ["QQQ", "SPY"]
    (other,) = holdings.others
    assert other.kind == kind
    assert words in other.detail


def test_what_a_holding_is_worth_is_told_where_it_can_be_read() -> None:
    option = position("AAPL251219C00200000", asset_class="us_option", qty="2", market_value="1234.5")
    (other,) = always([option]).holdings().others
    assert (other.symbol, other.quantity, other.market_value) == ("AAPL251219C00200000", Decimal(2), Decimal("1234.5"))
    (other,) = always([position(qty=None, market_value=None)]).holdings().others
    assert (other.quantity, other.market_value) == (None, None)


@pytest.mark.parametrize("second", [position("SPY"), position("SPY", qty=None), position("SPY", current_price=None)])
def test_a_symbol_that_is_listed_twice_contradicts_itself(second: Json) -> None:
    holdings = always([position("SPY", qty="7", qty_available="7"), second, position("QQQ")]).holdings()
    assert [item.symbol for item in holdings.positions] == ["QQQ"]
    assert [item.symbol for item in holdings.others] == ["SPY", "SPY"]
    assert any("listed 2 times" in item.detail for item in holdings.others)
