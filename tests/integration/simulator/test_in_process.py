"""The exchange in one process: the same answers as over HTTP, no waiting, and connections that break as exceptions."""

from __future__ import annotations

import json
import time
from datetime import datetime

import pytest

from alchemiser_simulator import ClockMode, ConnectionDroppedError, InProcess, SimulatorServer, build
from alchemiser_simulator.control.faults import (
    Delay,
    Drip,
    DropConnection,
    Fault,
    LateArrival,
    RateLimited,
    TimeoutAfterAccept,
    When,
)
from integration.simulator.calls import HEADERS, OPEN, buy, config, get

POST = When(method="POST")
BODY = {"symbol": "SPY", "qty": "2", "side": "buy", "type": "market", "time_in_force": "day", "client_order_id": "one"}


def post(exchange: InProcess) -> int:
    return exchange.ask("POST", "/v2/orders", HEADERS, json.dumps(BODY).encode()).status


def known(exchange: InProcess) -> bool:
    return exchange.ask("GET", "/v2/orders:by_client_order_id?client_order_id=one", HEADERS).status == 200


def test_it_answers_as_over_http() -> None:
    exchange = build(config())
    with SimulatorServer(config()) as server:
        buy(server.url, "one", qty="2")
        assert post(exchange) == 200
        for path in (
            "/v2/account",
            "/v2/positions",
            "/v2/clock",
            "/v2/stocks/snapshots?symbols=SPY,TLT",
            "/v2/nothing",
        ):
            here, there = exchange.ask("GET", path, HEADERS), get(server.url, path)
            assert (here.status, here.body) == (there.status_code, there.content), path
            assert here.headers.get("x-ratelimit-limit") == there.headers.get("x-ratelimit-limit")
    assert exchange.ask("POST", "/control/clock", body=b'{"advance": 60}').status == 200
    assert exchange.venue.exchange.now.minute == 1
    exchange.close()


@pytest.mark.parametrize(
    ("fault", "waited", "accepted"),
    [
        (DropConnection(match=POST), 0, False),
        (TimeoutAfterAccept(match=POST, hold_seconds=9), 9, True),
        (LateArrival(match=POST, seconds=6, hold_seconds=3), 3, False),
        (Drip(match=POST, interval=0.5, cut_after=4), 2, True),
    ],
    ids=lambda value: value.kind if hasattr(value, "kind") else None,
)
def test_a_broken_connection_is_an_exception(fault: Fault, waited: float, *, accepted: bool) -> None:
    exchange = build(config())
    exchange.faults.add(fault)
    started = time.perf_counter()
    with pytest.raises(ConnectionDroppedError) as dropped:
        post(exchange)
    assert dropped.value.waited == waited
    assert time.perf_counter() - started < 2
    assert known(exchange) is accepted
    exchange.ask("POST", "/control/clock", body=b'{"advance": 6}')
    assert known(exchange) is (accepted or isinstance(fault, LateArrival))


def test_waiting_is_counted_and_an_endless_answer_ends() -> None:
    exchange = build(config())
    exchange.faults.add(Delay(seconds=12, count=1))
    assert exchange.ask("GET", "/v2/clock", HEADERS).waited == 12
    exchange.faults.add(Drip(interval=0.25, piece=100, padding=10**10, count=1))
    endless = exchange.ask("GET", "/v2/clock", HEADERS, most=10_000)
    assert not endless.whole
    assert 24 < endless.waited < 26
    assert exchange.ask("GET", "/v2/clock", HEADERS).waited == 0


def test_a_rule_reads_a_flowing_clock_as_it_is_and_not_as_the_last_request_left_it() -> None:
    exchange = build(config(clock=ClockMode.FLOWING, speed=100.0))
    exchange.faults.add(RateLimited(reset_seconds=7, count=1))
    time.sleep(0.05)
    limited = exchange.ask("GET", "/v2/clock", HEADERS)
    assert int(limited.headers["x-ratelimit-reset"]) >= OPEN.timestamp() + 5 + 7
    idle = exchange.venue.exchange.now
    exchange.faults.add(LateArrival(match=POST, seconds=3600))
    time.sleep(0.05)
    with pytest.raises(ConnectionDroppedError):
        post(exchange)
    exchange.ask("POST", "/control/clock", body=b'{"advance": 7200}')
    order = exchange.ask("GET", "/v2/orders:by_client_order_id?client_order_id=one", HEADERS)
    held = datetime.fromisoformat(json.loads(order.body)["created_at"]) - idle
    assert held.total_seconds() >= 5 + 3600


def test_a_spent_budget_comes_back_though_nothing_but_refused_requests_reach_a_flowing_clock() -> None:
    exchange = build(config(clock=ClockMode.FLOWING, speed=600.0, rate_limit=1, enforce_rate_limit=True))
    assert 429 in [exchange.ask("GET", "/v2/clock", HEADERS).status for _ in range(20)]
    time.sleep(0.11)
    assert exchange.ask("GET", "/v2/clock", HEADERS).status == 200
