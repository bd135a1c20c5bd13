"""Quotes that may be traded on, and limits made from them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import Quote
from alchemiser_trading.orders.pricing import BidAsk, collared_limit, sane, to_tick, walk_limit
from support.legs import RULES
from support.messages import SCHEDULED


@pytest.mark.parametrize(
    ("bid", "ask", "age", "fault"),
    [
        ("107", "0", 0, "empty"),
        ("0", "107", 0, "empty"),
        ("-1", "1", 0, "empty"),
        ("101", "100", 0, "crossed"),
        ("99", "101", 61, "old"),
        ("99", "101", -6, "old"),
        ("90", "110", 0, "spread"),
        ("50", "50.01", 0, "from the last trade"),
    ],
)
def test_a_bad_quote_never_becomes_a_price(bid: str, ask: str, age: int, fault: str) -> None:
    quote = Quote(symbol="AAA", bid=Decimal(bid), ask=Decimal(ask), at=SCHEDULED - timedelta(seconds=age))
    verdict = sane(quote, Decimal(100), SCHEDULED, RULES)
    assert isinstance(verdict, str)
    assert fault in verdict


@pytest.mark.parametrize(
    ("bid", "ask", "age", "reference"),
    [
        ("100", "100", 0, "100"),
        ("99", "101", 60, "100"),
        ("99", "101", -5, "100"),
        ("97.5", "102.5", 0, "100"),
        ("114", "116", 0, "100"),
        ("84", "86", 0, "100"),
        ("0.50", "0.51", 0, "0.50"),
    ],
    ids=["locked", "just fresh", "just ahead", "just narrow", "just near above", "just near below", "cheap"],
)
def test_a_quote_on_the_edge_is_a_market(bid: str, ask: str, age: int, reference: str) -> None:
    quote = Quote(symbol="AAA", bid=Decimal(bid), ask=Decimal(ask), at=SCHEDULED - timedelta(seconds=age))
    assert sane(quote, Decimal(reference), SCHEDULED, RULES) == BidAsk(Decimal(bid), Decimal(ask))


@pytest.mark.parametrize(
    ("price", "side", "expected"),
    [
        ("10.019", Side.BUY, "10.01"),
        ("10.011", Side.SELL, "10.02"),
        ("0.12349", Side.BUY, "0.1234"),
        ("0.12341", Side.SELL, "0.1235"),
        ("0.00001", Side.BUY, "0.0001"),
    ],
)
def test_limits_are_on_the_tick_and_on_the_passive_side(price: str, side: Side, expected: str) -> None:
    assert to_tick(Decimal(price), side) == Decimal(expected)


def test_the_walk_and_the_collar() -> None:
    market = BidAsk(Decimal("99.90"), Decimal("100.10"))
    assert walk_limit(market, Side.BUY, Decimal("0.75")) == Decimal("100.05")
    assert walk_limit(market, Side.SELL, Decimal("0.75")) == Decimal("99.95")
    assert collared_limit(market.ask, Side.BUY, Decimal("0.01")) == Decimal("101.10")
    assert collared_limit(market.bid, Side.SELL, Decimal("0.01")) == Decimal("98.91")
