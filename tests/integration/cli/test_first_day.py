"""The first hour with the command: a folder to begin in, its settings, the demo looked at."""

import csv
import io
import json
import tomllib
from pathlib import Path

import pytest

from alchemiser_cli.starting_files import starting_files
from alchemiser_common.settings_loading import load_settings
from alchemiser_simulator import sample_history
from support.command import alchemiser, alchemiser_process
from support.price_files import write_closes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    done = alchemiser(tmp_path, "init")
    assert done.code == 0, done.err
    return tmp_path


def test_what_init_writes_is_checked_backtested_decided_and_run(folder: Path, tmp_path: Path) -> None:
    assert "first 100.00%" in alchemiser(folder, "config", "check").out
    tested = alchemiser(folder, "backtest", "--json")
    assert tested.code == 0, tested.err
    assert json.loads(tested.out)["strategies"] == {"first": 1.0}
    market = sample_history()
    names = ["SPY", "QQQ", "IWM", "BIL"]
    columns = [market.symbols.index(name) for name in names]
    closes = write_closes(tmp_path / "closes.parquet", market.dates, names, market.close[:, columns])
    decided = alchemiser(folder, "decide", "--data", str(closes), "--json")
    assert decided.code == 0, decided.err
    assert sum(json.loads(decided.out)["targets"].values()) == pytest.approx(1)
    done = alchemiser(folder, "run", "--json")
    assert json.loads(done.out)["status"] == "completed", done.err
    assert (folder / ".env").stat().st_mode & 0o077 == 0, "keys go into it"


def test_every_commented_line_is_the_default(tmp_path: Path) -> None:
    lines = starting_files()[Path("alchemiser.toml")].splitlines()
    settings = [line for line in lines if line.startswith("#") and not line.startswith("# ")]
    unset = [line for line in settings if line.endswith("# not set")]
    assert len(settings) > 30
    file = tmp_path / "alchemiser.toml"
    file.write_text("\n".join(line.removeprefix("#") if line in settings and line not in unset else line
                              for line in lines))  # fmt: skip
    plain, said = load_settings({}).settings, load_settings({}, file=file).settings
    first = plain.strategies.model_copy(update={"allocations": {"first": 1.0}})
    assert said == plain.model_copy(update={"strategies": first})
    assert len(tomllib.loads(file.read_text())["trading"]) > 5


@pytest.mark.parametrize("there", ["alchemiser.toml", ".env", "strategies/first.clj"])
def test_nothing_is_overwritten_and_nothing_is_half_begun(tmp_path: Path, there: str) -> None:
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text("mine")
    done = alchemiser(tmp_path, "init")
    assert done.code == 2
    assert there in done.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / there]
    assert (tmp_path / there).read_text() == "mine"


def test_config_is_shown_whole_and_checked(tmp_path: Path) -> None:
    long = ["2026-11-27", *(f"2026-{month:02d}-01" for month in range(1, 13))]
    (tmp_path / "alchemiser.toml").write_text(f"[data]\nclosed_days = {json.dumps(long)}\n")
    for form in ([], ["--csv"], ["--json"]):
        told = alchemiser_process(tmp_path, "config", "show", *form, extra={"COLUMNS": ""})
        assert all(day in told.out for day in long), form
        assert "…" not in told.out
    rows = list(csv.DictReader(io.StringIO(alchemiser(tmp_path, "config", "show", "--csv").out)))
    assert {row["setting"] for row in rows} == {leaf.name for leaf in load_settings({}).leaves()}
    checked = json.loads(alchemiser(tmp_path, "config", "check", "--json").out)
    assert [row["setting"] for row in checked["settings"]] == ["data.closed_days"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[trading]\ncash_reserv = 0.02", "trading.cash_reserv: no such setting; did you mean trading.cash_reserve?"),
        ("cash_reserve = 0.02", "cash_reserve: no such setting; did you mean trading.cash_reserve?"),
        ("[tradng]\ncash_reserve = 0.02", "tradng: no such setting; did you mean trading?"),
        ("qqqqq = 'hush-hush'", "qqqqq: no such setting ("),
        ("[strategies]\nallocations = { tec = 1.0 }", "names 'tec'"),
    ],
)
def test_a_setting_that_is_none_is_told_the_nearest_and_not_its_value(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "alchemiser.toml").write_text(text)
    done = alchemiser(tmp_path, "config", "check")
    assert done.code == 2
    assert said in done.err
    assert "hush" not in done.err


def test_every_fault_of_the_settings_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "alchemiser.toml").write_text("\n".join(f"unknown{number} = 1" for number in range(9)))
    said = alchemiser(tmp_path, "config", "check").err
    assert all(f"unknown{number}: no such setting" in said for number in range(9))


def test_after_a_demo_runs_and_show_find_it_and_an_own_account_is_never_left_for_it(tmp_path: Path) -> None:
    done = alchemiser(tmp_path, "demo", "--days", "1", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    days = [row["day"] for row in told["sessions"]]
    found = alchemiser(tmp_path, "runs", "--csv")
    assert "nothing but demos was run in home" in found.err
    listed = list(csv.DictReader(io.StringIO(found.out)))
    assert [row["run_id"] for row in listed] == [row["run_id"] for row in reversed(told["sessions"])]
    legs = list(csv.DictReader(io.StringIO(alchemiser(tmp_path, "show", listed[-1]["run_id"], "--csv").out)))
    assert sum(leg["status"] == "filled" for leg in legs) <= told["sessions"][0]["legs"]
    for command in ("show", "trace", "executions", "explain", "replay", "audit"):
        assert alchemiser(tmp_path, command).code == 0, command
    assert alchemiser(tmp_path, "halt", "--reason", "a drill").code == 2, "only looking goes to a demo"
    assert alchemiser(tmp_path, "runs", extra={"ALCHEMISER_ENVIRONMENT": "paper"}).code == 2
    assert json.loads(alchemiser(tmp_path, "run", "--json").out)["status"] == "completed"
    own = alchemiser(tmp_path, "runs", "--json")
    assert "demos" not in own.err
    assert len(json.loads(own.out)) == 1 < len(days) + 1


def test_a_home_knows_the_prices_that_it_was_begun_with(tmp_path: Path) -> None:
    market = sample_history()
    symbols = [name for name in market.symbols if name != "UVXY"]
    columns = [market.symbols.index(name) for name in symbols]
    file = write_closes(tmp_path / "closes.parquet", market.dates, symbols, market.close[:, columns])
    tecl = {"ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"tecl-like": 1.0}'}
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "tecl-like.clj").write_text('(asset "SPY")')
    assert alchemiser(tmp_path, "run", "--data", file.name, extra=tecl).code == 0
    agreed = alchemiser(tmp_path, "reconcile", "--json", extra=tecl)
    assert agreed.code == 0, agreed.err
    assert json.loads(agreed.out)["differences"] == []
    assert alchemiser(tmp_path, "run", "--next", extra=tecl).code == 0
    moved = file.rename(tmp_path / "moved.parquet")
    lost = alchemiser(tmp_path, "reconcile", extra=tecl)
    assert lost.code == 2
    assert "say with --data where they are" in lost.err
    assert alchemiser(tmp_path, "reconcile", "--data", str(moved), extra=tecl).code == 0
    assert alchemiser(tmp_path, "reconcile", extra=tecl).code == 0, "where they are now is remembered"
