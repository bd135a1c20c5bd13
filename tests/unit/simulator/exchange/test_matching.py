"""When and at what price orders trade, without HTTP."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from alchemiser_simulator.exchange.orders import Side, Status
from unit.simulator.exchange.tickets import OPEN, current, exchange_at, ticket


def test_a_market_order_takes_the_far_side_of_the_quote() -> None:
    exchange = exchange_at()
    quote = exchange.market.quote("SPY", exchange.now)
    assert quote is not None
    bought = exchange.submit(ticket())
    sold = exchange.submit(ticket(side=Side.SELL, qty="4"))
    assert bought.status is Status.PENDING_NEW, "the answer to a submission does not know of the fill yet"
    assert current(exchange, bought).filled_cost == quote.ask * 10
    assert current(exchange, sold).filled_cost == quote.bid * 4


def test_a_marketable_limit_pays_the_quote_and_a_resting_one_its_own_price() -> None:
    exchange = exchange_at()
    session = exchange.market.calendar.at(OPEN)
    quote, path = exchange.market.quote("TLT", OPEN), exchange.market.path("TLT", session) if session else None
    assert quote is not None
    assert path is not None
    lowest = path.price(int(path.ask[5401:-1].min()))
    assert lowest < quote.ask - Decimal("0.05"), "this day does not fit the test"
    generous = exchange.submit(ticket("TLT", limit=quote.ask + 5))
    patient = exchange.submit(ticket("TLT", limit=lowest))
    greedy = exchange.submit(ticket("TLT", limit=lowest - Decimal("0.01")))
    assert current(exchange, generous).filled_cost == quote.ask * 10
    assert current(exchange, patient).status is Status.NEW
    exchange.advance_to(OPEN + timedelta(hours=6))
    settled = current(exchange, patient)
    assert (settled.status, settled.filled_cost) == (Status.FILLED, lowest * 10)
    assert settled.filled_at is not None
    assert OPEN < settled.filled_at < OPEN + timedelta(hours=5)
    assert current(exchange, greedy).status is Status.EXPIRED


def test_an_order_larger_than_the_displayed_size_fills_in_parts_at_each_seconds_quote() -> None:
    exchange = exchange_at(depth=Decimal("0.1"))
    size = exchange.market.quote("BTAL", OPEN)
    assert size is not None
    order = exchange.submit(ticket("BTAL", limit=size.ask + 2, qty="1000"))
    assert current(exchange, order).filled_qty == size.ask_size * Decimal("0.1")
    exchange.advance_to(OPEN + timedelta(minutes=10))
    asks = {fill.at: exchange.market.quote("BTAL", fill.at) for fill in exchange.books.fills}
    assert current(exchange, order).status is Status.FILLED
    assert len(asks) > 1
    for fill in exchange.books.fills:
        quote = asks[fill.at]
        assert quote is not None
        assert (fill.price, fill.qty <= quote.ask_size * Decimal("0.1")) == (quote.ask, True)
