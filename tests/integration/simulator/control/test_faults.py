"""Every fault, as the client of the API meets it. The table of transport faults comes first."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from alpaca.common.exceptions import APIError
from alpaca.data.requests import StockLatestQuoteRequest
from alpaca.trading.enums import OrderSide, OrderStatus, TimeInForce
from alpaca.trading.models import Order
from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest

from alchemiser_simulator import ClockMode, SimulatorControl, SimulatorServer
from alchemiser_simulator.control.faults import (
    BadQuote,
    Delay,
    DropConnection,
    Fault,
    LaggingPositions,
    LatePrice,
    PartialFills,
    RateLimited,
    Reject,
    ServerError,
    StuckCancel,
    TimeoutAfterAccept,
    When,
)
from integration.simulator.calls import HEADERS, config

type Client = Any  # alpaca-py's methods return a model or a dict; here always the model

POST_ORDERS = When(method="POST", path="^/v2/orders$")


def order_body(name: str) -> dict[str, str]:
    return {
        "symbol": "SPY",
        "qty": "10",
        "side": "buy",
        "type": "market",
        "time_in_force": "day",
        "client_order_id": name,
    }


def post(server: SimulatorServer, name: str, timeout: float = 5.0) -> requests.Response:
    return requests.post(f"{server.url}/v2/orders", json=order_body(name), headers=HEADERS, timeout=timeout)


def known(server: SimulatorServer, name: str) -> bool:
    url = f"{server.url}/v2/orders:by_client_order_id"
    return requests.get(url, {"client_order_id": name}, headers=HEADERS, timeout=5).status_code == 200


@pytest.mark.parametrize(
    ("fault", "outcome", "accepted"),
    [
        (Delay(seconds=0.2, match=POST_ORDERS), 200, True),
        (TimeoutAfterAccept(match=POST_ORDERS), requests.ConnectionError, True),
        (TimeoutAfterAccept(hold_seconds=5, match=POST_ORDERS), requests.ReadTimeout, True),
        (DropConnection(match=POST_ORDERS), requests.ConnectionError, False),
        (RateLimited(match=POST_ORDERS), 429, False),
        (ServerError(status=503, match=POST_ORDERS), 503, False),
        (ServerError(accepted=True, match=POST_ORDERS), 502, True),
        (Reject(status=403, message="no"), 403, False),
    ],
    ids=lambda value: value.kind if hasattr(value, "kind") else None,
)
def test_a_transport_fault_leaves_the_order_accepted_or_not(
    server: SimulatorServer, control: SimulatorControl, fault: Fault, outcome: int | type[Exception], *, accepted: bool
) -> None:
    control.add_fault(fault.model_copy(update={"count": 1}))
    if isinstance(outcome, int):
        assert post(server, "one").status_code == outcome
    else:
        with pytest.raises(outcome):
            post(server, "one", timeout=0.3)
    assert known(server, "one") is accepted
    assert post(server, "two").status_code == 200, "the fault applied more than once"
    assert [entry.used for entry in control.faults()] == [1]


def test_a_delay_takes_its_time(server: SimulatorServer, control: SimulatorControl) -> None:
    control.add_fault(Delay(seconds=0.2, count=1))
    started = time.perf_counter()
    assert not known(server, "any")
    assert 0.2 <= time.perf_counter() - started < 3.0


def test_a_rule_behind_a_delay_reads_the_clock_after_it() -> None:
    with SimulatorServer(config(clock=ClockMode.FLOWING, speed=100.0)) as server, server.control as control:
        control.add_fault(Delay(seconds=0.2, match=POST_ORDERS))
        control.add_fault(RateLimited(reset_seconds=7, match=POST_ORDERS))
        sent = control.clock().now
        reset = int(post(server, "one").headers["X-RateLimit-Reset"])
        assert reset >= int(sent.timestamp()) + 20 + 7


def test_rate_limit_and_server_error_look_like_alpacas(server: SimulatorServer, control: SimulatorControl) -> None:
    control.add_fault(RateLimited(count=1, reset_seconds=7))
    limited = post(server, "one")
    assert limited.json() == {"code": 42910000, "message": "rate limit exceeded"}
    assert limited.headers["X-RateLimit-Remaining"] == "0"
    assert int(limited.headers["X-RateLimit-Reset"]) - int(control.clock().now.timestamp()) == 7
    control.add_fault(ServerError(count=1))
    broken = post(server, "two")
    assert broken.headers["content-type"].startswith("text/html")
    assert "<h1>502" in broken.text
    fine = post(server, "three")
    assert fine.headers["X-RateLimit-Limit"] == "200"
    assert int(fine.headers["X-RateLimit-Remaining"]) >= 0


def test_faults_match_by_symbol_and_side_and_every_nth_time(
    server: SimulatorServer, control: SimulatorControl, trading: Client
) -> None:
    control.add_fault(ServerError(match=When(symbol="TLT", side="buy")))
    assert post(server, "spy").status_code == 200
    with pytest.raises(APIError):
        market(trading, "TLT")
    control.clear_faults()
    control.add_fault(ServerError(every=3))
    assert [post(server, f"n{number}").status_code for number in range(6)] == [200, 200, 502, 200, 200, 502]
    control.clear_faults()
    control.add_fault(ServerError(probability=0.5, seed=4))
    first = [post(server, f"a{number}").status_code for number in range(8)]
    control.reset()
    control.add_fault(ServerError(probability=0.5, seed=4))
    assert [post(server, f"a{number}").status_code for number in range(8)] == first
    assert set(first) == {200, 502}


def market(trading: Client, symbol: str = "SPY", side: OrderSide = OrderSide.BUY, qty: float = 10) -> Order:
    request = MarketOrderRequest(symbol=symbol, side=side, time_in_force=TimeInForce.DAY, qty=qty)
    order: Order = trading.submit_order(request)
    return order


def resting(trading: Client) -> Order:
    request = LimitOrderRequest(
        symbol="SPY", side=OrderSide.BUY, time_in_force=TimeInForce.DAY, qty=10, limit_price=250.0
    )
    order: Order = trading.submit_order(request)
    return order


def again(trading: Client, order: Order) -> Order:
    found: Order = trading.get_order_by_id(order.id)
    return found


def test_a_cancel_stays_pending_for_its_time(control: SimulatorControl, trading: Client) -> None:
    control.add_fault(StuckCancel(seconds=30, count=1))
    order = resting(trading)
    trading.cancel_order_by_id(order.id)
    assert again(trading, order).status is OrderStatus.PENDING_CANCEL
    control.advance(29)
    assert again(trading, order).status is OrderStatus.PENDING_CANCEL
    control.advance(1)
    assert again(trading, order).status is OrderStatus.CANCELED


def test_a_cancel_can_stay_pending_for_ever(control: SimulatorControl, trading: Client) -> None:
    control.add_fault(StuckCancel(count=1))
    order = resting(trading)
    trading.cancel_order_by_id(order.id)
    control.advance(timedelta(days=2))
    assert again(trading, order).status is OrderStatus.PENDING_CANCEL


@pytest.mark.parametrize(("fraction", "filled"), [("0", "0"), ("0.3", "3"), ("1", "10")])
def test_fills_arrive_during_a_cancel(control: SimulatorControl, trading: Client, fraction: str, filled: str) -> None:
    control.add_fault(StuckCancel(seconds=0, fill_fraction=Decimal(fraction), count=1))
    order = resting(trading)
    trading.cancel_order_by_id(order.id)
    settled = again(trading, order)
    assert settled.filled_qty == filled
    assert settled.status is (OrderStatus.FILLED if filled == "10" else OrderStatus.CANCELED)


@pytest.mark.parametrize(
    ("then", "status"),
    [
        ("rest", OrderStatus.PARTIALLY_FILLED),
        ("cancel", OrderStatus.CANCELED),
        ("reject", OrderStatus.REJECTED),
        ("done_for_day", OrderStatus.DONE_FOR_DAY),
    ],
)
def test_orders_fill_in_parts_and_the_rest_meets_its_end(
    control: SimulatorControl, trading: Client, then: str, status: OrderStatus
) -> None:
    fault = {"fraction": "0.2", "max_fills": 2, "interval_seconds": 10, "then": then, "count": 1}
    control.add_fault(PartialFills.model_validate(fault))
    order = market(trading)
    assert again(trading, order).filled_qty == "2"
    control.advance(9)
    assert again(trading, order).filled_qty == "2"
    control.advance(1)
    settled = again(trading, order)
    assert (settled.filled_qty, settled.status) == ("4", status)
    assert trading.get_open_position("SPY").qty == "4"


def test_positions_and_buying_power_trail_fills(control: SimulatorControl, trading: Client) -> None:
    control.add_fault(LaggingPositions(seconds=10))
    order = again(trading, market(trading))
    assert order.status is OrderStatus.FILLED
    assert trading.get_all_positions() == []
    assert trading.get_account().cash == "100000"
    control.advance(10)
    assert trading.get_open_position("SPY").qty == "10"
    cash = trading.get_account().cash
    market(trading, side=OrderSide.SELL)
    assert trading.get_account().cash == cash
    assert trading.get_open_position("SPY").qty == "10"
    control.advance(10)
    assert Decimal(trading.get_account().cash) > Decimal(cash)
    assert trading.get_all_positions() == []


def test_the_price_of_a_fill_comes_late(control: SimulatorControl, trading: Client) -> None:
    control.add_fault(LatePrice(polls=2, count=1))
    order = market(trading)
    seen = [again(trading, order) for _ in range(3)]
    assert [found.status for found in seen] == [OrderStatus.FILLED] * 3
    assert [found.filled_avg_price is None for found in seen] == [True, True, False]


def test_an_order_can_be_accepted_and_then_rejected(control: SimulatorControl, trading: Client) -> None:
    control.add_fault(Reject(accepted=True, count=1))
    order = market(trading)
    assert order.status is OrderStatus.PENDING_NEW
    assert again(trading, order).status is OrderStatus.REJECTED
    assert again(trading, order).failed_at is not None


@pytest.mark.parametrize("flavour", ["zero", "zero_bid", "zero_ask", "crossed", "stale", "absurd", "missing"])
def test_quotes_can_be_bad(control: SimulatorControl, data: Client, flavour: str) -> None:
    request = StockLatestQuoteRequest(symbol_or_symbols=["SPY", "TLT"])
    good = data.get_stock_latest_quote(request)["SPY"]
    control.add_fault(BadQuote.model_validate({"flavour": flavour, "match": {"symbol": "SPY"}}))
    quotes = data.get_stock_latest_quote(request)
    assert 0 < quotes["TLT"].bid_price < quotes["TLT"].ask_price, "another symbol's quote is spoilt"
    bad = quotes.get("SPY")
    if bad is None:
        assert flavour == "missing"
        return
    seen = {
        "zero": bad.bid_price == bad.ask_price == 0,
        "zero_bid": bad.bid_price == 0 < bad.ask_price,
        "zero_ask": bad.ask_price == 0 < bad.bid_price,
        "crossed": bad.bid_price > bad.ask_price > 0,
        "stale": good.timestamp - bad.timestamp == timedelta(seconds=900),
        "absurd": bad.ask_price > 50 * good.ask_price,
    }
    assert seen[flavour]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"kind": "nonsense"}, ["nonsense", "fault"]),
        ({"kind": "delay", "seconds": -1}, ["seconds", "-1"]),
        ({"kind": "partial_fills", "fraction": 2}, ["fraction", "2"]),
        ({"kind": "delay", "seconds": 1, "match": {"path": "("}}, ["path", "not a regular expression"]),
        ({"kind": "delay", "seconds": 1, "colour": "red"}, ["colour", "red"]),
    ],
)
def test_a_faulty_fault_is_refused_by_field_and_value(
    server: SimulatorServer, control: SimulatorControl, body: dict[str, object], words: list[str]
) -> None:
    refused = requests.post(f"{server.url}/control/faults", json=body, timeout=5)
    assert refused.status_code == 422
    missing = [word for word in words if word not in refused.json()["message"]]
    assert not missing, refused.text
