"""What time does to orders and holdings: opens, closes, splits, days without a bar."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from alchemiser_simulator.exchange.orders import Quirks, Status, TimeInForce
from unit.simulator.exchange.tickets import NIGHT, current, exchange_at, ticket


def test_orders_of_the_night_wait_for_the_open_and_day_orders_end_at_the_close() -> None:
    exchange = exchange_at(NIGHT)
    market = exchange.submit(ticket())
    hopeless = exchange.submit(ticket("TLT", limit="1.00"))
    lasting = exchange.submit(ticket("IEF", limit="1.00", tif=TimeInForce.GTC))
    assert market.status is Status.ACCEPTED
    exchange.advance_to(datetime(2020, 6, 2, 13, 30, tzinfo=UTC))
    assert current(exchange, market).status is Status.FILLED
    assert current(exchange, hopeless).status is Status.NEW
    exchange.advance_to(datetime(2020, 6, 2, 20, tzinfo=UTC))
    assert current(exchange, hopeless).status is Status.EXPIRED
    assert current(exchange, hopeless).expired_at == datetime(2020, 6, 2, 20, tzinfo=UTC)
    assert current(exchange, lasting).status is Status.NEW


def test_immediate_orders_never_rest() -> None:
    exchange = exchange_at()
    ioc = exchange.submit(ticket(limit="1.00", tif=TimeInForce.IOC))
    part = Quirks(fill_fraction=Decimal("0.5"))
    fok = exchange.submit(ticket(tif=TimeInForce.FOK), part)
    half = exchange.submit(ticket(tif=TimeInForce.IOC), part)
    assert [current(exchange, order).status for order in (ioc, fok, half)] == [Status.CANCELED] * 3
    assert [current(exchange, order).filled_qty for order in (ioc, fok, half)] == [0, 0, 5]


def test_a_position_held_over_a_split_becomes_new_shares_of_the_same_cost() -> None:
    exchange = exchange_at(datetime(2018, 6, 8, 15, tzinfo=UTC))
    exchange.submit(ticket("SOXL", qty="10"))
    resting = exchange.submit(ticket("SOXL", limit="1.00", tif=TimeInForce.GTC))
    before, cost = exchange.equity, exchange.books.head.ledger.holdings["SOXL"].cost
    exchange.advance_to(datetime(2018, 6, 11, 12, tzinfo=UTC))
    holding = exchange.books.head.ledger.holdings["SOXL"]
    assert (holding.qty, holding.cost) == (Decimal(30), cost)
    assert abs(exchange.equity - before) < Decimal("0.02") * before, "the night before the split day shows a jump"
    exchange.advance_to(datetime(2018, 6, 11, 15, tzinfo=UTC))
    assert abs(exchange.equity - before) < Decimal("0.02") * before
    assert current(exchange, resting).status is Status.CANCELED


def test_a_symbol_without_a_bar_does_not_trade_that_day_and_shows_its_last_quote() -> None:
    exchange = exchange_at(datetime(2021, 3, 24, 15, tzinfo=UTC))
    order = exchange.submit(ticket("XLP"))
    quote = exchange.market.quote("XLP", exchange.now)
    assert quote is not None
    assert quote.at == datetime(2021, 3, 23, 20, tzinfo=UTC)
    exchange.advance_to(datetime(2021, 3, 24, 20, tzinfo=UTC))
    assert current(exchange, order).status is Status.EXPIRED


def test_equity_of_the_close_becomes_last_equity() -> None:
    exchange = exchange_at()
    exchange.submit(ticket("UVXY", qty="1000"))
    exchange.advance_to(datetime(2020, 6, 1, 20, tzinfo=UTC))
    at_close = exchange.equity
    assert exchange.books.head.last_equity == at_close
    exchange.advance_to(datetime(2020, 6, 2, 15, tzinfo=UTC))
    assert exchange.books.head.last_equity == at_close != exchange.equity
