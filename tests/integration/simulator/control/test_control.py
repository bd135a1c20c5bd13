"""The control API through its client: the truth behind the trading API, and what it refuses."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from alchemiser_common.embedded.exchange_clock import ExchangeClock
from alchemiser_simulator import (
    ClockMode,
    ControlError,
    SimulatorConfig,
    SimulatorControl,
    SimulatorServer,
    sample_history,
)
from alchemiser_simulator.control.models import AccountChange
from integration.simulator.calls import buy


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


def test_the_client_asks_the_simulator_itself_and_says_why_nobody_answers(
    server: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with server.control as control:
        assert control.clock().mode == "frozen", "a proxy of the environment was asked"
    with (
        SimulatorControl("http://127.0.0.1:9") as nobody,
        pytest.raises(
            ControlError, match=r"^no simulator answers at http://127\.0\.0\.1:9: \[Errno \d+\] [^\[]*refused$"
        ),
    ):
        nobody.clock()


def test_a_clock_that_passes_for_whoever_waits_goes_where_it_is_waited_for_and_nowhere_else() -> None:
    start = datetime(2020, 6, 3, 15, tzinfo=UTC)
    config = SimulatorConfig(history=sample_history(), start=start, clock=ClockMode.WAITED)
    with SimulatorServer(config) as server, server.control as control:
        clock = ExchangeClock(server.url)
        buy(server.url, "work")
        assert clock.now() - start == timedelta(milliseconds=1)
        began = time.monotonic()
        clock.sleep(600)
        assert time.monotonic() - began < 5
        assert control.clock().now - start == pytest.approx(timedelta(seconds=600.003), abs=timedelta(milliseconds=2))
