"""The rules for last closes raise no false alarm on more than twenty years of real prices."""

import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alchemiser_common.ports.broker import SymbolBars, Trade
from alchemiser_common.records.corporate_actions import JumpFacts
from alchemiser_data.checks import WATCHED, check_bars
from alchemiser_data.jumps import judged, not_borne_out
from alchemiser_data.split_detection import large_moves

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif("ALCHEMISER_MARKET_DATA" not in os.environ, reason="ALCHEMISER_MARKET_DATA is not set"),
]
FOLDER = Path(os.environ.get("ALCHEMISER_MARKET_DATA", "."))
REPEATS = 9
RESTING = ("BIL", "SHV", "TFLO", "GBIL", "VGSH", "BTAL", "DUSL", "FAAR", "LTL", "SPXT", "UGE")
"""Of three hundred symbols those that rest longest at one close: bill funds, and funds that hardly trade."""


def test_no_symbol_is_taken_for_a_feed_that_stands_still() -> None:
    """Adjusted closes at four decimals, as a broker sends them."""
    table = pq.read_table(FOLDER / "adjclose_wide_2000_2026.parquet", columns=["date", *RESTING])
    days = [day for day in table["date"].cast(pa.date32()).to_pylist() if day is not None]
    rests: dict[str, int] = {}
    for symbol in RESTING:
        closes = np.round(table[symbol].to_numpy().astype(np.float64), 4)
        first = int(np.isnan(closes).argmin())
        equal = np.lib.stride_tricks.sliding_window_view(np.diff(closes[first:]) == 0, REPEATS).all(axis=1)
        for row in (np.flatnonzero(equal) + first + REPEATS).tolist():
            span = slice(max(first, row + 1 - WATCHED), row + 1)
            seen = SymbolBars(symbol, days[span], closes[span].tolist())
            checked = check_bars([seen], {symbol: WATCHED}, seen.days, carry=0, repeats=REPEATS)
            assert not checked.faults, (symbol, days[row])
            rests[symbol] = rests.get(symbol, 0) + 1
    assert rests["BIL"] >= 12
    assert len(rests) >= 5, "ten equal closes are nothing unusual for these"  # how many is a matter of the adjustment


def test_large_moves_are_rare_and_every_one_is_borne_out_by_the_next_open() -> None:
    """The 74 symbols of the built-in strategies; the next open stands for the trade that is read after it."""
    columns = ["date", "symbol", "open", "close"]
    table = pq.read_table(FOLDER / "ohlcv_core74_2005_2026.parquet", columns=columns)
    names, day_of = table["symbol"].to_numpy(), table["date"]
    opens, closes = (table[name].to_numpy().astype(np.float64) for name in ("open", "close"))
    with np.errstate(invalid="ignore"):
        large = np.abs(closes[1:] / closes[:-1] - 1) > 0.5
    asked = 0
    for row in (np.flatnonzero(large & (names[1:] == names[:-1])) + 1).tolist():
        day_before, day = (date.fromisoformat(str(day_of[at])[:10]) for at in (row - 1, row))
        (move,) = large_moves(
            [SymbolBars(names[row], [day_before, day], closes[row - 1 : row + 1].tolist())], 0.5, frozenset()
        )
        facts = JumpFacts(symbol=move.symbol, day=day, raw_before=move.before, raw_after=move.after)
        assert judged(move, facts) is None, move
        at = datetime(day.year, day.month, day.day, 20, tzinfo=UTC)
        trade = Trade(symbol=move.symbol, price=Decimal(str(opens[row + 1])), at=at)
        assert not_borne_out(move, trade, day) is None, move
        asked += 1
    assert asked == 17, "in 319,658 bars"
