"""The rule for prices: what two sources agree on, as a table, and what holds for any figures."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.ports.broker import Quote, Trade
from alchemiser_common.settings import ExecutionSettings
from alchemiser_trading.plan.prices import (
    NoPrice,
    PriceFigure,
    PriceLimits,
    Source,
    agree,
    figure_of_quote,
    figure_of_trade,
    verified,
)
from support.messages import SCHEDULED

RULES = ExecutionSettings()
LIMITS = PriceLimits.of(RULES)
NOW = SCHEDULED


def quote(price: str, age: float = 1) -> PriceFigure:
    return PriceFigure(Source.QUOTE, Decimal(price), NOW - timedelta(seconds=age))


def trade(price: str, age: float = 1) -> PriceFigure:
    return PriceFigure(Source.TRADE, Decimal(price), NOW - timedelta(seconds=age))


def held(price: str) -> PriceFigure:
    return PriceFigure(Source.POSITION, Decimal(price))


def close(price: str) -> PriceFigure:
    return PriceFigure(Source.CLOSE, Decimal(price))


MONTH = 30 * 86_400.0


@pytest.mark.parametrize(
    ("figures", "price"),
    [
        ([trade("20"), quote("20.01")], "20"),
        ([trade("20"), quote("20.01"), close("29")], "20"),
        ([trade("14", MONTH), quote("20"), close("19.9")], "20"),
        ([quote("20", 61), trade("20.10"), close("20")], "20.10"),
        ([trade("20"), held("20"), close("21")], "20"),
        ([trade("20", -4), quote("20.01", -4)], "20"),
        ([trade("17"), quote("20")], "17"),
        ([trade("0"), quote("20"), close("20")], "20"),
    ],
    ids=[
        "two fresh ones",
        "a split since the close",
        "an old trade of a thin symbol is absent",
        "a stale quote is absent",
        "the close confirms",
        "clocks differ a little",
        "just within the limit",
        "nothing is no price",
    ],
)
def test_a_price_is_the_first_fresh_one_that_another_source_confirms(figures: list[PriceFigure], price: str) -> None:
    assert verified(figures, NOW, LIMITS) == Decimal(price)


@pytest.mark.parametrize(
    ("figures", "reason", "detail"),
    [
        (
            [trade("0.20"), quote("20"), close("20")],
            LegReason.PRICES_DISAGREE,
            "the last trade 0.20 against the quote's middle 20",
        ),
        ([trade("14"), quote("20")], LegReason.PRICES_DISAGREE, "the last trade 14 against the quote's middle 20"),
        (
            [trade("16.99"), quote("20")],
            LegReason.PRICES_DISAGREE,
            "the last trade 16.99 against the quote's middle 20",
        ),
        (
            [trade("0.20"), held("0.20"), close("20")],
            LegReason.PRICES_DISAGREE,
            "the last trade 0.20 against the last close 20",
        ),
        ([trade("20"), held("20")], LegReason.NO_PRICE, "only the last trade 20, and no second source confirms it"),
        ([quote("20")], LegReason.NO_PRICE, "only the quote's middle 20, and no second source confirms it"),
        ([held("20"), close("20")], LegReason.NO_PRICE, "no fresh price (the position's price 20, the last close 20)"),
        (
            [trade("20", 901)],
            LegReason.NO_PRICE,
            f"no fresh price (the last trade 20 of {NOW - timedelta(seconds=901)}",
        ),
        ([trade("20", -6), close("20")], LegReason.NO_PRICE, "no fresh price (the last trade 20 of "),
        ([trade("NaN"), quote("-1")], LegReason.NO_PRICE, "no fresh price"),
        ([], LegReason.NO_PRICE, "no fresh price"),
    ],
    ids=[
        "a wrong trade, though quote and close agree",
        "a trade far from the quote",
        "just beyond the limit",
        "positions are valued at the trade and confirm nothing",
        "trade and position are one witness",
        "one alone",
        "nothing fresh",
        "an old trade",
        "a trade of the future",
        "no numbers",
        "none",
    ],
)
def test_what_is_not_confirmed_or_contradicted_is_no_price_and_says_why(
    figures: list[PriceFigure], reason: LegReason, detail: str
) -> None:
    found = verified(figures, NOW, LIMITS)
    assert isinstance(found, NoPrice)
    assert found.reason is reason
    assert found.detail.startswith(detail.replace(" 13:", "T13:"))


@pytest.mark.parametrize(
    ("bid", "ask", "mid"),
    [("19.99", "20.01", "20"), ("20", "20", "20"), ("0", "20", None), ("20.01", "20", None), ("15", "25", None)],
    ids=["a market", "locked", "one side", "crossed", "too wide"],
)
def test_a_quote_counts_only_as_a_market(bid: str, ask: str, mid: str | None) -> None:
    figure = figure_of_quote(Quote(symbol="AAA", bid=Decimal(bid), ask=Decimal(ask), at=NOW), RULES.max_spread)
    assert (None if figure is None else figure.price) == (None if mid is None else Decimal(mid))


def test_no_trade_and_a_trade_at_nothing_are_no_figures() -> None:
    assert figure_of_trade(None) is None
    assert figure_of_trade(Trade(symbol="AAA", price=Decimal(0), at=NOW)) is None
    assert figure_of_trade(Trade(symbol="AAA", price=Decimal(5), at=NOW)) == PriceFigure(Source.TRADE, Decimal(5), NOW)


anything = st.builds(
    PriceFigure,
    st.sampled_from(Source),
    st.sampled_from([Decimal(text) for text in ("-1", "0", "0.2", "14", "19", "20", "21", "2000")]),
    st.none() | st.sampled_from([0.0, 30.0, 61.0, 600.0, 901.0, -60.0]).map(lambda age: NOW - timedelta(seconds=age)),
)


@given(st.lists(anything, max_size=6))
def test_no_price_rests_on_one_figure_and_none_survives_a_fresh_contradiction(figures: list[PriceFigure]) -> None:
    price = verified(figures, NOW, LIMITS)
    if isinstance(price, NoPrice):
        assert price.detail
        return
    near = {figure.source for figure in figures if figure.price > 0 and agree(figure.price, price, LIMITS)}
    assert len(near) > 1
    assert near != {Source.TRADE, Source.POSITION}
    for figure in figures:
        if figure.price > 0 and figure.at is not None and timedelta(0) <= NOW - figure.at <= LIMITS.quote_age:
            assert agree(figure.price, price, LIMITS), "a fresh figure contradicts"
