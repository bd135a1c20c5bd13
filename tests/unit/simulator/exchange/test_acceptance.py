"""The broker's rules as a table: what is refused, in which words, and what open orders hold back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_simulator.exchange.orders import OrderTicket, OrderType, Side, TimeInForce
from alchemiser_simulator.exchange.refusals import Refusal
from unit.simulator.exchange.tickets import current, exchange_at, ticket


@pytest.mark.parametrize(
    ("asked", "status", "code", "words"),
    [
        (ticket(qty="0"), 422, 40010001, "qty must be > 0"),
        (ticket(qty="-1"), 422, 40010001, "qty must be > 0"),
        (ticket(qty="1", notional="5"), 422, 40010001, "only one"),
        (ticket(qty=None), 422, 40010001, "qty or notional is required"),
        (ticket(qty="0.1234567891"), 422, 42210000, "9 decimal places"),
        (ticket(qty=None, notional="5.123"), 422, 42210000, "2 decimal places"),
        (ticket(qty=None, notional="0.99"), 403, 40310000, "minimal amount of order 1"),
        (ticket(qty="0.5", tif=TimeInForce.GTC), 422, 42210000, "fractional orders must be DAY orders"),
        (ticket("LEU", qty="0.5"), 403, 40310000, 'asset "LEU" is not fractionable'),
        (ticket("LEU", qty=None, notional="50"), 403, 40310000, "not fractionable"),
        (ticket(limit="290.123"), 422, 42210000, "invalid limit_price 290.123. sub-penny increment"),
        (ticket(limit="0.12345"), 422, 42210000, "sub-penny"),
        (ticket(limit="0"), 422, 40010001, "limit price must be > 0"),
        (replace(ticket(), type=OrderType.LIMIT), 422, 40010001, "limit orders require a limit price"),
        (replace(ticket(limit="10"), type=OrderType.MARKET), 422, 40010001, "market orders require no limit price"),
        (ticket("NOPE"), 422, 42210000, 'asset "NOPE" not found'),
        (ticket(qty="10000"), 403, 40310000, "insufficient buying power"),
        (ticket(side=Side.SELL), 403, 40310000, "insufficient qty available for order (requested: 10, available: 0)"),
        (ticket(side=Side.SELL, qty=None, notional="50"), 403, 40310000, "insufficient qty available"),
        (ticket("TLT", Side.SELL, qty="0.006"), 403, 40310000, "minimal amount of order 1"),
        (ticket("TLT", Side.SELL, qty="0.006", limit="166.00"), 403, 40310000, "minimal amount of order 1"),
    ],
)
def test_an_order_against_the_rules_is_refused_in_alpacas_words(
    asked: OrderTicket, status: int, code: int, words: str
) -> None:
    exchange = exchange_at()
    exchange.set_holding("TLT", Decimal("0.006"), None)
    with pytest.raises(Refusal) as refused:
        exchange.submit(asked)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert words in refused.value.message
    assert not exchange.books.orders, "a refused order left a trace"


def test_less_than_the_least_amount_leaves_by_closing_the_position() -> None:
    exchange = exchange_at()
    exchange.set_holding("TLT", Decimal("0.006"), None)
    exchange.close("TLT")
    exchange.advance_to(exchange.now + timedelta(seconds=1))
    assert exchange.books.head.ledger.holdings == {}


def test_an_order_of_a_halted_symbol_waits_for_the_re_opening() -> None:
    exchange = exchange_at()
    halted = replace(exchange.asset("SPY"), halted=True)
    exchange.set_asset(halted)
    order = exchange.submit(ticket())
    limit = exchange.submit(ticket(limit="900.00"))
    exchange.advance_to(exchange.now + timedelta(minutes=20))
    assert [current(exchange, one).status for one in (order, limit)] == ["new", "new"]
    quote = exchange.market.quote("SPY", exchange.now + timedelta(seconds=1))
    exchange.set_asset(replace(halted, halted=False))
    exchange.advance_to(exchange.now + timedelta(seconds=1))
    assert quote is not None
    for one in (order, limit):
        after = current(exchange, one)
        assert (after.status, after.filled_cost) == ("filled", 10 * quote.ask), "it takes the quote of the re-opening"


def test_open_buys_reserve_power_and_open_sales_hold_shares() -> None:
    exchange = exchange_at(multiplier=1, cash="10000")
    exchange.set_holding("TLT", Decimal(10), None)
    exchange.submit(ticket(limit="250.00", qty="30"))
    assert exchange.buying_power == 10_000 - 30 * 250
    with pytest.raises(Refusal) as refused:
        exchange.submit(ticket("IEF", limit="100.00", qty="26"))
    assert refused.value.fields == {"buying_power": "2500", "cost_basis": "2600"}
    sale = exchange.submit(ticket("TLT", Side.SELL, limit="900.00", qty="8"))
    with pytest.raises(Refusal) as refused:
        exchange.submit(ticket("TLT", Side.SELL, limit="900.00", qty="3"))
    assert refused.value.fields == {
        "available": "2",
        "existing_qty": "10",
        "held_for_orders": "8",
        "related_orders": [str(sale.id)],
        "symbol": "TLT",
    }


@pytest.mark.parametrize(
    ("resting", "arriving", "refused"),
    [("250.00", None, True), ("250.00", "250.00", True), ("250.00", "240.00", True), ("250.00", "900.00", False)],
)
def test_an_opposite_order_that_could_trade_with_ours_is_a_wash_trade(
    resting: str, arriving: str | None, *, refused: bool
) -> None:
    exchange = exchange_at()
    exchange.set_holding("SPY", Decimal(10), None)
    buy = exchange.submit(ticket(limit=resting))
    sale = ticket(side=Side.SELL, limit=arriving)
    if not refused:
        assert exchange.submit(sale).is_open
        return
    with pytest.raises(Refusal, match=r"potential wash trade detected\. use complex orders") as caught:
        exchange.submit(sale)
    assert caught.value.fields["existing_order_id"] == str(buy.id)
    assert caught.value.status == 403
