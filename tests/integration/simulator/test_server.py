"""The server itself: settings, ports, starting and stopping, a clock that flows."""

from __future__ import annotations

import signal
import time
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
    PortInUseError,
    PriceHistory,
    SimulatorConfig,
    SimulatorServer,
    sample_history,
)
from integration.simulator.calls import config, get, process


def test_ctrl_c_ends_the_foreground_server_cleanly(tmp_path: Path) -> None:
    with process(tmp_path / "exchange.db") as (child, url):
        assert get(url, "/v2/clock").status_code == 200
        child.send_signal(signal.SIGINT)
        assert child.wait(5) == 0


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


def test_a_flowing_clock_moves_on_its_own() -> None:
    with SimulatorServer(config(clock=ClockMode.FLOWING, speed=3600.0)) as server:
        first = datetime.fromisoformat(get(server.url, "/v2/clock").json()["timestamp"])
        time.sleep(0.1)
        second = datetime.fromisoformat(get(server.url, "/v2/clock").json()["timestamp"])
        assert (second - first).total_seconds() > 300


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"start": datetime(2030, 1, 1, tzinfo=UTC)}, "outside the history"),
        ({"start": datetime(2020, 6, 1)}, "without a time zone"),  # noqa: DTZ001 - the mistake under test
        ({"multiplier": 3}, "multiplier is 3"),
        ({"cash": Decimal(-1)}, "cash is -1"),
        ({"speed": 0.0}, "speed is 0"),
        ({"history": PriceHistory((), ("SPY",), np.empty((0, 1)))}, "has no sessions"),
    ],
)
def test_settings_that_make_no_sense_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        SimulatorServer(SimulatorConfig(**({"history": sample_history()} | fields))).start()
