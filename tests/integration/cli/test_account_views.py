"""`alchemiser status`, `books` and `performance`: one account, the same figures wherever they are shown."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from support.command import alchemiser

EXTRA = {"ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"tecl": 0.6, "nuclear": 0.4}'}


def ask(home: Path, *arguments: str) -> str:
    result = alchemiser(home, *arguments, extra=EXTRA)
    assert result.code == 0, result.err
    return result.out


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which three sessions were traded."""
    folder = tmp_path_factory.mktemp("workspace")
    for arguments in ((), ("--next",), ("--next",)):
        ran = json.loads(ask(folder, "run", *arguments, "--json"))
        assert ran["status"] == "completed", ran
    return folder


def test_the_status_is_the_last_reports_and_the_brokers(home: Path) -> None:
    told = json.loads(ask(home, "status", "--live", "--json"))
    last = json.loads(ask(home, "show", "--json"))
    after = last["report"]["account_after"]
    assert (told["equity"], told["cash"]) == (after["equity"], after["cash"])
    assert (told["last_run"]["run_id"], told["trading"], told["authority"]["pipeline"]) == (
        last["run_id"],
        "active",
        "modular",
    )
    held = {item["symbol"]: item for item in told["holdings"]}
    assert {symbol: item["weight"] for symbol, item in held.items()} == {
        item["symbol"]: item["actual"] for item in last["report"]["residuals"] if item["actual"] or item["target"]
    }
    assert (told["warnings"], told["unfinished"], told["now"]["differs_from_books"]) == ([], [], [])
    assert told["now"]["equity"] == told["equity"], "the exchange's time stands still"
    assert {item["symbol"]: Decimal(item["shares"]) for item in told["now"]["holdings"]} == {
        symbol: Decimal(item["shares"]) for symbol, item in held.items()
    }
    assert told["now"]["next_decision"] > told["now"]["at"]
    shown = ask(home, "status", "--live")
    for words in ("account", "equity", "since start", "authority", "next decision", *held):
        assert words in shown


def test_a_switch_is_on_top_with_who_and_why(home: Path) -> None:
    ask(home, "halt", "--reason", "odd prices", "--who", "ann")
    try:
        first, *_ = ask(home, "status").splitlines()
        assert first.startswith("! trading is halted since ")
        assert first.endswith("by ann: odd prices")
    finally:
        ask(home, "resume", "--reason", "looked", "--who", "ann")
    told = json.loads(ask(home, "status", "--json"))
    assert (told["warnings"], told["switch"]["reason"], told["now"]) == ([], "looked", None)


def test_the_books_add_up_to_what_the_status_shows(home: Path) -> None:
    told = json.loads(ask(home, "books", "--json"))
    shares: dict[str, Decimal] = {}
    for book in told["books"]:
        for lot in book["lots"]:
            shares[lot["symbol"]] = shares.get(lot["symbol"], Decimal(0)) + Decimal(lot["quantity"])
        assert Decimal(book["cost"]) == sum(Decimal(lot["cost"]) for lot in book["lots"])
        assert Decimal(book["unrealised"]) == Decimal(book["value"]) - Decimal(book["cost"])
    status = json.loads(ask(home, "status", "--json"))
    assert shares == {item["symbol"]: Decimal(item["shares"]) for item in status["holdings"] if item["shares"] != "0"}
    one = json.loads(ask(home, "books", "--strategy", "tecl", "--json"))
    assert [book["strategy"] for book in one["books"]] == ["tecl"]
    assert "first in, first out" in ask(home, "books")
    unknown = alchemiser(home, "books", "--strategy", "klm", extra=EXTRA)
    assert (unknown.code, "it has nuclear, tecl" in unknown.err) == (2, True)


def test_the_parts_of_a_profit_add_up_to_it(home: Path) -> None:
    told = json.loads(ask(home, "performance", "--by", "symbol", "--benchmark", "spy", "--json"))
    status = json.loads(ask(home, "status", "--json"))
    assert Decimal(told["profit"]) == Decimal(status["equity"]) - 100_000
    assert told["profit"] == status["profit"]["since_start"]["profit"]
    booked = sum(Decimal(item["profit"]) for item in told["by_strategy"])
    assert booked + Decimal(told["in_no_book"]) == Decimal(told["profit"])
    assert abs(Decimal(told["in_no_book"])) < Decimal("0.01")
    assert sum(Decimal(item["profit"]) for item in told["by_month"]) == Decimal(told["profit"])
    assert told["by_symbol"]
    assert not any(item["untold"] for item in told["by_symbol"])
    assert told["benchmark"]["symbol"] == "SPY"
    for by in ("strategy", "symbol", "month"):
        assert f"{Decimal(told['profit']):+,.2f}" in ask(home, "performance", "--by", by)


def test_sessions_as_csv_and_a_span_that_has_none(home: Path) -> None:
    rows = list(csv.DictReader(ask(home, "performance", "--csv").splitlines()))
    assert [row["moment"] for row in rows] == ["before", "after", "after", "after"]
    assert (rows[0]["equity"], rows[0]["growth"]) == ("100000", "1.0000000000")
    later = json.loads(ask(home, "performance", "--from", rows[2]["session"], "--json"))
    assert (later["since"], later["until"]) == (rows[1]["session"], rows[3]["session"])
    assert Decimal(later["profit"]) == Decimal(rows[3]["equity"]) - Decimal(rows[1]["equity"])
    none = alchemiser(home, "performance", "--to", "1999-01-01", extra=EXTRA)
    assert (none.code, "has 0 sessions on record between its first and 1999-01-01" in none.err) == (2, True)
    lacks = alchemiser(home, "performance", "--benchmark", "NONE1", extra=EXTRA)
    assert (lacks.code, "NONE1" in lacks.err) == (2, True)


@pytest.mark.parametrize("asked", ["status", "books", "performance"])
def test_where_nothing_ran_nothing_is_made(asked: str, tmp_path: Path) -> None:
    result = alchemiser(tmp_path, asked, extra=EXTRA)
    assert (result.code, "nothing was ever run in home" in result.err) == (2, True)
    assert list(tmp_path.iterdir()) == []
