"""Deciding, explaining, backtesting and replaying from files, as a user meets them."""

import csv
import json
import math
from pathlib import Path

import pytest

from alchemiser_simulator import sample_history
from support.command import alchemiser, alchemiser_process

SESSIONS = [day for day in sample_history().dates if day.year == 2019]
UNIVERSE = (
    "AGG BIL BND BSV BTAL BWXT EXC FAS FNGU FTLS IEF IOO KMLM LABD LABU LEU NLR OKLO PSQ QQQ QQQE RETL SMR SOXL SPLV "
    "SPXL SPY SQQQ SSO SVIX SVXY TECL TLT TQQQ TZA UPRO UUP UVXY VIXM VIXY VOOG VOOV VOX VTV VXX XLF XLK XLP XLY"
).split()
ROTATION = """(defsymphony "rotation" {:rebalance-frequency :daily}
 (if (> (rsi "SPY" {:window 10}) 79)
  [(asset "UVXY" nil)]
  [(filter (rsi {:window 10}) (select-top 1) [(asset "TECL" nil) (asset "SOXL" nil)])]))
"""


def closes(scale: float, phase: float, frequency: float) -> dict[str, list[float]]:
    """The synthetic market of the reference vectors: 49 symbols, 252 days."""
    return {
        symbol: [100 + scale * (k % 5 - 2) * t + (1 + k % 5) * math.sin(frequency * t + phase * k) for t in range(252)]
        for k, symbol in enumerate(UNIVERSE)
    }


def written(path: Path, columns: dict[str, list[float]], *, tidy: bool) -> Path:
    days = SESSIONS
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        if tidy:
            out.writerow(["date", "symbol", "close"])
            out.writerows(
                [day, symbol, repr(values[at])] for at, day in enumerate(days) for symbol, values in columns.items()
            )
        else:
            out.writerow(["date", *columns])
            out.writerows([day, *(repr(values[at]) for values in columns.values())] for at, day in enumerate(days))
    return path


@pytest.mark.parametrize(
    ("market", "expected"),
    [
        ((0.02, 4, 0.7), {"SQQQ": 0.146370613, "QQQ": 0.153629387, "TECL": 0.5, "FNGU": 0.2}),
        ((0.05, 3, 0.5), {"QQQ": 0.3, "SPXL": 0.7}),
        ((-0.02, 5, 0.5), {"BWXT": 0.1, "LEU": 0.1, "EXC": 0.1, "BIL": 0.5, "UUP": 0.2}),
        ((0.05, 2, 0.5), {"TQQQ": 0.3, "BSV": 0.5, "KMLM": 0.2}),
    ],
)
@pytest.mark.parametrize("tidy", [True, False], ids=["tidy", "wide"])
def test_the_default_portfolio_decides_the_reference_vectors(
    tmp_path: Path, market: tuple[float, float, float], expected: dict[str, float], tidy: bool
) -> None:
    data = written(tmp_path / "bars.csv", closes(*market), tidy=tidy)
    result = alchemiser(tmp_path, "decide", "--data", str(data), "--json")
    assert result.code == 0, result.err
    answer = json.loads(result.out)
    assert answer["as_of"] == "2019-12-31"
    assert {name: entry["status"] for name, entry in answer["strategies"].items()} == dict.fromkeys(
        ("nuclear", "tecl", "klm"), "target"
    )
    assert answer["targets"] == pytest.approx(expected, abs=1e-9)


def test_named_strategies_and_files_share_in_equal_parts_and_as_of_cuts_the_data(tmp_path: Path) -> None:
    data = written(tmp_path / "bars.csv", closes(0.05, 2, 0.5), tidy=False)
    (tmp_path / "mine.clj").write_text(ROTATION)
    arguments = ["--data", str(data), "--strategy", "tecl", "--strategy", "mine.clj", "--as-of", str(SESSIONS[-11])]
    answer = json.loads(alchemiser(tmp_path, "decide", *arguments, "--json").out)
    assert answer["as_of"] == str(SESSIONS[-11])
    assert set(answer["strategies"]) == {"tecl", "mine"}
    assert sum(answer["targets"].values()) == pytest.approx(1.0)
    story = alchemiser(tmp_path, "explain", *arguments).out
    assert "mine (50%, target)" in story
    assert "rsi(SPY, 10) > 79" in story


