"""`alchemiser serve`: days at home, a process that is killed, a decision time that was missed."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from alchemiser_cli.simulated import open_market
from alchemiser_simulator import SimulatorConfig, SimulatorControl, SimulatorServer
from support.command import COMMAND, alchemiser, environment
from support.dashboards import entered

EXTRA = {"ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"tecl": 0.6, "nuclear": 0.4}'}


def told(file: Path) -> list[str]:
    """The first lines of the messages."""
    return [part.splitlines()[0] for part in file.read_text().split("\n\n") if part] if file.exists() else []


def test_each_session_is_run_at_its_time_and_told_of_once(tmp_path: Path) -> None:
    log = tmp_path / "told.txt"
    extra = EXTRA | {"APPRISE_URLS": f"file://{log}"}
    served = alchemiser(tmp_path, "serve", "--sessions", "2", extra=extra)
    assert served.code == 0, served.err
    assert "told of its runs: 1 (file)" in served.err
    runs = json.loads(alchemiser(tmp_path, "runs", "--json", extra=EXTRA).out)
    assert [run["status"] for run in runs] == ["completed"] * 2
    assert len({run["cycle_id"][:15] for run in runs}) == 2
    assert all(run["cycle_id"].endswith("14:45:00Z") for run in runs)
    assert [line.partition(",")[0] for line in told(log)] == ["demo (simulated): completed"] * 2
    again = alchemiser(tmp_path, "serve", "--sessions", "1", extra=extra)
    assert again.code == 0, again.err
    assert len(told(log)) == 2, "the last session had ended and was told of"


@pytest.fixture
def exchange() -> Iterator[tuple[SimulatorServer, SimulatorControl]]:
    """A simulated exchange of its own process, as a paper account is: its clock stands at a session's open."""
    market = open_market(None)
    start = market.sessions_from(market.default_start, 1)[0].opens
    config = SimulatorConfig(history=market.history, start=start)
    with SimulatorServer(config) as server, SimulatorControl(server.url) as control:
        yield server, control


def named(server: SimulatorServer, log: Path) -> dict[str, str]:
    url = {"ALCHEMISER_BROKER__TRADING_URL": server.url, "ALCHEMISER_BROKER__DATA_URL": server.url}
    return EXTRA | url | {"APPRISE_URLS": f"file://{log}"}


def test_a_process_that_is_killed_in_the_middle_is_started_again_and_nothing_is_done_twice(
    tmp_path: Path, exchange: tuple[SimulatorServer, SimulatorControl]
) -> None:
    server, control = exchange
    log = tmp_path / "told.txt"
    extra = named(server, log)
    first = subprocess.Popen(
        [*COMMAND, "serve", "--sessions", "1"],
        cwd=tmp_path,
        env=environment(extra),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    until = time.monotonic() + 60
    while len(control.state().orders) < 2:
        assert first.poll() is None, first.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.005)
    first.send_signal(signal.SIGKILL)
    first.wait()
    first.communicate()
    assert told(log) == []
    served = alchemiser(tmp_path, "serve", "--sessions", "1", extra=extra)
    assert served.code == 0, served.err
    (run,) = json.loads(alchemiser(tmp_path, "runs", "--json", extra=extra).out)
    assert run["status"] == "completed", run["reason"]
    shown = json.loads(alchemiser(tmp_path, "show", "--json", extra=extra).out)
    filled = {leg["symbol"]: float(leg["filled"]) for leg in shown["report"]["legs"] if leg["side"] == "buy"}
    held = {item.symbol: float(item.qty) for item in control.state().holdings}
    assert held == filled
    # The lease had to run out first: prices went on, and the last buys may be cut to what cash is left.
    assert {leg["cause"] for leg in shown["report"]["legs"]} <= {None, "cash_short"}
    assert all(float(leg["filled"]) <= float(leg["intended"]) for leg in shown["report"]["legs"])
    assert [line.partition(",")[0] for line in told(log)] == ["demo (simulated): completed"]


def test_a_decision_time_that_was_missed_is_told_of_and_not_caught_up(
    tmp_path: Path, exchange: tuple[SimulatorServer, SimulatorControl]
) -> None:
    server, control = exchange
    log = tmp_path / "told.txt"
    extra = named(server, log)
    control.advance(timedelta(minutes=15 + 31))
    late = alchemiser(tmp_path, "serve", "--sessions", "1", extra=extra)
    assert "today's decision time has passed; the first cycle is the next session's" in late.out, late.err
    assert (told(log), control.state().orders) == ([], []), "in a new home nobody waits for it"
    control.advance(timedelta(hours=23, minutes=25))
    assert alchemiser(tmp_path, "serve", "--sessions", "1", extra=extra).code == 0
    orders = len(control.state().orders)
    control.advance(timedelta(days=1, minutes=31))
    for _ in range(2):
        served = alchemiser(tmp_path, "serve", "--sessions", "1", extra=extra)
        assert served.code == 0, served.err
    assert len(control.state().orders) == orders
    assert [line.partition(",")[0] for line in told(log)] == ["demo (simulated): completed", "demo (simulated): missed"]


def test_the_dashboard_is_served_beside_it(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "serve", "--sessions", "50", "--dashboard", "--port", "0"],
        cwd=tmp_path,
        env=environment(EXTRA),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        page_of_today = entered(process)
        until, page = time.monotonic() + 60, b""
        while b"completed" not in page:
            assert time.monotonic() < until, page
            assert process.poll() is None
            page = page_of_today()
    finally:
        process.kill()
        process.communicate()


def test_the_unit_serves_this_folder_with_the_same_options(tmp_path: Path) -> None:
    unit = alchemiser(tmp_path, "serve", "--paper", "--dashboard", "--port", "9001", "--print-systemd")
    assert unit.code == 0, unit.err
    assert f"WorkingDirectory={tmp_path}" in unit.out
    assert "Alchemiser: paper account paper" in unit.out
    (start,) = [line for line in unit.out.splitlines() if line.startswith("ExecStart=")]
    assert start.endswith("/alchemiser serve --paper --dashboard --port 9001")
    assert not list(tmp_path.iterdir())
    plain = alchemiser(tmp_path, "serve", "--print-systemd")
    assert "/alchemiser serve\n" in plain.out
