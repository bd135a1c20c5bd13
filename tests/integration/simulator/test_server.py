"""The server itself: ports, keys, rate limits, clock modes, control, and state that survives a killed process."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from alchemiser_simulator import (
    ClockMode,
    ConfigError,
    ControlError,
    PortInUseError,
    PriceHistory,
    SimulatorConfig,
    SimulatorControl,
    SimulatorServer,
    StateError,
    sample_history,
)
from alchemiser_simulator.control.models import AccountChange

OPEN = datetime(2020, 6, 1, 15, tzinfo=UTC)
HEADERS = {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}
SERVE = """
import sys
from datetime import datetime
from pathlib import Path
from alchemiser_simulator import SimulatorConfig, sample_history, serve
config = SimulatorConfig(history=sample_history(), start=datetime.fromisoformat(sys.argv[2]), state=Path(sys.argv[1]))
serve(config, port=0, ready=lambda url: print(url, flush=True))
"""


def config(**fields: Any) -> SimulatorConfig:
    return SimulatorConfig(history=sample_history(), start=OPEN, **fields)


def get(url: str, path: str, headers: dict[str, str] = HEADERS, **query: str) -> requests.Response:
    return requests.get(url + path, query, headers=headers, timeout=5)


def buy(url: str, name: str, qty: str = "1", price: str | None = None) -> requests.Response:
    body = {"symbol": "SPY", "qty": qty, "side": "buy", "time_in_force": "gtc", "client_order_id": name}
    body |= {"type": "market"} if price is None else {"type": "limit", "limit_price": price}
    return requests.post(f"{url}/v2/orders", json=body, headers=HEADERS, timeout=5)


@contextlib.contextmanager
def process(state: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A simulator in a process of its own."""
    child = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(state), OPEN.isoformat()], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        yield child, child.stdout.readline().strip()
    finally:
        child.kill()
        child.communicate()


def test_a_killed_process_has_lost_nothing_it_acknowledged(tmp_path: Path) -> None:
    state = tmp_path / "exchange.db"
    acknowledged: list[str] = []
    with process(state) as (child, url):
        with SimulatorControl(url) as control:
            control.advance(90)
        while len(acknowledged) < 40:
            name = f"order-{len(acknowledged)}"
            price = None if len(acknowledged) % 2 else "250.00"
            assert buy(url, name, price=price).status_code == 200
            acknowledged.append(name)
        before = get(url, "/v2/orders", status="all", limit="500").json()
        account, positions = get(url, "/v2/account").json(), get(url, "/v2/positions").json()
        os.kill(child.pid, signal.SIGKILL)
        child.wait(5)
    with process(state) as (_, url):
        with SimulatorControl(url) as control:
            assert control.clock().now == OPEN.replace(minute=1, second=30)
        assert get(url, "/v2/orders", status="all", limit="500").json() == before
        assert get(url, "/v2/account").json() == account
        assert get(url, "/v2/positions").json() == positions
        for name in acknowledged:
            refused = buy(url, name)
            assert (refused.status_code, refused.json()["message"]) == (422, "client_order_id must be unique")


def test_ctrl_c_ends_the_foreground_server_cleanly(tmp_path: Path) -> None:
    with process(tmp_path / "exchange.db") as (child, url):
        assert get(url, "/v2/clock").status_code == 200
        child.send_signal(signal.SIGINT)
        assert child.wait(5) == 0


def test_state_survives_a_stop_and_goes_when_reset(tmp_path: Path) -> None:
    settings = config(state=tmp_path / "exchange.db")
    with SimulatorServer(settings) as server:
        assert buy(server.url, "one", qty="3").status_code == 200
    with SimulatorServer(settings) as server, server.control as control:
        assert buy(server.url, "one").status_code == 422
        assert [held.qty for held in control.state().holdings] == [Decimal(3)]
        control.reset(cash=Decimal(500))
    with SimulatorServer(settings) as server, server.control as control:
        assert control.state().cash == Decimal(500)
        assert buy(server.url, "one", price="1.00").status_code == 200


def other_history() -> PriceHistory:
    sample = sample_history()
    return PriceHistory(sample.dates, ("SPY",), np.array(sample.close[:, :1]))


def test_a_state_file_of_other_prices_or_another_program_is_refused(tmp_path: Path) -> None:
    ours, theirs, noise = tmp_path / "ours.db", tmp_path / "theirs.db", tmp_path / "noise.db"
    with SimulatorServer(config(state=ours)):
        pass
    with pytest.raises(StateError, match=r"ours\.db: was made with other price data"):
        SimulatorServer(SimulatorConfig(history=other_history(), start=OPEN, state=ours)).start()
    with contextlib.closing(sqlite3.connect(theirs)) as database:
        database.execute("CREATE TABLE notes (text TEXT)")
    with pytest.raises(StateError, match="belongs to another program"):
        SimulatorServer(config(state=theirs)).start()
    noise.write_bytes(os.urandom(5000))
    with pytest.raises(StateError, match=r"noise\.db: not a simulator state file, or damaged"):
        SimulatorServer(config(state=noise)).start()
    with pytest.raises(StateError, match="cannot be opened"):
        SimulatorServer(config(state=tmp_path / "absent" / "x.db")).start()


def test_two_simulators_do_not_share_a_state_file(tmp_path: Path) -> None:
    settings = config(state=tmp_path / "exchange.db")
    with SimulatorServer(settings), pytest.raises(StateError, match="another simulator is using it"):
        SimulatorServer(settings).start()


