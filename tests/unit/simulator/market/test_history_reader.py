"""A user's price file becomes a history, or a message that says where the file is wrong and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alchemiser_simulator.market.history_reader import HistoryError, read_history

TIDY = """date,symbol,open,high,low,close,volume,split
2024-01-03,AAA,10,11,9,10.5,1000,
2024-01-02,AAA,,,,20.0,,
2024-01-03,BBB,5,5,5,5,10,
2024-01-04,AAA,10.5,12,10,11,1500,1
2024-01-04,BBB,50,51,49,50,1,0.1
"""
WIDE = "Date,AAA,BBB\n2024-01-03,10.5,\n2024-01-02,20,5\n"


def write(folder: Path, text: str, name: str = "prices.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_tidy_rows_in_any_order_become_days_by_symbols(tmp_path: Path) -> None:
    history = read_history(write(tmp_path, TIDY))
    assert history.dates == (date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4))
    assert history.symbols == ("AAA", "BBB")
    np.testing.assert_array_equal(history.close, [[20.0, np.nan], [10.5, 5.0], [11.0, 50.0]])
    assert history.high[1, 0] == 11.0
    assert [(split.symbol, split.day, split.ratio) for split in history.splits] == [("BBB", date(2024, 1, 4), 0.1)]


def test_missing_open_high_low_and_volume_are_derived_and_said_to_be(tmp_path: Path) -> None:
    history = read_history(write(tmp_path, TIDY))
    assert "derived" in history.derived
    assert 0 < history.low[0, 0] <= min(history.open[0, 0], 20.0) <= max(history.open[0, 0], 20.0) <= history.high[0, 0]
    assert history.volume[0, 0] > 0


def test_a_column_of_closes_a_symbol_is_enough(tmp_path: Path) -> None:
    history = read_history(write(tmp_path, WIDE))
    np.testing.assert_array_equal(history.close, [[20.0, 5.0], [10.5, np.nan]])
    assert np.isnan(history.open[1, 1]), "a day without a close must not get a derived bar"


def test_parquet_and_csv_of_the_same_data_are_the_same_history(tmp_path: Path) -> None:
    table = pa.table(
        {
            "date": pa.array([date(2024, 1, 2), date(2024, 1, 3)]),
            "symbol": pa.array(["AAA", "AAA"]).dictionary_encode(),
            "close": pa.array([20.0, 10.5], pa.float32()),
        }
    )
    pq.write_table(table, tmp_path / "prices.parquet")
    csv = write(tmp_path, "date,symbol,close\n2024-01-02,AAA,20\n2024-01-03,AAA,10.5\n")
    assert read_history(tmp_path / "prices.parquet").fingerprint == read_history(csv).fingerprint


def test_another_value_is_another_fingerprint(tmp_path: Path) -> None:
    first = read_history(write(tmp_path, TIDY, "a.csv"))
    second = read_history(write(tmp_path, TIDY.replace("10.5,1000", "10.6,1000"), "b.csv"))
    assert first.fingerprint != second.fingerprint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("symbol,close\nAAA,1\n", ["no date column", "symbol, close", "name one of them 'date'"]),
        ("date,symbol,price\n2024-01-02,AAA,1\n", ["no 'close' column", "rename"]),
        ("date,symbol,close\n2024-01-02,AAA,1\n2024-01-02,AAA,2\n", ["2024-01-02, AAA", "2 times", "keep one"]),
        ("date,AAA\n2024-01-02,1\n2024-01-02,2\n", ["2024-01-02 occurs 2 times", "keep one row"]),
        ("date,symbol,close\n2024-01-02,AAA,1\n2024-01-03,AAA,-3\n", ["'close', row 2", "-3.0", "above zero"]),
        ("date,AAA\n2024-01-02,0\n", ["column 'AAA', row 1", "0.0", "leave the cell empty"]),
        ("date,AAA,BBB\n2024-01-02,1,n/k\n", ["column 'BBB', row 1", "'n/k' is not a number"]),
        ("date,AAA\n02/13/2024,1\n", ["column 'date' is not a date", "2021-03-31"]),
        ("date,AAA\n2024-01-02,1\n,2\n", ["column 'date' is empty in row 2"]),
        ("date,symbol,close\n2024-01-02,,1\n2024-01-03,AAA,1\n", ["'symbol' has empty cells"]),
        ("date,symbol,close\n", ["holds no rows"]),
        ("date\n2024-01-02\n", ["no prices"]),
    ],
)
def test_a_faulty_file_is_refused_by_place_and_remedy(tmp_path: Path, text: str, words: list[str]) -> None:
    path = write(tmp_path, text)
    with pytest.raises(HistoryError) as refused:
        read_history(path)
    missing = [word for word in [str(path), *words] if word not in str(refused.value)]
    assert not missing, f"the message lacks {missing}: {refused.value}"


def test_an_unreadable_or_absent_file_is_refused_by_name(tmp_path: Path) -> None:
    noise = tmp_path / "noise.parquet"
    noise.write_bytes(b"PAR0 not really")
    with pytest.raises(HistoryError, match=r"noise\.parquet: not readable.*export it again"):
        read_history(noise)
    with pytest.raises(HistoryError, match="no such file"):
        read_history(tmp_path / "absent.csv")


def test_reading_does_not_import_pandas(tmp_path: Path) -> None:
    path = write(tmp_path, TIDY)
    code = (
        "import sys; from alchemiser_simulator import read_history, sample_history; "
        f"read_history({str(path)!r}).high; sample_history(); "
        "print([name for name in ('pandas', 'starlette', 'exchange_calendars') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]", f"reading prices imported {loaded}"


@pytest.mark.real_data
@pytest.mark.skipif("ALCHEMISER_MARKET_DATA" not in os.environ, reason="ALCHEMISER_MARKET_DATA is not set")
class TestRealPanels:
    folder = Path(os.environ.get("ALCHEMISER_MARKET_DATA", "."))

    def test_the_wide_panel_reads_fast(self) -> None:
        path = self.folder / "adjclose_wide_2000_2026.parquet"
        read_history(path)
        started = time.process_time()
        history = read_history(path)
        elapsed = time.process_time() - started
        assert history.close.shape == (6684, 300)
        assert elapsed < 0.5, f"reading took {elapsed:.2f} s"
        assert "derived" in history.derived

    def test_the_tidy_panel_with_gaps_gives_consistent_bars(self) -> None:
        history = read_history(self.folder / "ohlcv_core74_2005_2026.parquet")
        there = ~np.isnan(history.close)
        assert history.close.shape[1] == 74
        assert (history.low[there] <= np.minimum(history.open, history.close)[there]).all()
        assert (history.high[there] >= np.maximum(history.open, history.close)[there]).all()
        assert (history.low[there] > 0).all()
