"""Quotes that may be traded on, and limits made from them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.ports.broker import Quote, Trade
from alchemiser_trading.orders.pricing import BidAsk, Prices, Unfit, collared_limit, market_of, to_tick, walk_limit
from support.legs import RULES
from support.messages import SCHEDULED

HUNDRED = Decimal(100)


def quoted(bid: str, ask: str, age: float = 0) -> Quote:
    return Quote(symbol="AAA", bid=Decimal(bid), ask=Decimal(ask), at=SCHEDULED - timedelta(seconds=age))


def traded(price: str, age: float = 0) -> Trade:
    return Trade(symbol="AAA", price=Decimal(price), at=SCHEDULED - timedelta(seconds=age))


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
    ],
)
def test_a_bad_quote_never_becomes_a_price(bid: str, ask: str, age: int, fault: str) -> None:
    verdict = market_of(Prices(quoted(bid, ask, age), traded("100")), HUNDRED, SCHEDULED, RULES)
    assert isinstance(verdict, Unfit)
    assert fault in verdict.detail
    assert (verdict.reason, verdict.trade) == (LegReason.NO_PRICE, HUNDRED), "the last trade serves, within the collar"


@pytest.mark.parametrize(
    ("bid", "ask", "age", "planned"),
    [
        ("100", "100", 0, "100"),
        ("99", "101", 60, "100"),
        ("99", "101", -5, "100"),
        ("97.5", "102.5", 0, "100"),
        ("117", "118", 0, "100"),
        ("84.9", "85.1", 0, "100"),
        ("0.50", "0.51", 0, "0.50"),
    ],
    ids=["locked", "just fresh", "just ahead", "just narrow", "just near above", "just near below", "cheap"],
)
def test_a_quote_on_the_edge_is_a_market(bid: str, ask: str, age: int, planned: str) -> None:
    prices = Prices(quoted(bid, ask, age))
    assert market_of(prices, Decimal(planned), SCHEDULED, RULES) == BidAsk(Decimal(bid), Decimal(ask))


# No single figure becomes a price: 20.00 is quoted at 19.99 to 20.01; a trade of 0 s ago, of 30 days, or none.
MONTH = 30 * 86_400.0
QUOTED = BidAsk(Decimal("19.99"), Decimal("20.01"))


@pytest.mark.parametrize(
    ("quote", "trade", "age", "planned", "market", "named"),
    [
        (True, "20.05", MONTH, "20.05", QUOTED, ()),
        (True, "0.20", MONTH, "20.05", QUOTED, ()),
        (True, "20.10", 0, "14.00", QUOTED, ()),
        (True, None, 0, "20.05", QUOTED, ()),
        (True, "0.20", 0, "20.05", LegReason.PRICES_DISAGREE, ("20.00", "0.20")),
        (True, "14.00", 0, "14.00", LegReason.PRICES_DISAGREE, ("20.00", "14.00")),
        (True, None, 0, "14.00", LegReason.PRICES_DISAGREE, ("20.00", "14.00")),
        (True, "14.00", MONTH, "14.00", LegReason.PRICES_DISAGREE, ("20.00", "14.00")),
        (False, "20.10", 0, "20.05", Decimal("20.10"), ("no quote",)),
        (False, "20.10", MONTH, "20.05", LegReason.NO_PRICE, ("no quote", "20.10", "20.05")),
        (False, "20.10", 0, "14.00", LegReason.PRICES_DISAGREE, ("no quote", "20.10", "14.00")),
        (False, None, 0, "20.05", LegReason.NO_PRICE, ("no quote", "20.05")),
        (False, "0", 0, "20.05", LegReason.NO_PRICE, ("no quote", "20.05")),
    ],
)
def test_no_single_figure_becomes_a_price(
    quote: bool,
    trade: str | None,
    age: float,
    planned: str,
    market: BidAsk | LegReason | Decimal,
    named: tuple[str, ...],
) -> None:
    prices = Prices(quoted("19.99", "20.01") if quote else None, None if trade is None else traded(trade, age))
    found = market_of(prices, Decimal(planned), SCHEDULED, RULES)
    if isinstance(market, BidAsk):
        assert found == market
        return
    assert isinstance(found, Unfit)
    assert all(text in found.detail for text in named), found.detail
    if isinstance(market, LegReason):
        assert (found.reason, found.trade) == (market, None)
    else:
        assert (found.reason, found.trade) == (LegReason.NO_PRICE, market)


def test_prices_that_were_not_read_are_none() -> None:
    assert market_of(None, HUNDRED, SCHEDULED, RULES) == market_of(Prices(), HUNDRED, SCHEDULED, RULES)


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