def test_too_little_data_is_said_and_stays_in_cash(tmp_path: Path) -> None:
    columns = {symbol: values[-30:] for symbol, values in closes(0.05, 2, 0.5).items()}
    path = tmp_path / "short.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["date", *columns])
        for at in range(30):
            out.writerow([SESSIONS[at], *(values[at] for values in columns.values())])
    result = alchemiser(tmp_path, "decide", "--data", str(path), "--strategy", "tecl", "--json")
    answer = json.loads(result.out)
    lacks = {"symbol": "SPY", "indicator": "moving-average-price(200)", "bars_had": 30, "bars_needed": 200}
    assert answer["strategies"]["tecl"] == {"weights": {}, "status": "unknown", "unknown": [lacks], "unsettled": []}
    assert answer["targets"] == {}
    story = alchemiser(tmp_path, "explain", "--data", str(path), "--strategy", "tecl").out
    assert "has 30 bars, needs 200" in story


def test_strategies_are_listed_printed_and_checked(tmp_path: Path) -> None:
    listed = {row["name"]: row for row in json.loads(alchemiser(tmp_path, "strategies", "list", "--json").out)}
    assert listed["tecl"]["allocation"] == 0.5
    assert listed["klm-ensemble"]["allocation"] == 0.0
    printed = alchemiser(tmp_path, "strategies", "show", "tecl").out
    (tmp_path / "copy.clj").write_text(printed)
    checked = json.loads(alchemiser(tmp_path, "strategies", "check", "copy.clj", "--json").out)
    assert checked["universe"] == listed["tecl"]["universe"]
    assert checked["rules"] == listed["tecl"]["rules"], "what it is called says nothing of what it decides"
    assert checked["nodes_after_sharing"] < checked["nodes_written"]


def test_a_broken_draft_is_listed_and_stops_neither_a_run_nor_its_replay(tmp_path: Path) -> None:
    folder = tmp_path / "strategies"
    folder.mkdir()
    (folder / "rotation.clj").write_text(ROTATION)
    (folder / "draft.clj").write_text('(defsymphony "draft" {}\n (assset "SPY" nil))')
    (folder / "loud.py").write_text("raise SystemExit('was run')")
    (folder / "tecl.edn").write_text(ROTATION)
    extra = {"ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"rotation": 0.4, "klm": 0.6}'}
    assert alchemiser(tmp_path, "run", "--json", extra=extra).code == 0
    assert "identical" in alchemiser(tmp_path, "replay", extra=extra).out
    listed = alchemiser(tmp_path, "strategies", "list", "--json", extra=extra)
    broken = {(row["name"], row["broken"]) for row in json.loads(listed.out) if row["broken"]}
    assert dict(broken) == {
        "draft": f"{folder}/draft.clj:2:3: (assset …): unknown operator assset; did you mean asset?",
        "loud": f"{folder}/loud.py:1: SystemExit: was run",
        "tecl": "strategy name 'tecl' is taken; rename yours",
    }
    shown = alchemiser(tmp_path, "strategies", "list", extra=extra).out
    assert f"draft is broken: {folder}/draft.clj:2:3: " in shown


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "demo",
        "decide --data bars.csv",
        "explain --data bars.csv",
        "backtest",
        "strategies list",
        "universe",
        "doctor",
    ],
)
@pytest.mark.parametrize("name", ["nobody", "rotation.clj"])
def test_an_allocation_that_names_no_strategy_is_an_error_whoever_reads_it(
    tmp_path: Path, command: str, name: str
) -> None:
    (tmp_path / "rotation.clj").write_text(ROTATION)
    written(tmp_path / "bars.csv", {"SPY": [100.0] * 252}, tidy=False)
    extra = {"ALCHEMISER_STRATEGIES__ALLOCATIONS": json.dumps({name: 0.4, "tecl": 0.6})}
    done = alchemiser(tmp_path, *command.split(), extra=extra)
    assert done.code == 2, done.err
    assert f"strategies.allocations names {name!r}; known strategies: " in done.err


