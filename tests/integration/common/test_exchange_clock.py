"""The exchange's time as a process's clock."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from alchemiser_common.clocks import open_clock
from alchemiser_common.embedded.exchange_clock import ExchangeClock
from alchemiser_common.errors import BrokerUnavailable, InvalidSettings
from alchemiser_common.ports.clock import SystemClock
from alchemiser_common.settings import Settings
from alchemiser_simulator import ClockMode, SimulatorConfig, SimulatorServer, sample_history

OPEN = datetime(2020, 6, 1, 15, tzinfo=UTC)


def exchange(mode: ClockMode, speed: float = 1.0) -> SimulatorServer:
    return SimulatorServer(SimulatorConfig(history=sample_history(), start=OPEN, clock=mode, speed=speed))


def test_it_tells_the_exchanges_time_and_waits_for_it() -> None:
    with exchange(ClockMode.FLOWING, 100.0) as server, server.control as control:
        clock = ExchangeClock(server.url)
        began, wall = clock.now(), time.monotonic()
        clock.sleep(20)
        passed = clock.now() - began
        assert passed >= timedelta(seconds=20)
        assert time.monotonic() - wall < 20, "the exchange's seconds are shorter than this machine's"
        control.advance(3600)
        assert clock.now() - began >= timedelta(hours=1)


def test_an_exchange_that_is_gone_is_unavailable() -> None:
    with exchange(ClockMode.FROZEN) as server:
        clock = ExchangeClock(server.url)
    with pytest.raises(BrokerUnavailable, match="does not tell the time"):
        clock.now()


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(InvalidSettings, match=r"broker\.trading_url"):
        ExchangeClock("localhost:8765")


@pytest.mark.parametrize(
    ("environment", "url", "kind"),
    [
        ("simulated", "http://127.0.0.1:9", ExchangeClock),
        ("simulated", None, SystemClock),
        ("paper", "http://127.0.0.1:9", SystemClock),
    ],
)
def test_a_process_works_by_the_exchanges_time_only_where_it_is_simulated(
    environment: str, url: str | None, kind: type[object]
) -> None:
    settings = Settings.model_validate({"environment": environment, "broker": {"trading_url": url}})
    assert isinstance(open_clock(settings), kind)
