"""What must hold for an exchange whatever is asked of it: money is conserved, promises are kept, runs repeat."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from alchemiser_simulator import SimulatorConfig, sample_history
from alchemiser_simulator.exchange.books import Head
from alchemiser_simulator.exchange.exchange import Exchange, Replacement
from alchemiser_simulator.exchange.orders import (
    ZERO,
    CancelQuirks,
    Order,
    OrderTicket,
    OrderType,
    Quirks,
    Side,
    TimeInForce,
)
from alchemiser_simulator.exchange.refusals import Refusal
from alchemiser_simulator.market.market import Market

SYMBOLS = ("SPY", "UVXY", "TECL")
START = datetime(2020, 3, 9, 13, 25, tzinfo=UTC)  # five minutes before a violent open
HELD = Decimal(120)  # shares of each symbol that an account begins with
MARKET = Market(sample_history(), SimulatorConfig(history=sample_history()).spread)
BOOKS = TypeAdapter(tuple[Head, list[Order]])

type Step = Callable[[Exchange], None]


@dataclass(frozen=True)
class Submit:
    symbol: str
    side: Side
    limit: Decimal | None  # relative to the last price
    qty: Decimal | None
    notional: Decimal | None
    tif: TimeInForce
    quirks: Quirks

    def __call__(self, exchange: Exchange) -> None:
        last = exchange.market.last_price(self.symbol, exchange.now) or Decimal(1)
        limit = None if self.limit is None else (last * self.limit).quantize(Decimal("0.01"))
        power, qty = exchange.buying_power, self.qty
        holding = exchange.books.head.ledger.holdings.get(self.symbol)
        if self.side is Side.SELL and qty is not None and holding is not None:
            qty = min(qty, holding.qty)  # most sales are of what there is, some of what is promised already
        whole = qty is not None and qty == qty.to_integral_value()
        ticket = OrderTicket(
            symbol=self.symbol,
            side=self.side,
            type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            time_in_force=self.tif if whole else TimeInForce.DAY,
            qty=qty,
            notional=self.notional,
            limit_price=limit,
        )
        order = exchange.submit(ticket, self.quirks)
        assert order.reserved <= power, "an order was accepted that buying power does not cover"


@dataclass(frozen=True)
class Cancel:
    which: int
    quirks: CancelQuirks | None

    def __call__(self, exchange: Exchange) -> None:
        orders = list(exchange.books.orders)
        if orders:
            exchange.cancel(orders[self.which % len(orders)], self.quirks)


@dataclass(frozen=True)
class Replace:
    which: int
    qty: int

    def __call__(self, exchange: Exchange) -> None:
        orders = list(exchange.books.orders)
        if orders:
            exchange.replace(orders[self.which % len(orders)], Replacement(qty=Decimal(self.qty)))


@dataclass(frozen=True)
class Advance:
    seconds: float

    def __call__(self, exchange: Exchange) -> None:
        exchange.advance_to(exchange.now + timedelta(seconds=self.seconds))


QUIRKS = st.sampled_from(
    [
        Quirks(),
        Quirks(),
        Quirks(fill_fraction=Decimal("0.3")),
        Quirks(fill_fraction=Decimal("0.4"), max_fills=1, afterwards="reject"),
        Quirks(lag_seconds=10.0),
    ]
)
AMOUNTS = st.one_of(
    st.tuples(st.decimals(Decimal("0.001"), 400, places=3), st.none()),
    st.tuples(st.integers(1, 300).map(Decimal), st.none()),
    st.tuples(st.none(), st.decimals(1, 30_000, places=2)),
)
SUBMIT = st.builds(
    lambda symbol, side, limit, amount, tif, quirks: Submit(symbol, side, limit, amount[0], amount[1], tif, quirks),
    st.sampled_from(SYMBOLS),
    st.sampled_from(Side),
    st.one_of(st.none(), st.decimals(Decimal("0.95"), Decimal("1.05"), places=3)),
    AMOUNTS,
    st.sampled_from([TimeInForce.DAY, TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
    QUIRKS,
)
CANCEL = st.builds(
    Cancel,
    st.integers(0, 50),
    st.sampled_from([None, CancelQuirks(stuck=True, seconds=60.0), CancelQuirks(fill_fraction=Decimal("0.5"))]),
)
ADVANCE = st.builds(Advance, st.sampled_from([0.5, 1.0, 30.0, 300.0, 300.0, 3600.0, 9000.0, 70_000.0]))
STEPS = st.lists(
    st.one_of(SUBMIT, SUBMIT, SUBMIT, CANCEL, st.builds(Replace, st.integers(0, 50), st.integers(1, 200)), ADVANCE),
    min_size=8,
    max_size=30,
)


def new_exchange(multiplier: int, depth: Decimal | None = None) -> Exchange:
    config = SimulatorConfig(
        history=sample_history(), start=START, multiplier=multiplier, depth_factor=depth, cash=Decimal(100_000)
    )
    exchange = Exchange(config, MARKET)
    for symbol in SYMBOLS:
        exchange.set_holding(symbol, HELD, Decimal(50))
    return exchange


def play(exchange: Exchange, steps: list[Step], after: Callable[[Exchange], None] | None = None) -> None:
    for step in steps:
        with contextlib.suppress(Refusal):
            step(exchange)
        if after is not None:
            after(exchange)


def check_books(exchange: Exchange) -> None:
    books, head = exchange.books, exchange.books.head
    cash, shares = Decimal(100_000), dict.fromkeys(SYMBOLS, HELD)
    for fill in books.fills:
        sign = 1 if fill.side is Side.BUY else -1
        cash -= sign * fill.qty * fill.price
        shares[fill.symbol] += sign * fill.qty
        limit = books.orders[fill.order_id].ticket.limit_price
        assert limit is None or sign * (limit - fill.price) >= 0, f"filled at {fill.price} beyond the limit {limit}"
    assert head.ledger.cash == cash, "cash is not what the fills add up to"
    held = {symbol: holding.qty for symbol, holding in head.ledger.holdings.items()}
    assert held == {symbol: qty for symbol, qty in shares.items() if qty}, "positions are not what the fills add up to"
    assert all(qty >= 0 for qty in shares.values()), "more was sold than was held"
    for order in books.orders.values():
        filled = sum((fill.qty for fill in books.fills if fill.order_id == order.id), ZERO)
        assert order.filled_qty == filled
        assert order.ticket.qty is None or filled <= order.ticket.qty, "more was filled than ordered"
        assert order.ticket.notional is None or order.filled_cost <= order.ticket.notional, (
            "more was spent than ordered"
        )
    for symbol in SYMBOLS:
        promised = sum((order.held for order in books.open_for(symbol)), ZERO)
        assert promised <= shares[symbol], "open sales promise shares that are not there"
    if exchange.config.multiplier == 1:
        assert cash >= 0, "a cash account owes money"
        assert books.reserved <= cash, "open buys reserve more than there is"
    if not head.unreported:
        assert head.reported == head.ledger


@given(STEPS, st.sampled_from([1, 2]), st.sampled_from([None, Decimal("0.05")]))
@settings(max_examples=150, deadline=None)
def test_books_balance_after_every_step(steps: list[Step], multiplier: int, depth: Decimal | None) -> None:
    play(new_exchange(multiplier, depth), steps, check_books)


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_the_same_calls_give_the_same_state_to_the_byte(steps: list[Step]) -> None:
    def state() -> bytes:
        exchange = new_exchange(2)
        play(exchange, steps)
        return BOOKS.dump_json((exchange.books.head, list(exchange.books.orders.values())))

    assert state() == state()


@given(
    st.lists(SUBMIT, min_size=1, max_size=6),
    st.lists(st.floats(0.5, 30_000.0), min_size=1, max_size=12),
    st.sampled_from([None, Decimal("0.05")]),
)
@settings(max_examples=60, deadline=None)
def test_many_short_advances_lead_where_one_long_one_does(
    orders: list[Step], spans: list[float], depth: Decimal | None
) -> None:
    short, long = new_exchange(2, depth), new_exchange(2, depth)
    for exchange in (short, long):
        play(exchange, orders)
    for seconds in spans:
        short.advance_to(short.now + timedelta(seconds=seconds))
    long.advance_to(short.now)
    fills = [[(fill.order_id, fill.qty, fill.price, fill.at) for fill in one.books.fills] for one in (short, long)]
    assert fills[0] == fills[1]
    assert list(short.books.orders.values()) == list(long.books.orders.values())
    assert short.books.head.last_equity == long.books.head.last_equity


def test_a_gap_over_the_reservation_rejects_the_order_instead_of_overdrawing_a_cash_account() -> None:
    exchange = new_exchange(1)
    last = exchange.market.last_price("UVXY", exchange.now) or Decimal(1)
    whole = Decimal(int(Decimal(98_000) / last))
    ticket = OrderTicket(symbol="UVXY", side=Side.BUY, type=OrderType.MARKET, time_in_force=TimeInForce.DAY, qty=whole)
    order = exchange.submit(ticket)
    exchange.advance_to(START + timedelta(minutes=10))
    assert exchange.books.orders[order.id].status == "rejected"
    assert exchange.books.head.ledger.cash == Decimal(100_000)


def test_the_clock_does_not_run_backwards_or_past_the_prices() -> None:
    exchange = new_exchange(2)
    with pytest.raises(Refusal, match="backwards only by a reset"):
        exchange.advance_to(START - timedelta(seconds=1))
    with pytest.raises(Refusal, match="past the last day with prices, 2021-03-31"):
        exchange.advance_to(datetime(2022, 1, 1, tzinfo=UTC))
    assert exchange.now == START
