"""Halting, resuming, authority, books and executions from the command line."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alchemiser_common import keys
from alchemiser_common.account_binding import read_binding
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.ids import Pipeline, cycle_id, run_id
from alchemiser_common.ports.state import ABSENT, put
from alchemiser_common.records.parity import Cause, Difference, Parity, Verdict
from alchemiser_common.records.run import RunEntry
from support.command import alchemiser


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    first = alchemiser(folder, "run", "--json")
    assert first.code == 0, first.err
    return folder


def test_books_agree_and_executions_say_what_trading_cost(home: Path) -> None:
    answer = json.loads(alchemiser(home, "reconcile", "--json").out)
    assert (answer["differences"], answer["blocked"], answer["repaired"]) == ([], {}, False)
    legs = json.loads(alchemiser(home, "executions", "--json").out)
    assert {leg["side"] for leg in legs} == {"buy"}
    assert all(leg["slippage_bps"] is not None and leg["steps"] > 0 for leg in legs)
    assert "mean slippage" in alchemiser(home, "executions").out


def test_a_halted_account_trades_nothing_until_it_is_resumed(home: Path) -> None:
    assert "halted" in alchemiser(home, "halt", "--reason", "a drill", "--who", "tester").out
    stopped = alchemiser(home, "run", "--next", "--json")
    answer = json.loads(stopped.out)
    assert (stopped.code, answer["status"], answer["orders_placed_now"]) == (1, "halted", 0)
    assert "alchemiser resume" in answer["reason"]
    assert "active" in alchemiser(home, "resume", "--reason", "over", "--who", "tester").out
    going = json.loads(alchemiser(home, "run", "--next", "--json").out)
    assert going["status"] == "completed"
    changes = [(entry["who"], entry["what"]) for entry in json.loads(alchemiser(home, "audit", "--json").out)]
    assert ("tester", "trading: active to halted") in changes
    assert ("tester", "trading: halted to active") in changes


def test_a_reason_is_kept_and_shown_as_it_was_written(home: Path) -> None:
    shown = alchemiser(home, "reduce", "--reason", "see [/link] [bold]", "--who", "[/me]")
    assert (shown.code, "says [/me]: see [/link] [bold]" in shown.out) == (0, True), shown.err
    assert alchemiser(home, "resume", "--reason", "over").code == 0
    assert "see [/link] [bold]" in alchemiser(home, "audit").out


def test_authority_is_shown_and_changes_only_with_a_reason(home: Path) -> None:
    shown = json.loads(alchemiser(home, "authority", "--json").out)
    assert shown["authority"]["pipeline"] == "modular"
    assert alchemiser(home, "authority", "--set", "monolith").code == 2
    moved = alchemiser(home, "authority", "--set", "monolith", "--reason", "going back", "--json")
    assert json.loads(moved.out)["authority"]["epoch"] == shown["authority"]["epoch"] + 1
    refused = alchemiser(home, "run", "--next", "--json")
    assert "is traded by monolith" in json.loads(refused.out)["reason"]
    allowed = alchemiser(home, "run", "--next", "--pipeline", "monolith", "--json")
    assert json.loads(allowed.out)["status"] == "completed", allowed.err


def test_a_change_without_a_reason_is_refused(home: Path) -> None:
    assert alchemiser(home, "reconcile", "--repair").code == 2
    assert alchemiser(home, "halt", "--reason", " ").code == 2


def verdict_of(cycle: str, verdict: Verdict, at: datetime) -> Parity:
    differs = (Difference(where="tecl weight TQQQ", monolith="0.5", modular="0.25"),)
    return Parity(cycle_id=cycle, verdict=verdict, at=at, cause=Cause.DATA, differences=differs)


def test_the_pipelines_are_compared_cycle_by_cycle(home: Path, tmp_path: Path) -> None:
    nothing = alchemiser(home, "parity")
    assert (nothing.code, "run by both pipelines" in nothing.out) == (0, True)
    store = SqliteStateStore(tmp_path / ".alchemiser" / "state.db")
    for day, verdict in ((2, Verdict.IDENTICAL), (3, Verdict.DIFFERENT)):
        at = datetime(2026, 11, day, 14, 45, tzinfo=UTC)
        cycle = cycle_id("demo", at)
        run = run_id(cycle, Pipeline.MODULAR)
        store.write(
            put(keys.run_entry("demo", at, Pipeline.MODULAR), RunEntry(run_id=run, cycle_id=cycle), ABSENT),
            put(keys.parity_record(run), verdict_of(cycle, verdict, at), ABSENT),
        )
    shown = alchemiser(tmp_path, "parity", "--json")
    assert [(item["cycle_id"][:15], item["verdict"]) for item in json.loads(shown.out)] == [
        ("demo:2026-11-03", "different"),
        ("demo:2026-11-02", "identical"),
    ]
    assert shown.code == 1, "the newest comparison is for a person to look at"
    assert len(json.loads(alchemiser(tmp_path, "parity", "--last", "1", "--json").out)) == 1
    one = alchemiser(tmp_path, "parity", "--cycle", "demo:2026-11-03T14:45:00Z")
    assert (one.code, "is different, by data, judged 2026-11-03 14:45:00 UTC" in one.out) == (1, True), one.out
    (row,) = (line.split() for line in one.out.splitlines() if "tecl weight" in line)
    assert row == ["tecl", "weight", "TQQQ", "0.5", "0.25"]
    none = alchemiser(tmp_path, "parity", "--cycle", "demo:2026-11-04T14:45:00Z")
    assert (none.code, "has no verdict" in none.err) == (2, True)


def test_a_home_whose_alias_stands_for_another_account_trades_and_repairs_nothing(home: Path) -> None:
    store = SqliteStateStore(home / ".alchemiser" / "state.db")
    known = read_binding(store, "demo")
    assert known is not None, "its first run bound it"
    other = known.value.model_copy(update={"account_id": "the-account-before"})
    store.write(put(keys.account_binding("demo"), other, known.version))
    refused = alchemiser(home, "run", "--next", "--pipeline", "monolith", "--json")
    answer = json.loads(refused.out)
    assert (refused.code, answer["status"], answer["orders_placed_now"]) == (1, "failed", 0)
    repair = alchemiser(home, "reconcile", "--repair", "--reason", "a new key")
    assert repair.code == 1
    for said in (answer["reason"], repair.err):
        assert "the-account-before" in said
        assert known.value.account_id in said


def test_the_audit_of_a_simulated_account_has_the_exchanges_time_throughout(tmp_path: Path) -> None:
    assert alchemiser(tmp_path, "run").code == 0
    assert alchemiser(tmp_path, "halt", "--reason", "a drill").code == 0
    assert alchemiser(tmp_path, "resume", "--reason", "over").code == 0
    assert alchemiser(tmp_path, "run", "--next").code == 0
    assert alchemiser(tmp_path, "reduce", "--reason", "a drill").code == 0
    assert alchemiser(tmp_path, "resume", "--reason", "over").code == 0
    told = alchemiser(tmp_path, "audit", "--json")
    moments = [datetime.fromisoformat(entry["at"]) for entry in json.loads(told.out)]
    assert {moment.year for moment in moments} == {2020}, "no entry of this machine's clock among them"
    assert moments == sorted(moments)
    assert moments[-1].date() > moments[-3].date(), "and it goes on with the exchange"
    assert "times are the simulated exchange's" in told.err
