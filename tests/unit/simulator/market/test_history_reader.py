"""The tidy file becomes a history; what is not the project's own form is refused and told how to become it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from alchemiser_prices import tidy
from alchemiser_simulator.market import history_reader
from alchemiser_simulator.market.history_reader import HistoryError, read_history
from support.price_files import real_prices, real_tidy, write_rows

NAN = float("nan")
ROWS: Mapping[str, list[object]] = {
    "date": [date(2024, 1, 3), date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4), date(2024, 1, 4)],
    "symbol": ["AAA", "AAA", "BBB", "AAA", "BBB"],
    "open": [10.0, NAN, 5.0, 10.5, 50.0],
    "high": [11.0, NAN, 5.0, 12.0, 51.0],
    "low": [9.0, NAN, 5.0, 10.0, 49.0],
    "close": [10.5, 20.0, 5.0, 11.0, 50.0],
    "volume": [1000.0, NAN, 10.0, 1500.0, 1.0],
    "split": [NAN, NAN, NAN, 1.0, 0.1],
}


def test_rows_in_any_order_become_days_by_symbols(tmp_path: Path) -> None:
    history = read_history(write_rows(tmp_path / "p.parquet", ROWS))
    assert history.dates == (date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4))
    assert history.symbols == ("AAA", "BBB")
    np.testing.assert_array_equal(history.close, [[20.0, np.nan], [10.5, 5.0], [11.0, 50.0]])
    assert history.high[1, 0] == 11.0
    assert np.isnan(history.open[0, 1]), "a day without a close must not get a derived bar"
    assert [(split.symbol, split.day, split.ratio) for split in history.splits] == [("BBB", date(2024, 1, 4), 0.1)]


def test_missing_open_high_low_and_volume_are_derived_and_said_to_be(tmp_path: Path) -> None:
    history = read_history(write_rows(tmp_path / "p.parquet", ROWS))
    assert "derived" in history.derived
    assert 0 < history.low[0, 0] <= min(history.open[0, 0], 20.0) <= max(history.open[0, 0], 20.0) <= history.high[0, 0]
    assert history.volume[0, 0] > 0


def test_another_value_is_another_fingerprint(tmp_path: Path) -> None:
    first = read_history(write_rows(tmp_path / "a.parquet", ROWS))
    again = read_history(write_rows(tmp_path / "b.parquet", ROWS))
    other = read_history(write_rows(tmp_path / "c.parquet", {**ROWS, "close": [10.6, 20.0, 5.0, 11.0, 50.0]}))
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_reader_and_writer_mean_the_same_mark() -> None:
    assert (history_reader.MARK, history_reader.VERSION) == (tidy.MARK, tidy.VERSION)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"close": [10.5, 20.0, 5.0, -11.0, 50.0]}, ["column 'close', row 4", "-11.0", "above zero"]),
        ({"date": [date(2024, 1, 3)] * 5}, ["(2024-01-03, AAA) occurs 3 times", "from its source"]),
        ({"symbol": ["AAA", "AAA", "", "AAA", "BBB"]}, ["'symbol' has empty cells"]),
        ({name: [] for name in ROWS}, ["holds no rows"]),
    ],
)
def test_a_faulty_tidy_file_is_refused(changes: Mapping[str, list[object]], words: list[str], tmp_path: Path) -> None:
    path = write_rows(tmp_path / "p.parquet", {**ROWS, **changes})
    with pytest.raises(HistoryError) as refused:
        read_history(path)
    assert not [word for word in [str(path), *words] if word not in str(refused.value)], refused.value


def test_any_other_form_is_refused_with_the_command_that_makes_it_tidy(tmp_path: Path) -> None:
    """A wide table, a marked one with a column of its own, text, noise: none is read on a guess."""
    wide = pa.table({"date": pa.array([date(2024, 1, 2)]), "SPY": [1.0]})
    parquet.write_table(wide, tmp_path / "wide.parquet")
    parquet.write_table(wide.replace_schema_metadata({tidy.MARK: tidy.VERSION}), tmp_path / "marked.parquet")
    (tmp_path / "tidy.csv").write_text("date,symbol,close\n2024-01-02,SPY,1\n")
    (tmp_path / "noise.parquet").write_bytes(b"PAR1 not really")
    for name in ("wide.parquet", "marked.parquet", "tidy.csv", "noise.parquet"):
        with pytest.raises(HistoryError, match=rf"{name}.*`alchemiser prices import .*{name} --out prices.parquet`"):
            read_history(tmp_path / name)
    with pytest.raises(HistoryError, match="no such file"):
        read_history(tmp_path / "absent.parquet")


def test_reading_does_not_import_pandas(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "p.parquet", ROWS)
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
        path = real_tidy(self.folder / "adjclose_wide_2000_2026.parquet")
        read_history(path)
        started = time.process_time()
        history = read_history(path)
        elapsed = time.process_time() - started
        assert history.close.shape == (6684, 300)
        assert elapsed < 0.5, f"reading took {elapsed:.2f} s"
        assert "derived" in history.derived

    def test_the_tidy_panel_with_gaps_gives_consistent_bars(self) -> None:
        history = real_prices(self.folder / "ohlcv_core74_2005_2026.parquet")
        there = ~np.isnan(history.close)
        assert history.close.shape[1] == 74
        assert (history.low[there] <= np.minimum(history.open, history.close)[there]).all()
        assert (history.high[there] >= np.maximum(history.open, history.close)[there]).all()
        assert (history.low[there] > 0).all()
