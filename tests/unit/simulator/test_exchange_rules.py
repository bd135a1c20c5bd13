"""The broker's rules as a table, and the life of an order through time, without HTTP."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from alchemiser_simulator import SimulatorConfig, sample_history
from alchemiser_simulator.exchange.exchange import Exchange, Replacement
from alchemiser_simulator.exchange.orders import (
    CancelQuirks,
    Order,
    OrderTicket,
    OrderType,
    Quirks,
    Side,
    Status,
    TimeInForce,
)
from alchemiser_simulator.exchange.refusals import Refusal
from alchemiser_simulator.market.market import Market

OPEN = datetime(2020, 6, 1, 15, tzinfo=UTC)  # 11:00 in New York
NIGHT = datetime(2020, 6, 2, 1, tzinfo=UTC)
MARKET = Market(sample_history(), SimulatorConfig(history=sample_history()).spread)


def exchange_at(
    start: datetime = OPEN, multiplier: int = 2, cash: str = "100000", depth: Decimal | None = None
) -> Exchange:
    config = SimulatorConfig(
        history=sample_history(),
        start=start,
        multiplier=multiplier,
        cash=Decimal(cash),
        depth_factor=depth,
        not_fractionable=frozenset({"LEU"}),
    )
    return Exchange(config, MARKET)


def ticket(
    symbol: str = "SPY",
    side: Side = Side.BUY,
    qty: str | None = "10",
    limit: str | Decimal | None = None,
    tif: TimeInForce = TimeInForce.DAY,
    notional: str | None = None,
    client_order_id: str | None = None,
) -> OrderTicket:
    return OrderTicket(
        symbol=symbol,
        side=side,
        type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        time_in_force=tif,
        qty=None if qty is None else Decimal(qty),
        notional=None if notional is None else Decimal(notional),
        limit_price=None if limit is None else Decimal(limit),
        client_order_id=client_order_id,
    )


def current(exchange: Exchange, order: Order) -> Order:
    return exchange.books.orders[order.id]


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
    ],
)
def test_an_order_against_the_rules_is_refused_in_alpacas_words(
    asked: OrderTicket, status: int, code: int, words: str
) -> None:
    exchange = exchange_at()
    with pytest.raises(Refusal) as refused:
        exchange.submit(asked)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert words in refused.value.message
    assert not exchange.books.orders, "a refused order left a trace"


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


def test_replacing_after_a_partial_fill_asks_for_the_whole_quantity_again() -> None:
    exchange = exchange_at()
    quote = exchange.market.quote("SPY", exchange.now)
    assert quote is not None
    first = exchange.submit(ticket(limit=quote.ask), Quirks(fill_fraction=Decimal("0.4"), max_fills=1))
    second = exchange.replace(first.id, Replacement(limit_price=quote.bid - 50))
    old = current(exchange, first)
    assert (old.status, old.filled_qty, old.replaced_by) == (Status.REPLACED, Decimal(4), second.id)
    assert (second.replaces, second.ticket.qty) == (first.id, Decimal(10))


def test_a_fill_may_arrive_while_an_order_is_being_cancelled() -> None:
    exchange = exchange_at()
    order = exchange.submit(ticket(limit="250.00"))
    stuck = CancelQuirks(stuck=True, seconds=30.0, fill_fraction=Decimal("0.3"))
    assert exchange.cancel(order.id, stuck).status is Status.PENDING_CANCEL
    assert current(exchange, order).filled_qty == 3
    with pytest.raises(Refusal, match=r"already in .*pending_cancel"):
        exchange.cancel(order.id)
    exchange.advance_to(OPEN + timedelta(seconds=30))
    assert current(exchange, order).status is Status.CANCELED
    assert current(exchange, order).filled_qty == 3


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


def test_a_thousand_orders_a_second() -> None:
    exchange = exchange_at()
    started = time.process_time()
    for number in range(500):
        exchange.submit(ticket(qty="0.1", client_order_id=f"speed-{number}"))
    elapsed = time.process_time() - started
    assert elapsed < 0.5, f"500 orders took {elapsed:.2f} s"
