"""State that survives a stop and a killed process, and files that are not this exchange's."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from alchemiser_simulator import (
    PriceHistory,
    SimulatorConfig,
    SimulatorControl,
    SimulatorServer,
    StateError,
    sample_history,
)
from integration.simulator.calls import OPEN, buy, config, get, process


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


def test_a_file_from_before_there_were_activities_is_read_and_goes_on(tmp_path: Path) -> None:
    state = tmp_path / "exchange.db"
    with SimulatorServer(config(state=state)) as server:
        buy(server.url, "one", qty="3")
    with contextlib.closing(sqlite3.connect(state)) as database, database:
        database.execute("DROP TABLE entries")
        database.execute("UPDATE head SET body = CAST(json_remove(body, '$.opening') AS BLOB)")
        database.execute("UPDATE fills SET body = CAST(json_remove(body, '$.number') AS BLOB)")
    with SimulatorServer(config(state=state)) as server:
        buy(server.url, "two", qty="4")
    with SimulatorServer(config(state=state)) as server, server.control as control:
        assert [held.qty for held in control.state().holdings] == [Decimal(7)]
        fills = get(server.url, "/v2/account/activities/FILL", direction="asc").json()
        assert [fill["qty"] for fill in fills] == ["3", "4"]
