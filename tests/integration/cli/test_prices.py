"""`alchemiser prices` and `--data` with what people have, as a user meets them."""

import json
import subprocess
import sys
from pathlib import Path

from alchemiser_prices import tidy
from alchemiser_simulator import read_history, sample_history
from support.command import alchemiser, environment

SESSIONS = sample_history().dates[-260:]
HOLD = """(defsymphony "hold" {:rebalance-frequency :daily}
 (if (> (current-price "SPY") (moving-average-price "SPY" {:window 20})) [(asset "SPY" nil)] [(asset "BIL" nil)]))"""
OF_ONE = HOLD.replace('"BIL"', '"SPY"')
"""Needs no symbol but the one that its file has."""


def yahoo(folder: Path, symbol: str, scale: float = 1.0) -> Path:
    """A symbol's file as Yahoo had it, with a Saturday."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{symbol}.csv"
    rows = ["Date,Open,High,Low,Close,Adj Close,Volume"]
    for at, day in enumerate(SESSIONS):
        close = scale * (100 + at)
        rows.append(f"{day},{close},{close + 1},{close - 1},{close},{close / 2},1000")
    rows.append("2021-03-27," + rows[-4].split(",", 1)[1])
    path.write_text("\n".join(rows))
    return path


def test_a_folder_of_files_is_imported_shown_checked_and_decided_on(tmp_path: Path) -> None:
    folder = tmp_path / "yahoo"
    yahoo(folder, "SPY")
    yahoo(folder, "BIL", 0.5)
    (tmp_path / "hold.clj").write_text(HOLD)
    decided = alchemiser(tmp_path, "decide", "--data", "yahoo", "--strategy", "hold.clj", "--json")
    assert decided.code == 0, decided.err
    assert json.loads(decided.out)["targets"] == {"SPY": 1.0}
    assert "rows on 1 days on which the New York exchange is closed" in decided.err
    shown = json.loads(alchemiser(tmp_path, "prices", "show", "yahoo", "--json").out)
    assert (shown["files"], shown["sessions"], shown["adjustment"]) == (2, 260, "both")
    checked = alchemiser(tmp_path, "prices", "check", "yahoo")
    assert checked.code == 1
    assert "things to look at" in checked.out
    made = alchemiser(tmp_path, "prices", "import", "yahoo", "--out", "prices.parquet")
    assert made.code == 0, made.err
    assert "closes and adjusted closes" in made.out
    again = alchemiser(tmp_path, "decide", "--data", "prices.parquet", "--strategy", "hold.clj", "--json")
    assert json.loads(again.out) == json.loads(decided.out)
    assert read_history(tmp_path / "prices.parquet").symbols == ("BIL", "SPY")


def test_an_answer_is_remembered_for_the_content_and_not_for_the_name(tmp_path: Path) -> None:
    path = yahoo(tmp_path, "SPY").rename(tmp_path / "data.csv")
    (tmp_path / "hold.clj").write_text(OF_ONE)
    decide = ("decide", "--data", "data.csv", "--strategy", "hold.clj", "--json")
    asked = alchemiser(tmp_path, *decide)
    assert asked.code == 2
    assert "--symbol SYMBOL" in asked.err
    assert "`alchemiser prices import data.csv` is told is remembered" in asked.err
    assert alchemiser(tmp_path, "prices", "import", "data.csv", "--symbol", "SPY").code == 0
    assert json.loads(alchemiser(tmp_path, *decide).out)["targets"] == {"SPY": 1.0}
    path.write_text(path.read_text() + "\n")
    assert alchemiser(tmp_path, *decide).code == 2, "another content has been told nothing"


def test_after_the_first_time_a_file_is_read_without_pandas(tmp_path: Path) -> None:
    yahoo(tmp_path, "SPY")
    code = (
        "import sys\nfrom alchemiser_cli.main import main\n"
        "try: main(['decide', '--data', 'SPY.csv', '--strategy', 'hold.clj', '--json'])\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = ('pandas', 'pyarrow.compute', 'exchange_calendars', 'alpaca')\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    (tmp_path / "hold.clj").write_text(OF_ONE)
    loaded = [
        subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
        ).stderr.splitlines()[-1]
        for _ in range(2)
    ]
    assert "pandas" in loaded[0], "the first time imports"
    assert loaded[1] == "[]"


def test_wrong_options_and_places_are_named(tmp_path: Path) -> None:
    yahoo(tmp_path, "SPY")
    for arguments, words in (
        (["import", "none.csv"], "none.csv: no such file or folder"),
        (["import", "SPY.csv", "--column", "close"], "--column is 'close'; write FIELD=HEADING"),
        (["import", "SPY.csv", "--column", "close=Last"], "--column names 'Last', which no file has"),
        (["import", "SPY.csv", "SPY.csv"], "say where to write it with --out"),
    ):
        refused = alchemiser(tmp_path, "prices", *arguments)
        assert refused.code == 2
        assert words in refused.err
    assert not tidy.is_tidy(tmp_path / "SPY.csv")
