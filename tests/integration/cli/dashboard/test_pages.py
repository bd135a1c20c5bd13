"""The dashboard's pages over HTTP: what each shows of a home, an empty, an unreachable and a hostile one."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from alchemiser_cli.dashboard.source import HeldBeside
from alchemiser_cli.stored_runs import list_runs
from alchemiser_common.errors import StoreUnavailable
from support.command import alchemiser
from support.dashboards import Dashboard, dashboard
from support.hostile import plant
from support.traded_home import EXTRA, source, traded_home

PATHS = ("/", "/performance", "/runs", "/strategies", "/orders", "/parity", "/settings", "/audit")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return traded_home(tmp_path_factory.mktemp("workspace"))


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Dashboard]:
    with dashboard(source(home)) as running:
        yield running


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_today_shows_what_the_status_does(home: Path, served: Dashboard) -> None:
    page = words(served.get("/").text)
    status = alchemiser(home, "status", extra=EXTRA).out
    equity = re.search(r"equity\s+([\d,.]+) USD", status)
    assert equity is not None
    assert f"${equity[1]}" in page
    for stage in ("data", "strategy", "trading"):
        assert f"{stage} done" in page
    assert "Trading active" in page
    assert "Nothing can be changed here" in page


def test_today_warns_on_top_and_is_read_again_while_the_run_has_not_ended(home: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(home, tmp_path / "copy"))
    alchemiser(folder, "halt", "--reason", "odd prices", "--who", "ann", extra=EXTRA)
    with dashboard(source(folder)) as running:
        answer = running.get("/")
        assert answer.text.index("odd prices") < answer.text.index("Key figures")
        assert "refresh" not in answer.headers
        state = source(folder).open_state()
        last = list_runs(state, "demo", limit=1)[0]
        _unend(folder, last.run_id)
        answer = running.get("/")
        assert answer.headers["refresh"] == "5"
        assert "trading working" in words(answer.text)
        assert running.get(f"/runs/{last.run_id}").headers["refresh"] == "5"


def test_runs_are_found_by_words_and_status(served: Dashboard, home: Path) -> None:
    all_runs = list_runs(source(home).open_state(), "demo")
    assert served.get("/runs").text.count('href="/runs/') == len(all_runs)
    one = str(all_runs[1].run_id)
    assert served.get(f"/runs?q={one[:8]}").text.count('href="/runs/') == 1
    assert served.get("/runs?status=failed").text.count('href="/runs/') == 0
    assert served.get("/runs?q=tecl&status=completed").text.count('href="/runs/') >= 1
    assert served.get("/runs?before=2020-02-04").text.count('href="/runs/') == 1
    for odd in ("9999-99", "x", "%00", "2020-02", "-1-01"):
        assert served.get(f"/runs?before={odd}").status == 200


def test_a_run_shows_why_what_and_when(served: Dashboard, home: Path) -> None:
    run = list_runs(source(home).open_state(), "demo", limit=1)[0]
    page = words(served.get(f"/runs/{run.run_id}").text)
    assert run.report is not None
    for leg in run.report.legs:
        assert f"{leg.side.value} " in page
        assert leg.symbol in page
    for part in (
        "nuclear",
        "tecl",
        "current-price(SPY)",
        "Step",
        "trading: first order",
        "Equity after",
        "noted to be told at",
    ):
        assert part in page, part
    for nothing in ("/runs/x", f"/runs/{run.run_id}x", "/runs/00000000-0000-0000-0000-000000000000"):
        answer = served.get(nothing)
        assert (answer.status, "There is no such run" in answer.text) == (404, True)
    assert served.get("/moon").status == 404


def test_performance_is_what_the_command_says_for_the_same_days(home: Path, served: Dashboard) -> None:
    for query, options in (
        ("", ()),
        ("?from=2020-02-05", ("--from", "2020-02-05")),
        ("?to=2020-02-04", ("--to", "2020-02-04")),
    ):
        command = alchemiser(home, "performance", "--csv", *options, extra=EXTRA).out
        answer = served.get(f"/performance.csv{query}")
        assert (answer.text, answer.headers["content-type"][:8]) == (command, "text/csv")
        assert "attachment" in answer.headers["content-disposition"]
        told = json.loads(alchemiser(home, "performance", "--json", *options, extra=EXTRA).out)
        page = words(served.get(f"/performance{query}").text)
        assert f"${Decimal(told['profit']):,.2f}".replace("$-", "\N{MINUS SIGN}$") in page
        for each in told["by_strategy"]:
            assert each["strategy"] in page
    assert "a profit needs two" in words(served.get("/performance?from=2030-01-01").text)
    assert served.get("/performance?from=moon&to=%00").status == 200
    assert "A profit needs two" in served.get("/performance.csv?from=2030-01-01").text


def test_a_benchmark_stands_beside_the_account(home: Path) -> None:
    beside = HeldBeside("SPY", {date(2020, 2, 3): 100.0, date(2020, 2, 4): 101.0, date(2020, 2, 5): 110.0})
    with dashboard(replace(source(home), beside=beside)) as running:
        page = words(running.get("/performance").text)
        assert "SPY, held +10.00%" in page
    lacking = HeldBeside("SPY", {date(2020, 2, 3): 100.0})
    with dashboard(replace(source(home), beside=lacking)) as running:
        assert "No SPY beside it: the price data have no close of 2020-02-04" in words(running.get("/performance").text)


def test_strategies_show_what_each_wants_and_why(served: Dashboard) -> None:
    page = words(served.get("/strategies").text)
    assert re.search(r"nuclear 40\.0% [A-Z]+ ", page)
    assert "tecl 60.0%" in page
    one = words(served.get("/strategies?strategy=tecl").text)
    assert "tecl wants" in one
    assert "top 3" not in one, "only its reasons"
    assert served.get("/strategies?strategy=%3Cmoon%3E").status == 200


def test_orders_are_what_the_command_lists(home: Path, served: Dashboard) -> None:
    listed = json.loads(alchemiser(home, "executions", "--json", extra=EXTRA).out)
    page = served.get("/orders").text
    assert page.count('data-label="Slippage"') == len(listed)
    symbol = listed[0]["symbol"]
    only = sum(row["symbol"] == symbol for row in listed)
    assert served.get(f"/orders?symbol={symbol.lower()}").text.count('data-label="Slippage"') == only


def test_parity_shows_the_streak_and_each_verdict(tmp_path: Path) -> None:
    for arguments in ((), ("--next",)):
        ran = alchemiser(tmp_path, "run", "--shadow", "modular", *arguments, extra=EXTRA)
        assert ran.code == 0, ran.err
    verdicts = json.loads(alchemiser(tmp_path, "parity", "--json", extra=EXTRA).out)
    with dashboard(source(tmp_path)) as running:
        page = words(running.get("/parity").text)
        assert "Decided alike 2 days" in page
        assert "modular and monolith" in page
        for each in verdicts:
            assert f"{each['cycle_id']} {each['verdict']}" in page
        runs = list_runs(source(tmp_path).open_state(), "demo", limit=2)
        for run in runs:
            told = words(running.get(f"/runs/{run.run_id}").text)
            assert "identical" in told
            assert ("dry walk" in told) is (run.status == "shadowed")
        assert "decided alike 2 trading days" in words(running.get("/").text)


def test_settings_say_where_they_are_from_and_no_secret(home: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(home, tmp_path / "copy"))
    (folder / ".env").write_text("APCA_API_KEY_ID=PKAAAAAAAAAAAAAAAAAA\nAPCA_API_SECRET_KEY=verysecretverysecret\n")
    (folder / "alchemiser.toml").write_text("[trading]\ncash_reserve = 0.02\n")
    with dashboard(source(folder)) as running:
        page = running.get("/settings").text
    assert "verysecret" not in page
    assert "PKAAAA" not in page
    assert "set (hidden)" in page
    assert re.search(r"trading\.cash_reserve 0\.02 alchemiser\.toml", words(page))


def test_an_empty_home_says_so_on_every_page_and_nothing_is_made(tmp_path: Path) -> None:
    with dashboard(source(tmp_path)) as running:
        for path in (*PATHS, "/runs/00000000-0000-0000-0000-000000000000", "/performance.csv"):
            if path == "/settings":
                continue
            answer = running.get(path)
            assert answer.status == 200
            assert "There is nothing to show yet" in answer.text
            assert "nothing was ever run" in answer.text
        assert running.get("/settings").status == 200
    assert list(tmp_path.iterdir()) == []


def test_a_store_out_of_reach_or_damaged_is_a_page_and_comes_back(home: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(home, tmp_path / "copy"))
    file = folder / ".alchemiser" / "state.db"
    good = file.read_bytes()
    with dashboard(source(folder)) as running:
        file.write_bytes(b"not a database" * 1000)
        for path in (*(path for path in PATHS if path != "/settings"), "/performance.csv"):
            answer = running.get(path)
            assert answer.status >= 500, path
            assert "Traceback" not in answer.text
            assert "The records" in answer.text
        file.write_bytes(good)
        assert running.get("/").status == 200

    def unreachable() -> object:
        raise StoreUnavailable("table alchemiser-dev: no route to host")

    with dashboard(replace(source(folder), open_state=unreachable)) as running:  # type: ignore[arg-type]
        answer = running.get("/")
        assert (answer.status, answer.headers["refresh"]) == (503, "15")
        assert "no route to host" in answer.text


def test_a_bug_is_a_page_without_its_traceback(home: Path) -> None:
    def broken() -> object:
        raise ZeroDivisionError("of the inside")

    with dashboard(replace(source(home), open_state=broken)) as running:  # type: ignore[arg-type]
        answer = running.get("/")
    assert answer.status == 500
    assert "of the inside" not in answer.text


def test_hostile_texts_stay_texts(home: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(home, tmp_path / "copy"))
    state = source(folder).open_state()
    plant(state, "demo")
    run = list_runs(state, "demo", limit=1)[0]
    with dashboard(source(folder)) as running:
        for path in (*PATHS, f"/runs/{run.run_id}", "/runs?q=%3Cimg%20src%3Dx%3E%22%00", "/%3Cimg%20src=x%3E"):
            answer = running.get(path)
            assert answer.status in {200, 404}, path
            assert "<img" not in answer.text, path
            assert "<script>document" not in answer.text, path
            assert not set("\x1b\x00\u202e") & set(answer.text), path


def _unend(folder: Path, run: object) -> None:
    """The run as it stood before its report: its journal says that it buys."""
    import sqlite3

    with sqlite3.connect(folder / ".alchemiser" / "state.db") as store:
        store.execute("DELETE FROM records WHERE partition = ? AND sort = 'REPORT'", (f"RUN#{run}",))
        store.execute(
            "UPDATE records SET body = json_set(body, '$.phase', 'buying') WHERE partition = ? AND sort = 'JOURNAL'",
            (f"RUN#{run}",),
        )
    store.close()
