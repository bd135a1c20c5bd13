"""`alchemiser demo`: nothing twice, a page at the end, and Ctrl-C at any moment."""

import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from support.command import COMMAND, alchemiser, environment


def test_the_demo_ends_in_a_table_and_a_page_and_orders_nothing_twice(tmp_path: Path) -> None:
    another = {"ALCHEMISER_BACKEND": "aws", "ALCHEMISER_BROKER__TRADING_URL": "http://127.0.0.1:9"}
    done = alchemiser(tmp_path, "demo", "--days", "1", "--page", "report.html", extra=another)
    assert done.code == 0, "it keeps to its own home, whatever the settings name: " + done.err
    counts = re.search(r"(\d+) order intents, (\d+) orders at the broker, 0\s+duplicates", done.out)
    assert counts is not None, done.out
    assert int(counts[1]) == int(counts[2]) > 0
    assert "model, not market data" in done.err
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "Duplicate orders" in page


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The equities after each session of a demo that nobody interrupts."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert alchemiser(folder, "demo", "--days", "3").code == 0
    return equities(folder)


HEEDING = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {COMMAND[2]}"
"""The command, also where the tests run in the background of a shell, which has its children ignore interrupts."""


def equities(folder: Path) -> list[str]:
    (home,) = folder.glob(".alchemiser/demo/*")
    return re.findall(r"\d+,\d+\.\d\d", alchemiser(folder, "runs", extra={"ALCHEMISER_HOME": str(home)}).out)


@pytest.mark.parametrize("sessions_before", [0, 2])
def test_an_interrupted_demo_goes_on_where_it_stopped(
    tmp_path: Path, undisturbed: list[str], sessions_before: int
) -> None:
    arguments = [sys.executable, "-c", HEEDING, "demo", "--days", "3"]
    process = subprocess.Popen(
        arguments,
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while (
        time.monotonic() < deadline
        and len(list(tmp_path.glob(".alchemiser/demo/*/archive/reports/*"))) <= sessions_before
    ):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors.decode()
    assert b"run the same command to go on" in errors

    finished = alchemiser(tmp_path, "demo", "--days", "3")
    assert finished.code == 0, finished.err
    assert "continuing the interrupted demo" in finished.err
    assert equities(tmp_path) == undisturbed, "the interrupted demo traded as the undisturbed one did"
    assert len(undisturbed) == 4


def test_a_stored_run_of_which_no_report_can_be_made_is_named(tmp_path: Path) -> None:
    """The demo goes on with what an interrupted one stored, whatever somebody has made of it meanwhile."""
    assert alchemiser(tmp_path, "demo", "--days", "1").code == 0
    (home,) = tmp_path.glob(".alchemiser/demo/*")
    (home / "finished").unlink()
    with closing(sqlite3.connect(home / "state.db")) as state, state:
        state.execute("UPDATE records SET body = json_set(body, '$.account_after.equity', '0') WHERE sort = 'REPORT'")
    result = alchemiser(tmp_path, "demo", "--days", "1")
    assert result.code == 2, result.err
    assert "session 2020-02-03: equity is 0.0, it must be finite and above 0" in result.err
    assert "Traceback" not in result.err
