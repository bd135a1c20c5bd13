"""The exchange in one process: the same answers as over HTTP, no waiting, and connections that break as exceptions."""

from __future__ import annotations

import json
import time

import pytest

from alchemiser_simulator import ConnectionDroppedError, InProcess, SimulatorServer, build
from alchemiser_simulator.control.faults import (
    Delay,
    Drip,
    DropConnection,
    Fault,
    LateArrival,
    TimeoutAfterAccept,
    When,
)
from integration.simulator.calls import HEADERS, buy, config, get

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
