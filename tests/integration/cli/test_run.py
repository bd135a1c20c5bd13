"""`alchemiser run`, `runs` and `show` on the embedded exchange, as a user meets them."""

import json
from pathlib import Path

import pytest

from support.command import alchemiser


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the first cycle has been run."""
    folder = tmp_path_factory.mktemp("workspace")
    first = alchemiser(folder, "run", "--json")
    assert first.code == 0, first.err
    answer = json.loads(first.out)
    assert answer["status"] == "completed"
    assert answer["orders_placed_now"] > 0
    return folder


def test_the_same_cycle_again_places_nothing_and_says_why(home: Path) -> None:
    again = alchemiser(home, "run")
    assert again.code == 0, again.err
    assert "0 orders placed now" in again.out
    assert "was already run" in again.out
    assert json.loads(alchemiser(home, "run", "--json").out)["orders_placed_now"] == 0


def test_the_other_pipeline_may_not_trade_the_account(home: Path) -> None:
    other = alchemiser(home, "run", "--pipeline", "monolith", "--json")
    assert other.code == 1
    answer = json.loads(other.out)
    assert answer["orders_placed_now"] == 0
    assert "is traded by modular" in answer["reason"]


def test_runs_lists_and_show_tells_the_whole_story(home: Path) -> None:
    listed = json.loads(alchemiser(home, "runs", "--json").out)
    modular = next(run for run in listed if run["pipeline"] == "modular")
    shown = alchemiser(home, "show", modular["run_id"][:8])
    assert shown.code == 0, shown.err
    for words in ("tecl (50%, target)", "rsi-zero-seed(TQQQ, 10) > 79", "asked for by", "buy", "filled", "trading"):
        assert words in shown.out
    detail = json.loads(alchemiser(home, "show", modular["run_id"], "--json").out)
    assert len(detail["intents"]) == detail["orders_placed"] > 0
    assert {stage["stage"] for stage in detail["report"]["trace"]} == {"data", "strategy", "trading"}


def test_every_log_line_of_a_run_carries_its_run_id(home: Path) -> None:
    lines = [json.loads(line) for line in (home / ".alchemiser" / "log.jsonl").read_text().splitlines()]
    ours = [line for line in lines if line["location"] and "run_id" in line]
    assert {line["message"] for line in ours} >= {"snapshot ready", "decision ready"}
    outside = [line for line in lines if "run_id" not in line]
    assert outside == [], "nothing that a command logs while it runs a cycle is without its run"


def test_an_unknown_run_is_named(home: Path) -> None:
    missing = alchemiser(home, "show", "ffffffff")
    assert missing.code == 2
    assert "'ffffffff'" in missing.err


def test_the_simulated_clock_goes_to_sessions_only_and_never_back(home: Path) -> None:
    weekend = alchemiser(home, "run", "--date", "2020-02-08")
    assert weekend.code == 2
    assert "not a session of the data; the next one is 2020-02-10" in weekend.err
    back = alchemiser(home, "run", "--date", "2020-01-02")
    assert back.code == 2
    assert "does not go back" in back.err


@pytest.mark.parametrize(
    ("extra", "arguments", "code", "words"),
    [
        ({}, ["run", "--paper"], 2, "APCA_API_KEY_ID is not set"),
        ({"APCA_API_KEY_ID": "PKABCDEF"}, ["run", "--paper"], 2, "APCA_API_SECRET_KEY is not set"),
        (
            {"APCA_API_KEY_ID": "AKABCDEF", "APCA_API_SECRET_KEY": "hush-hush"},
            ["run", "--paper"],
            2,
            "the broker key is a live key",
        ),
        ({"ALCHEMISER_ENVIRONMENT": "live"}, ["run"], 2, "live.armed is false"),
        (
            {"ALCHEMISER_ENVIRONMENT": "live", "ALCHEMISER_LIVE__ARMED": "true"},
            ["run"],
            2,
            "live.account_id names no account",
        ),
        (
            {
                "ALCHEMISER_ENVIRONMENT": "live",
                "ALCHEMISER_LIVE__ARMED": "true",
                "ALCHEMISER_LIVE__ACCOUNT_ID": "1234",
                "APCA_API_KEY_ID": "PKABCDEF",
                "APCA_API_SECRET_KEY": "hush-hush",
            },
            ["run"],
            2,
            "not known to be a live key",
        ),
        ({"ALCHEMISER_ENVIRONMENT": "live"}, ["run", "--now"], 2, "--now is refused in a live environment"),
        ({}, ["run", "--paper", "--next"], 2, "--next, --date and --data"),
        ({"ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"tecl": 0.6}'}, ["run"], 2, "allocations add up to 0.6"),
        ({"ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"teclo": 1.0}'}, ["run"], 2, "'teclo'; known strategies"),
        ({"ALCHEMISER_TRADING__CASHRESERVE": "1"}, ["run"], 2, "trading.cashreserve"),
        ({"ALCHEMISER_HOME": "/proc/nowhere"}, ["run"], 3, "cannot be written"),
        ({}, ["run", "--data", "no-such.parquet"], 2, "no-such.parquet"),
        ({}, ["run", "--pipeline", "both"], 2, "both"),
    ],
)
def test_a_mistake_ends_before_anything_is_traded_and_says_what_to_do(
    tmp_path: Path, extra: dict[str, str], arguments: list[str], code: int, words: str
) -> None:
    result = alchemiser(tmp_path, *arguments, extra=extra)
    assert words in result.err
    assert result.code == code
    assert "hush" not in result.err + result.out
    assert "Traceback" not in result.err


def test_a_damaged_state_file_is_named_with_a_remedy(tmp_path: Path) -> None:
    home = tmp_path / ".alchemiser"
    home.mkdir()
    (home / "state.db").write_bytes(b"not a database at all, but long enough to be taken for one" * 30)
    for arguments in (["run"], ["runs"], ["show"]):
        result = alchemiser(tmp_path, *arguments)
        assert result.code == 1
        assert "move it away or restore a copy" in result.err


def test_a_settings_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff")
    result = alchemiser(tmp_path, "runs")
    assert result.code == 2
    assert "settings file" in result.err
    assert ".env cannot be read" in result.err
    assert "Traceback" not in result.err


def test_a_port_in_use_is_named_with_a_remedy(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = alchemiser(tmp_path, "simulator", "serve", "--port", str(port))
    assert result.code == 2
    assert f"port {port} on 127.0.0.1 is in use" in result.err


def test_settings_are_shown_with_their_sources_and_without_secrets(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("APCA_API_KEY_ID=PKVISIBLE\nALCHEMISER_TRADING__MAX_ORDERS=7\n")
    shown = json.loads(alchemiser(tmp_path, "config", "show", "--json").out)
    limit = shown["settings"]["trading.max_orders"]
    assert (limit["value"], limit["source"]) == (7, ".env ALCHEMISER_TRADING__MAX_ORDERS")
    assert shown["secrets"] == {"APCA_API_KEY_ID": "set (hidden)", "APCA_API_SECRET_KEY": "not set"}
    table = alchemiser(tmp_path, "config", "show")
    assert "VISIBLE" not in table.out + table.err
