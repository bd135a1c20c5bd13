"""A simulator over HTTP and the real, unmodified Alpaca clients that talk to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.trading.client import TradingClient

from alchemiser_simulator import SimulatorConfig, SimulatorControl, SimulatorServer, sample_history

OPEN = datetime(2020, 6, 1, 15, tzinfo=UTC)  # Monday, 11:00 in New York


@pytest.fixture(scope="session")
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(SimulatorConfig(history=sample_history(), start=OPEN)) as running:
        yield running


@pytest.fixture
def control(server: SimulatorServer) -> Iterator[SimulatorControl]:
    """The control API of a simulator that starts afresh."""
    with server.control as client:
        client.reset()
        yield client


@pytest.fixture
def trading(server: SimulatorServer, control: SimulatorControl) -> Iterator[TradingClient]:
    client = TradingClient("PKTEST", "secret", url_override=server.url)
    client._retry = 0
    yield client
    client._session.close()


@pytest.fixture
def data(server: SimulatorServer, control: SimulatorControl) -> Iterator[StockHistoricalDataClient]:
    client = StockHistoricalDataClient("PKTEST", "secret", url_override=server.url)
    client._retry = 0
    yield client
    client._session.close()