def test_a_folder_of_symphonies_can_be_traded_by_name(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "rotation.clj").write_text(ROTATION)
    extra = {
        "ALCHEMISER_STRATEGIES__FOLDER": "mine",
        "ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"rotation": 0.4, "tecl": 0.6}',
    }
    first = alchemiser(tmp_path, "run", "--json", extra=extra)
    assert first.code == 0, first.err + first.out
    story = alchemiser(tmp_path, "explain", extra=extra)
    assert "rotation (40%, target)" in story.out
    same = alchemiser(tmp_path, "replay", extra=extra)
    assert (same.code, "identical" in same.out) == (0, True), same.err

    changed = ROTATION.replace("select-top 1", "select-top 2")
    (tmp_path / "newer.clj").write_text(changed)
    other = alchemiser(tmp_path, "replay", "--replace", "rotation=newer.clj", "--json", extra=extra)
    answer = json.loads(other.out)
    assert (other.code, answer["identical"]) == (1, False)
    assert {item["symbol"] for item in answer["differences"]} == {"SOXL", "TECL"}


def test_a_backtest_prints_its_figures_and_writes_a_page(tmp_path: Path) -> None:
    arguments = ["--from", "2018-01-02", "--to", "2020-12-31", "--costs", "5", "--page", "out/page.html"]
    done = alchemiser(tmp_path, "backtest", *arguments)
    assert done.code == 0, done.err
    for words in ("CAGR", "Sharpe", "Max drawdown", "Turnover", "Worst day"):
        assert words in done.out
    assert "model, not market data" in done.err
    assert "2018-01-02" in (tmp_path / "out" / "page.html").read_text(encoding="utf-8")


