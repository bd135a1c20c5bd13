"""Whose exchange the books are compared with: the one they were traded on, never one that the command begins."""

import io
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from alchemiser_cli.simulated import open_market
from alchemiser_common.decision_time import decision_time
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.settings import Settings
from alchemiser_simulator import SimulatorConfig, SimulatorControl, SimulatorServer
from alchemiser_trading.books.book_store import StoredBooks
from alchemiser_trading.books.books import total
from support.command import Result, alchemiser

TECL = {"ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"tecl":1.0}'}
DAY = date(2020, 2, 3)
GIVEN = ("SPY", Decimal(3))
"""Shares that no order bought."""


@contextmanager
def exchange(state: Path | None = None) -> Iterator[SimulatorServer]:
    """One that stands at a decision time, or goes on from its file."""
    market = open_market(None)
    due = decision_time(market.as_session(market.sessions_from(DAY, 1)[0]), Settings().schedule)
    with SimulatorServer(SimulatorConfig(history=market.history, start=due, state=state)) as server:
        yield server


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose home was traded on its own exchange."""
    folder = tmp_path_factory.mktemp("traded")
    done = alchemiser(folder, "run", extra=TECL)
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def home(traded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(traded, tmp_path / "copy"))


def books(folder: Path) -> dict[str, Decimal]:
    """Shares by symbol, as all books have them."""
    found = StoredBooks.load(SqliteStateStore(folder / ".alchemiser" / "state.db"), "demo").books.values()
    symbols = {symbol for book in found for symbol in book.symbols()}
    return {symbol: total(found, symbol) for symbol in symbols}


def repair(folder: Path, *more: str, **extra: str) -> Result:
    return alchemiser(folder, "reconcile", "--repair", "--reason", "a drill", *more, extra=TECL | extra)


def give(folder: Path) -> None:
    with exchange(folder / ".alchemiser" / "simulator.db") as server, server.control as control:
        control.set_holding(*GIVEN)


def test_books_are_compared_with_the_homes_own_exchange(home: Path) -> None:
    agreed = alchemiser(home, "reconcile", extra=TECL)
    assert (agreed.code, "the books agree" in agreed.out) == (0, True), agreed.err
    assert f"the simulated exchange of home {home / '.alchemiser'}, where it is 2020-02-03" in agreed.out
    give(home)
    differ = alchemiser(home, "reconcile", "--json", extra=TECL)
    answer = json.loads(differ.out)
    assert (differ.code, answer["repaired"]) == (1, False)
    assert answer["differences"] == [{"symbol": "SPY", "in_books": "0", "at_broker": "3"}]
    assert "no activity explains it" in answer["blocked"]["SPY"]


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_a_repair_shows_account_broker_and_both_sides_before_it_asks(
    home: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    give(home)
    before = books(home)
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    asked = repair(home)
    assert asked.code == 1
    lines = [line for line in asked.err.splitlines() if line.startswith(("account demo is", "  SPY", "make the"))]
    assert f"at the simulated exchange of home {home / '.alchemiser'}" in lines[0]
    assert lines[1] == "  SPY: 0 in the books, 3 at the broker"
    assert lines[2].startswith("make the books follow the broker?")
    assert books(home) == before, "it was not agreed to"


def test_a_repair_that_was_agreed_to_makes_the_books_follow(home: Path) -> None:
    give(home)
    before = books(home)
    done = repair(home, "--yes", "--json")
    assert (done.code, json.loads(done.out)["repaired"]) == (0, True), done.err
    assert books(home) == before | dict([GIVEN])
    assert alchemiser(home, "reconcile", extra=TECL).code == 0
    assert json.loads(repair(home, "--json").out)["repaired"] is False, "there is nothing to ask about"


@pytest.mark.parametrize("another", [False, True], ids=["it is gone", "another one lies in its place"])
def test_books_are_not_compared_with_an_exchange_that_never_had_the_account(home: Path, another: bool) -> None:
    """Otherwise it would have no shares, and a repair would empty the books."""
    own, before = home / ".alchemiser" / "simulator.db", books(home)
    own.unlink()
    if another:
        with exchange(own):
            pass
    for refused in (alchemiser(home, "reconcile", extra=TECL), repair(home, "--yes"), repair(home, "--yes", "--json")):
        assert refused.code == 2, refused.out
        assert "account demo was traded on another exchange" in refused.err
        assert "broker.trading_url" in refused.err
    run = alchemiser(home, "run", "--next", extra=TECL)
    assert (run.code, "was traded on another exchange" in run.err) == (2, True), "nor is it traded there"
    assert books(home) == before
    assert own.exists() is another


def test_run_and_reconcile_use_the_exchange_that_the_settings_name(tmp_path: Path) -> None:
    with exchange() as server, SimulatorControl(server.url) as control:
        named = TECL | {"ALCHEMISER_BROKER__TRADING_URL": server.url, "ALCHEMISER_BROKER__DATA_URL": server.url}
        ran = alchemiser(tmp_path, "run", "--json", extra=named)
        assert json.loads(ran.out)["status"] == "completed", ran.out + ran.err
        held = {item.symbol: item.qty for item in control.state().holdings}
        assert held == books(tmp_path), "it was this exchange that filled the orders"
        agreed = alchemiser(tmp_path, "reconcile", extra=named)
        assert (agreed.code, f"the simulated exchange at {server.url}" in agreed.out) == (0, True), agreed.err
        moved = alchemiser(tmp_path, "run", "--next", extra=named)
        assert (moved.code, "the home's own simulated exchange" in moved.err) == (2, True)
        account = {line["check"]: line for line in check(tmp_path, named)}["account"]
        assert account["verdict"] == "ok"
    assert not (tmp_path / ".alchemiser" / "simulator.db").exists()
    gone = alchemiser(tmp_path, "reconcile", extra=named)
    assert (gone.code, "no simulator answers" in gone.err) == (3, True)
    unnamed = repair(tmp_path, "--yes")
    assert (unnamed.code, "was traded on another exchange" in unnamed.err) == (2, True)
    assert books(tmp_path) == held


def test_where_no_exchange_was_begun_reconcile_begins_none(tmp_path: Path) -> None:
    live = {"ALCHEMISER_ENVIRONMENT": "live", "ALCHEMISER_ACCOUNT_ALIAS": "demo"}  # known before its first run
    assert alchemiser(tmp_path, "authority", "--set", "modular", "--reason", "begin", extra=live).code == 0
    refused = alchemiser(tmp_path, "reconcile")
    assert (refused.code, "no exchange was begun in home" in refused.err) == (2, True), refused.err
    assert not (tmp_path / ".alchemiser" / "simulator.db").exists()


def check(folder: Path, extra: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(alchemiser(folder, "doctor", "--json", extra=extra).out)
    return found


def test_a_simulated_account_on_aws_is_never_compared_with_an_exchange_of_the_commands_own(tmp_path: Path) -> None:
    stage = {"ALCHEMISER_BACKEND": "aws", "ALCHEMISER_AWS__TABLE": "alchemiser-dev", "AWS_ACCESS_KEY_ID": "local"}
    for arguments in (["reconcile"], ["run"]):
        refused = alchemiser(tmp_path, *arguments, extra=stage | {"AWS_SECRET_ACCESS_KEY": "local"})
        assert refused.code == 2, refused.out + refused.err
        assert "the account of table alchemiser-dev was traded on an exchange" in refused.err
    assert not (tmp_path / ".alchemiser" / "simulator.db").exists()
