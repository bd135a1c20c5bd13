"""A simulator's settings, and plain HTTP calls to one, for what the Alpaca clients do not show."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from alchemiser_simulator import SimulatorConfig, sample_history

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
