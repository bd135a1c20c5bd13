"""`alchemiser capture` on runs of the embedded exchange: what it writes, what it must not, and what it refuses."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alchemiser_cli.cases.files import read_case
from alchemiser_common import keys
from alchemiser_common.embedded.adapters import STATE_FILE
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ids import Pipeline, RunRef
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.state import ABSENT, put
from alchemiser_common.records.run import RunEntry, RunRecord
from support.command import Result, alchemiser

OWNER = "toms-ira"
SECRET = "very-hush-hush"
EXTRA = {
    "ALCHEMISER_ACCOUNT_ALIAS": OWNER,
    "ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"tecl":1.0}',
    "APCA_API_SECRET_KEY": SECRET,
}


def run(folder: Path, *arguments: str) -> Result:
    return alchemiser(folder, *arguments, extra=EXTRA)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that traded and one that was halted by a person."""
    folder = tmp_path_factory.mktemp("workspace")
    assert alchemiser(folder, "run", extra={**EXTRA, "ALCHEMISER_TRADING__CASH_RESERVE": "0.05"}).code == 0
    assert run(folder, "halt", "--who", "Tom Sawyer", "--reason", "Becky asked").code == 0
    assert run(folder, "run", "--next").code == 1
    return folder


def runs(home: Path) -> dict[str, str]:
    """Run ids by status."""
    return {item["status"]: item["run_id"] for item in json.loads(run(home, "runs", "--json").out)}


def test_a_captured_run_is_read_again_and_names_nobody(home: Path, tmp_path: Path) -> None:
    run_id = runs(home)["completed"]
    shown = json.loads(run(home, "show", run_id, "--json").out)
    account = shown["plan"]["account"]["account_id"]
    captured = run(home, "capture", run_id[:8], "--out", str(tmp_path / "case"), "--json")
    assert captured.code == 0, captured.err
    case = read_case(tmp_path / "case")
    assert json.loads(captured.out)["run_id"] == str(case.about.run_id)
    assert len(case.intents) == shown["orders_placed"] > 0
    assert case.broker is not None
    assert len(case.broker.booked) > 0
    assert str(case.about.settings.trading.cash_reserve) == "0.05", "as the run had it, not as it is set now"
    [item["client_order_id"] for item in shown["intents"]]
    texts = {file.name: file.read_text("utf-8") for file in (tmp_path / "case").iterdir()}
    assert len(texts) == 10, sorted(texts)
    for name, text in texts.items():
        for original in (
            OWNER,
            "toms",
            account,
            run_id,
            SECRET,
            *(item["client_order_id"] for item in shown["intents"]),
        ):
            assert original not in text, f"{original} in {name}"


def test_a_case_that_was_changed_is_not_read(home: Path, tmp_path: Path) -> None:
    assert run(home, "capture", runs(home)["completed"], "--out", str(tmp_path)).code == 0
    decision = tmp_path / "decision.json"
    decision.write_text(decision.read_text("utf-8").replace('"as_of": "2020-01-31"', '"as_of": "2020-01-30"'))
    with pytest.raises(InvalidSettings, match=r"JournalHead.decision_hash is .*, the content's hash is"):
        read_case(tmp_path)
    decision.write_text("{}")
    with pytest.raises(InvalidSettings, match=r"decision\.json: run_id: Field required"):
        read_case(tmp_path)
    with pytest.raises(InvalidSettings, match=r"is no captured case: it has no about\.json"):
        read_case(home)


def test_a_run_that_came_to_no_plan_is_a_case_of_what_it_came_to(home: Path, tmp_path: Path) -> None:
    captured = run(home, "capture", "--out", str(tmp_path / "case"))
    assert captured.code == 0, captured.err
    assert "Case of 7 files" in captured.out
    case = read_case(tmp_path / "case")
    assert (case.about.status, case.plan, case.intents) == ("halted", None, ())
    assert case.about.reason.startswith("TradingHalted: account captured is halted")
    texts = "".join(file.read_text("utf-8") for file in (tmp_path / "case").iterdir())
    assert not [word for word in ("Sawyer", "Becky", OWNER) if word in texts]


def test_what_cannot_be_captured_is_said(home: Path, tmp_path: Path) -> None:
    missing = run(home, "capture", "ffffffff", "--out", str(tmp_path / "case"))
    assert missing.code == 2
    assert "no run of account toms-ira has an id that begins with 'ffffffff'" in missing.err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note.txt").write_text("mine")
    full = run(home, "capture", "last", "--out", str(tmp_path / "mine"))
    assert full.code == 2
    assert "is not empty; name another with --out" in full.err


def test_a_run_of_which_nothing_was_kept_is_refused_with_where_it_stands(home: Path, tmp_path: Path) -> None:
    state = SqliteStateStore.existing(home / ".alchemiser" / STATE_FILE)
    begun = RunRef.of(OWNER, datetime(2020, 2, 5, 14, 45, tzinfo=UTC), Pipeline.MONOLITH)
    at = begun.scheduled_at
    record = RunRecord(**begun.fields(), scheduled_at=at, status=RunStatus.STARTED, updated_at=at)
    entry = RunEntry(run_id=begun.run_id, cycle_id=begun.cycle_id)
    listed = keys.run_entry(OWNER, at, Pipeline.MONOLITH)
    state.write(put(keys.data_record(begun.run_id), record, ABSENT), put(listed, entry, ABSENT))
    refused = run(home, "capture", str(begun.run_id), "--out", str(tmp_path / "case"))
    assert refused.code == 2
    assert f"nothing of run {begun.run_id} can be captured: it is started" in refused.err
    assert not (tmp_path / "case").exists()