def test_a_backtest_follows_a_markets_corporate_actions(tmp_path: Path) -> None:
    """A new name in the middle of a holding changes nothing; without it half of the account would lack a price."""
    half = '(defsymphony "half" {:rebalance-frequency :yearly} (weight-equal [(asset "SPY" nil) (asset "TECL" nil)]))'
    (tmp_path / "half.clj").write_text(half)
    written(tmp_path / "bars.csv", closes(0.05, 2, 0.5), tidy=False)
    renamed = {"kind": "renamed", "symbol": "SPY", "day": str(SESSIONS[61]), "into": "SPX"}
    removed = {"kind": "worthless_removal", "symbol": "TECL", "day": str(SESSIONS[90])}
    told = {}
    for name, actions in (("none", []), ("a new name", [renamed]), ("and a removal", [renamed, removed])):
        (tmp_path / "actions.json").write_text(json.dumps(actions))
        done = alchemiser(tmp_path, *"backtest --data bars.csv --strategy half.clj --actions actions.json".split())
        assert done.code == 0, done.err
        (told[name],) = (line.split() for line in done.out.splitlines() if line.startswith("CAGR"))
    assert "with the corporate actions of actions.json" in (tmp_path / "backtest.html").read_text(encoding="utf-8")
    plain = alchemiser(tmp_path, *"backtest --data bars.csv --strategy half.clj".split())
    assert told["a new name"] == told["none"] != told["and a removal"]
    assert " ".join(told["none"]) in " ".join(plain.out.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["decide", "--data", "none.csv"], "none.csv"),
        (["decide", "--data", "empty.csv"], "empty.csv"),
        (["decide", "--data", "bars.csv", "--strategy", "teclo"], "there is no strategy 'teclo'; known are klm"),
        (["decide", "--data", "bars.csv", "--strategy", "bad.clj"], "bad.clj:1:"),
        (["decide", "--data", "bars.csv", "--strategy", "tecl", "--strategy", "tecl"], "more than once: tecl"),
        (["decide", "--data", "bars.csv", "--as-of", "1999-01-01"], f"the data begin on {SESSIONS[0]}"),
        (["strategies", "check", "bad.clj"], "bad.clj:1:"),
        (["explain"], "nothing was ever run in home"),
        (["replay"], "nothing was ever run in home"),
        (["replay", "--replace", "tecl"], "nothing was ever run in home"),
        (["backtest", "--from", "2021-03-31"], "1 sessions to simulate, at least 2 are needed"),
        (["backtest", "--data", "bars.csv", "--strategy", "good.clj", "--costs", "1e4"], "is 0.0, it must be finite"),
        (["backtest", "--data", "bars.csv", "--strategy", "good.clj", "--page", "."], "--page . cannot be written"),
        (["backtest", "--actions", "none.json"], "--actions none.json cannot be read: No such file"),
        (["backtest", "--actions", "empty.csv"], "--actions empty.csv: the whole: Invalid JSON"),
        (["backtest", "--actions", "odd.json"], "--actions odd.json: 0.delisted.day: Field required; see docs/"),
        (["backtest", "--data", "bars.csv", "--actions", "no.json"], "no.json: the price history has no symbol 'NONE'"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "odd.json").write_text('[{"kind": "delisted", "symbol": "SPY"}]')
    (tmp_path / "no.json").write_text('[{"kind": "delisted", "symbol": "NONE", "day": "2019-04-01"}]')
    (tmp_path / "good.clj").write_text(ROTATION)
    (tmp_path / "bad.clj").write_text('(defsymphony "x" {} (asset "SPY" nil) (rsj))')
    written(tmp_path / "bars.csv", closes(0.05, 2, 0.5), tidy=False)
    result = alchemiser(tmp_path, *arguments)
    assert words in result.err
    assert result.code == 2
    assert "Traceback" not in result.err


ENTRY_POINT = {
    "odd.py": """
class Odd:
    name, universe = "odd", {"SPY": 1}
    def evaluate(self, view):
        raise ZeroDivisionError("no [/luck]")
""",
    "odd-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n",
    "odd-1.0.dist-info/entry_points.txt": "[alchemiser.strategies]\nodd = odd:Odd\n",
}


def test_a_strategy_that_breaks_its_contract_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd-1.0.dist-info").mkdir()
    for name, text in ENTRY_POINT.items():
        (tmp_path / name).write_text(text)
    data = written(tmp_path / "bars.csv", closes(0.05, 2, 0.5), tidy=False)
    extra = {"PYTHONPATH": str(tmp_path)}
    result = alchemiser_process(tmp_path, "decide", "--data", str(data), "--strategy", "odd", extra=extra)
    assert result.code == 1, result.err
    assert result.err.startswith("error: strategy odd raised ZeroDivisionError: no [/luck]"), result.err
    assert len(result.err.splitlines()) == 1


def test_a_strategy_that_can_say_nothing_of_a_snapshot_is_named_where_the_policy_is_to_abort(tmp_path: Path) -> None:
    assert alchemiser(tmp_path, "run", "--json").code == 0
    (tmp_path / "long.clj").write_text(ROTATION.replace("{:window 10}", "{:window 900}"))
    extra = {"ALCHEMISER_STRATEGIES__ON_UNKNOWN": "abort"}
    result = alchemiser(tmp_path, "replay", "--replace", "tecl=long.clj", extra=extra)
    assert result.code == 1, result.err
    _, error = result.err.splitlines()
    assert "tecl" in error
