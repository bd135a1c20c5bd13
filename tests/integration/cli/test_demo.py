"""`alchemiser demo`: nothing twice, a page at the end, and Ctrl-C at any moment."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from alchemiser_cli.demo_beside import Decided, beside
from alchemiser_cli.report.facts import beside_notes, demo_facts
from alchemiser_cli.report.model import Delivery, DemoReport, SessionRow
from alchemiser_cli.research import Share
from alchemiser_common.settings import Settings
from alchemiser_simulator import sample_history
from alchemiser_strategy.user_strategies import strategy_of_file
from support.command import COMMAND, alchemiser, environment

MINUS = "\N{MINUS SIGN}"


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
    assert (tmp_path / "report.html").as_uri() in done.out.splitlines()[-1], "in a pipe the plain address"
    assert re.search("<h1>.*nuclear 30%.*</h1>", page), "its title names the strategies"
    days = json.loads(re.findall(r'id="figures">(.*?)</script>', page)[0])["days"]
    assert days == ["2020-01-31", "2020-02-03", "2020-02-04"], "it begins on a Friday, not on the Sunday before"
    runs = re.findall('href="#why-(.*?)"', page)
    assert len(runs) == 2
    for run in runs:
        reasons = page.split(f'id="why-{run}"')[1].split("</details>")[0]
        assert "rsi" in reasons
        assert all(name in reasons for name in ("nuclear", "tecl", "klm"))


def test_a_demo_and_the_backtest_of_its_days_agree_or_the_output_says_why_not(tmp_path: Path) -> None:
    """At the open itself only whole shares and the walk through the spread are left of the difference."""
    extra = {"ALCHEMISER_SCHEDULE__OFFSET_MINUTES": "0", "ALCHEMISER_TRADING__CASH_RESERVE": "0.05"}
    done = alchemiser(tmp_path, "demo", "--days", "3", "--page", "report.html", extra=extra)
    assert done.code == 0, done.err
    words = " ".join(done.out.split())
    assert "SPY, held" in words
    assert "decided alike in 4 of 4 sessions" in words
    assert "the demo trades whole shares, and no order that is too small" in words
    returns = [
        float(found.replace(MINUS, "-"))
        for found in re.findall(rf"(?:Return|Backtest beside) +([+{MINUS}]\d+\.\d+)%", done.out)
    ]
    assert len(returns) == 2
    assert returns[0] == pytest.approx(returns[1], abs=0.1), "percent"
    for kind in ("strategy", "symbol"):
        parts = re.findall(rf"([+{MINUS}]?\d+\.\d+)% +(?:{kind}|of all symbols) *$", done.out, re.MULTILINE)
        earned = sum(float(part.replace(MINUS, "-")) for part in parts)
        assert len(parts) > 2
        assert earned == pytest.approx(returns[0], abs=0.03), f"what came from each {kind}, rounded"
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for title in ("Beside a backtest of the same days", "Deepest falls", "Years", "What came from what"):
        assert title in page


def test_a_session_that_the_backtest_decides_otherwise_is_named(tmp_path: Path) -> None:
    (tmp_path / "half.clj").write_text('(defsymphony "half" {} (weight-equal [(asset "SPY" nil) (asset "TLT" nil)]))')
    share = Share(strategy_of_file(tmp_path / "half.clj"), 1.0)
    history = sample_history()
    days = history.dates[300:303]
    rows = tuple(SessionRow(day, 1000.0, 0.0, (), (), "completed", "run") for day in days)
    report = DemoReport("demo", "", "", rows, history.dates[299], 1000.0, (), Delivery(6, 3, 0, 0))
    half = {"SPY": 0.5, "TLT": 0.5}
    decided = [Decided(days[0], half), Decided(days[1], {"SPY": 0.5, "TLT": 0.4999}), Decided(days[2], None)]
    found = beside(report, decided, [share], history, Settings())
    assert found is not None
    assert found.decided_otherwise == days[1:]
    told = demo_facts(replace(report, beside=found))
    assert any("decided alike in 1 of 3 sessions" in fact.note for fact in told)
    assert str(days[2]) in beside_notes(replace(report, beside=found))[0]


@pytest.mark.parametrize(
    ("lacking", "beside_it"),
    [
        (slice(2, None), "Backtest beside"),
        (slice(2, 6), "no backtest stands beside the demo: QQQ is held on"),
    ],
    ids=["its bars end", "a gap too long to carry"],
)
def test_a_holding_that_loses_its_bars_costs_the_demo_no_page(tmp_path: Path, lacking: slice, beside_it: str) -> None:
    whole = sample_history()
    first = whole.dates.index(date(2020, 2, 19))
    missing = frozenset(range(first, first + 8)[lacking])
    rows = ["date,symbol,open,high,low,close"]
    for row in range(first - 320, first + 8):
        for symbol in ("SPY", "QQQ"):
            if symbol == "SPY" or row not in missing:
                close = whole.close[row, whole.positions[symbol]]
                rows.append(f"{whole.dates[row]},{symbol},{close},{close},{close},{close}")
    (tmp_path / "prices.csv").write_text("\n".join(rows))
    (tmp_path / "half.clj").write_text('(defsymphony "half" {} (weight-equal [(asset "SPY" nil) (asset "QQQ" nil)]))')
    extra = {"ALCHEMISER_STRATEGIES__FOLDER": ".", "ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"half": 1.0}'}
    ask = ("demo", "--data", "prices.csv", "--from", "2020-02-19", "--days", "6", "--page", "report.html")
    done = alchemiser(tmp_path, *ask, extra=extra)
    assert done.code == 1, "sessions without prices of a holding do not complete: " + done.err
    assert (tmp_path / "report.html").exists(), done.err
    assert beside_it in " ".join((done.out + done.err).split())


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