def test_a_port_in_use_is_named_with_the_remedy() -> None:
    with SimulatorServer(config()) as server:
        port = int(server.url.rsplit(":", 1)[1])
        with pytest.raises(PortInUseError, match=rf"port {port} on 127\.0\.0\.1 is in use; .*choose another port"):
            SimulatorServer(config(), port=port).start()


def test_it_starts_and_stops_quickly() -> None:
    started = time.perf_counter()
    with SimulatorServer(config()) as server:
        assert get(server.url, "/v2/clock").status_code == 200
    assert time.perf_counter() - started < 5.0
    with pytest.raises(requests.ConnectionError):
        get(server.url, "/v2/clock")


def test_keys_are_asked_for_and_can_be_restricted() -> None:
    with SimulatorServer(config(api_keys=frozenset({"PK1"}))) as server:
        missing = get(server.url, "/v2/account", headers={})
        assert (missing.status_code, missing.json()["code"]) == (401, 40110000)
        assert get(server.url, "/v2/account").status_code == 403
        assert get(server.url, "/v2/account", headers=HEADERS | {"APCA-API-KEY-ID": "PK1"}).status_code == 200


def test_the_rate_limit_can_be_enforced() -> None:
    with SimulatorServer(config(rate_limit=5, enforce_rate_limit=True)) as server, server.control as control:
        codes = [get(server.url, "/v2/clock").status_code for _ in range(12)]
        assert codes == [200] * 5 + [429] * 7
        control.advance(60)
        assert get(server.url, "/v2/clock").status_code == 200, "a minute of the exchange's clock later"


def test_a_flowing_clock_moves_on_its_own() -> None:
    with SimulatorServer(config(clock=ClockMode.FLOWING, speed=3600.0)) as server:
        first = datetime.fromisoformat(get(server.url, "/v2/clock").json()["timestamp"])
        time.sleep(0.1)
        second = datetime.fromisoformat(get(server.url, "/v2/clock").json()["timestamp"])
        assert (second - first).total_seconds() > 300


def test_of_many_orders_with_one_id_at_once_one_is_accepted(server: SimulatorServer, control: SimulatorControl) -> None:
    with ThreadPoolExecutor(8) as threads:
        codes = sorted(threads.map(lambda _: buy(server.url, "same").status_code, range(24)))
    assert codes == [200] + [422] * 23
    assert [held.qty for held in control.state().holdings] == [Decimal(1)]


def test_an_unknown_endpoint_is_named(server: SimulatorServer) -> None:
    answer = get(server.url, "/v2/watchlists")
    assert answer.status_code == 404
    assert answer.json()["message"] == "the simulator has no endpoint GET /v2/watchlists"


def test_bodies_that_do_not_fit_are_refused_by_field_and_value(server: SimulatorServer) -> None:
    def answer(body: str | bytes) -> tuple[int, str]:
        got = requests.post(f"{server.url}/v2/orders", data=body, headers=HEADERS, timeout=5)
        return got.status_code, got.json()["message"]

    assert answer("{")[0] == 422
    assert "not JSON" in answer("{")[1]
    assert answer('{"symbol": "SPY"}') == (422, "side is required")
    broken = '{"symbol":"SPY","side":"buy","type":"market","time_in_force":"day","qty":"many"}'
    assert answer(broken)[1].startswith("invalid qty 'many'")
    for wrong in ("NaN", "Infinity", '"nan"'):
        assert answer(broken.replace('"many"', wrong))[0] == 422
    assert "not offered" in answer(broken.replace("market", "trailing_stop"))[1]


def test_the_control_api_shows_the_truth_and_refuses_nonsense(
    control: SimulatorControl, server: SimulatorServer
) -> None:
    control.set_holding("TLT", Decimal("1.5"), Decimal(100))
    control.set_account(AccountChange(trading_blocked=True))
    assert buy(server.url, "blocked").status_code == 403
    state = control.state()
    assert [(held.symbol, held.qty, held.cost) for held in state.holdings] == [("TLT", Decimal("1.5"), Decimal(150))]
    assert state.requests["POST /v2/orders"] == 1
    assert state.source == "bundled sample market"
    assert state.derived == ""
    with pytest.raises(ControlError, match="backwards only by a reset"):
        control.set_now(datetime(2020, 1, 2, tzinfo=UTC))
    with pytest.raises(ControlError, match="give either now or advance"):
        control._ask("POST", "/control/clock")
    with pytest.raises(ControlError, match="asset not found for NOPE"):
        control.set_holding("NOPE", Decimal(1))
    with pytest.raises(ControlError, match="no fault has number 99"):
        control.remove_fault(99)
    with pytest.raises(ControlError, match=r"start 1990-01-01 .* lies outside the history"):
        control.reset(start=datetime(1990, 1, 1, tzinfo=UTC))
    assert control.state().holdings == state.holdings, "a refused reset has reset"
    with SimulatorControl("http://127.0.0.1:9") as nobody, pytest.raises(ControlError, match="no simulator answers"):
        nobody.clock()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"start": datetime(2030, 1, 1, tzinfo=UTC)}, "outside the history"),
        ({"start": datetime(2020, 6, 1)}, "without a time zone"),  # noqa: DTZ001 - the mistake under test
        ({"multiplier": 3}, "multiplier is 3"),
        ({"cash": Decimal(-1)}, "cash is -1"),
        ({"speed": 0.0}, "speed is 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        SimulatorServer(SimulatorConfig(**({"history": sample_history()} | fields))).start()
