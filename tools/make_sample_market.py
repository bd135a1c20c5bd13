"""Makes the bundled sample market: real factor returns of four ETFs, and 47 modelled funds and shares on top of them.

In: a tidy Parquet file of daily raw bars with `adj_close` that holds SPY, QQQ, IWM and EEM from 2015-12-31 to
2021-03-31 (the sample data of the QuantConnect LEAN repository, Apache-2.0). Out: one Parquet file. Must give the same
values each time.

    python tools/make_sample_market.py INPUT.parquet OUTPUT.parquet
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from alchemiser_simulator.market.derive import seed_of
from alchemiser_simulator.market.history_reader import MARK, VERSION
from alchemiser_simulator.market.sample import SAMPLE_NOTICE

Array = npt.NDArray[np.float64]
FIRST, LAST = "2015-12-31", "2021-03-31"
FACTORS = ("SPY", "QQQ", "IWM", "EEM")
SPLIT_SYMBOL, SPLIT_DAY, SPLIT_RATIO = "SOXL", date(2018, 6, 11), 3
GAP_SYMBOL, GAP_DAY = "XLP", date(2021, 3, 24)


@dataclass(frozen=True)
class Index:
    """An underlying: daily return = beta . (SPY, QQQ, IWM, EEM) + noise; `drift` is the noise's mean a year."""

    beta: tuple[float, float, float, float]
    noise: float  # standard deviation of a day's own return
    drift: float = 0.0


@dataclass(frozen=True)
class Fund:
    """A listed symbol: daily return = leverage x index - cost / 252; `last` is its closing price on the last day."""

    index: str
    leverage: float
    last: float
    cost: float = 0.001
    shares: int = 2_000_000  # traded on an ordinary day


INDICES = {
    "spy": Index((1, 0, 0, 0), 0.0),
    "qqq": Index((0, 1, 0, 0), 0.0),
    "iwm": Index((0, 0, 1, 0), 0.0),
    "qqq_equal": Index((0.25, 0.75, 0, 0), 0.0020),
    "sp_growth": Index((0.45, 0.50, 0, 0), 0.0012),
    "sp_value": Index((1.10, -0.30, 0.15, 0), 0.0020),
    "large_value": Index((1.05, -0.28, 0.17, 0), 0.0018),
    "low_volatility": Index((0.85, -0.10, 0, 0), 0.0028),
    "global_100": Index((0.80, 0.10, 0, 0.10), 0.0018),
    "technology": Index((0.20, 0.88, 0, 0), 0.0028),
    "semiconductors": Index((-0.10, 1.25, 0.10, 0.10), 0.0085, 0.04),
    "financials": Index((1.10, -0.35, 0.40, 0), 0.0050),
    "staples": Index((0.80, -0.12, 0, 0), 0.0042),
    "discretionary": Index((0.45, 0.45, 0.10, 0), 0.0030),
    "communication": Index((0.65, 0.25, 0, 0), 0.0045),
    "retail": Index((0.10, 0.20, 0.90, 0), 0.0085),
    "biotech": Index((0, 0.60, 0.65, 0), 0.0125, -0.04),
    "innovation": Index((0, 1.20, 0, 0.10), 0.0075, 0.02),
    "nuclear": Index((0.70, -0.10, 0.20, 0.05), 0.0065),
    "small_reactor": Index((0.30, 0.20, 0.60, 0), 0.0230, 0.12),
    "reactor_parts": Index((0.55, 0, 0.40, 0), 0.0130, 0.02),
    "enrichment": Index((0.20, 0, 0.70, 0.30), 0.0340, 0.20),
    "utility": Index((0.75, -0.15, 0.05, 0), 0.0095),
    "fission_shell": Index((0.20, 0.30, 0.50, 0), 0.0280, 0.10),
    "vix_short": Index((-3.3, 0, 0, 0), 0.0160, 0.25),
    "vix_medium": Index((-1.6, 0, 0, 0), 0.0075, 0.18),
    "treasury_long": Index((-0.30, 0, 0, 0), 0.0072, 0.09),
    "treasury_mid": Index((-0.13, 0, 0, 0), 0.0030, 0.06),
    "bond_total": Index((-0.02, 0, 0, 0), 0.0020, 0.035),
    "bond_short": Index((-0.01, 0, 0, 0), 0.0008, 0.025),
    "bill": Index((0, 0, 0, 0), 0.00006, 0.011),
    "dollar": Index((0, 0, 0, -0.12), 0.0033, 0.01),
    "anti_beta": Index((0.30, 0.15, -0.70, 0), 0.0055, 0.02),
    "managed_futures": Index((-0.05, 0, 0, 0.03), 0.0052, 0.04),
    "long_short": Index((0.50, 0, 0, 0), 0.0024),
}

FUNDS = {
    "AGG": Fund("bond_total", 1, 113.8, shares=6_000_000),
    "BIL": Fund("bill", 1, 91.5, shares=2_500_000),
    "BND": Fund("bond_total", 1, 84.7, shares=5_000_000),
    "BSV": Fund("bond_short", 1, 82.2, shares=2_500_000),
    "BTAL": Fund("anti_beta", 1, 20.6, shares=150_000),
    "BWXT": Fund("reactor_parts", 1, 65.9, 0, 600_000),
    "EXC": Fund("utility", 1, 43.7, 0, 7_000_000),
    "FAS": Fund("financials", 3, 88.0, 0.012, 2_500_000),
    "FNGU": Fund("innovation", 3, 31.0, 0.012, 4_000_000),
    "FTLS": Fund("long_short", 1, 47.0, 0.014, 60_000),
    "IEF": Fund("treasury_mid", 1, 113.0, shares=6_000_000),
    "IOO": Fund("global_100", 1, 65.4, 0.004, 100_000),
    "KMLM": Fund("managed_futures", 1, 26.6, 0.009, 50_000),
    "LABD": Fund("biotech", -3, 16.5, 0.011, 5_000_000),
    "LABU": Fund("biotech", 3, 78.0, 0.011, 3_000_000),
    "LEU": Fund("enrichment", 1, 23.3, 0, 250_000),
    "NLR": Fund("nuclear", 1, 51.0, 0.006, 15_000),
    "OKLO": Fund("fission_shell", 1, 12.4, 0, 900_000),
    "PSQ": Fund("qqq", -1, 14.0, 0.010, 8_000_000),
    "QQQE": Fund("qqq_equal", 1, 77.0, 0.0035, 200_000),
    "RETL": Fund("retail", 3, 37.0, 0.010, 500_000),
    "SMR": Fund("small_reactor", 1, 10.1, 0, 1_000_000),
    "SOXL": Fund("semiconductors", 3, 38.0, 0.010, 20_000_000),
    "SPLV": Fund("low_volatility", 1, 58.2, 0.0025, 3_000_000),
    "SPXL": Fund("spy", 3, 88.5, 0.010, 6_000_000),
    "SQQQ": Fund("qqq", -3, 12.6, 0.010, 60_000_000),
    "SSO": Fund("spy", 2, 104.0, 0.009, 3_000_000),
    "SVIX": Fund("vix_short", -1, 41.0, 0.015, 900_000),
    "SVXY": Fund("vix_short", -0.5, 50.0, 0.010, 3_000_000),
    "TECL": Fund("technology", 3, 45.2, 0.010, 3_000_000),
    "TLT": Fund("treasury_long", 1, 135.5, shares=14_000_000),
    "TQQQ": Fund("qqq", 3, 91.5, 0.010, 40_000_000),
    "TZA": Fund("iwm", -3, 29.0, 0.011, 30_000_000),
    "UPRO": Fund("spy", 3, 91.0, 0.009, 5_000_000),
    "UUP": Fund("dollar", 1, 25.1, 0.008, 1_200_000),
    "UVXY": Fund("vix_short", 1.5, 5.3, 0.010, 50_000_000),
    "VIXM": Fund("vix_medium", 1, 33.5, 0.009, 300_000),
    "VIXY": Fund("vix_short", 1, 9.4, 0.009, 4_000_000),
    "VOOG": Fund("sp_growth", 1, 238.0, shares=150_000),
    "VOOV": Fund("sp_value", 1, 136.0, shares=80_000),
    "VOX": Fund("communication", 1, 129.7, shares=200_000),
    "VTV": Fund("large_value", 1, 131.4, shares=2_500_000),
    "VXX": Fund("vix_short", 1, 11.8, 0.009, 30_000_000),
    "XLF": Fund("financials", 1, 34.0, shares=50_000_000),
    "XLK": Fund("technology", 1, 132.8, shares=9_000_000),
    "XLP": Fund("staples", 1, 68.3, shares=12_000_000),
    "XLY": Fund("discretionary", 1, 168.1, shares=5_000_000),
}


def noise(name: str, count: int) -> Array:
    """Standard normal numbers that depend on the name only."""
    return np.random.Generator(np.random.PCG64(seed_of(f"sample-market/{name}"))).standard_normal(count)


def load_factors(path: Path) -> dict[str, pd.DataFrame]:
    """The four ETFs' bars scaled to their adjusted closes, by date."""
    table = pd.read_parquet(path)
    table = table[table["symbol"].isin(FACTORS)]
    table["date"] = pd.to_datetime(table["date"])
    bars = {}
    for symbol, rows in table.astype({"symbol": str}).groupby("symbol"):
        frame = rows.set_index("date").sort_index().loc[FIRST:LAST].astype({"volume": float})
        scale = frame["adj_close"] / frame["close"]
        for column in ("open", "high", "low", "close"):
            frame[column] = frame[column].astype(float) * scale
        bars[str(symbol)] = frame[["open", "high", "low", "close", "volume"]]
    return bars


def index_returns(factors: dict[str, pd.DataFrame]) -> dict[str, Array]:
    """Simple daily returns of every underlying, shape (days - 1,)."""
    moves = np.column_stack([factors[name]["close"].pct_change().to_numpy()[1:] for name in FACTORS])
    returns = {}
    for name, index in INDICES.items():
        own = noise(name, len(moves)) * index.noise
        own += index.drift / 252 - own.mean()  # the noise adds variance, its drift is the documented one
        returns[name] = moves @ np.array(index.beta) + own
    return returns


def modelled(symbol: str, fund: Fund, returns: dict[str, Array]) -> pd.DataFrame:
    """Bars of one fund: closes from the model, open, high, low and volume from its own seeded noise."""
    daily = np.concatenate(([0.0], np.maximum(fund.leverage * returns[fund.index] - fund.cost / 252, -0.85)))
    close = np.cumprod(1.0 + daily)
    close *= fund.last / close[-1]
    before = np.concatenate((close[:1], close[:-1]))
    size = float(np.std(daily)) + 1e-5
    gap, up, down, busy = (noise(f"{symbol}/{what}", len(close)) for what in ("gap", "up", "down", "volume"))
    opened = before * (1.0 + np.clip(0.45 * daily + 0.25 * size * gap, -0.8, 3.0))
    high = np.maximum(opened, close) * (1.0 + 0.35 * size * np.abs(up))
    low = np.minimum(opened, close) * (1.0 - np.minimum(0.35 * size * np.abs(down), 0.5))
    volume = fund.shares * np.exp(0.35 * busy) * (1.0 + 0.4 * np.abs(daily) / size)
    return pd.DataFrame({"open": opened, "high": high, "low": low, "close": close, "volume": volume})


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Whole cents that still satisfy low <= open, close <= high; volumes with two significant digits."""
    cents = (frame[["open", "high", "low", "close"]] * 100).round().astype("int64")
    ends = cents[["open", "close"]]
    cents["high"] = np.maximum(cents["high"], ends.max(axis=1))
    cents["low"] = np.minimum(cents["low"], ends.min(axis=1))
    unit = 10.0 ** (np.floor(np.log10(frame["volume"])) - 1)
    cents["volume"] = ((frame["volume"] / unit).round() * unit).astype("int64")
    return cents


def build(path: Path) -> pd.DataFrame:
    """All bars in tidy form, raw prices in cents."""
    factors = load_factors(path)
    returns = index_returns(factors)
    days = [stamp.date() for stamp in factors["SPY"].index]
    frames = dict(factors) | {symbol: modelled(symbol, fund, returns) for symbol, fund in FUNDS.items()}
    parts = []
    for symbol in sorted(frames):
        bars = rounded(frames[symbol].reset_index(drop=True))
        bars.insert(0, "date", days)
        bars.insert(1, "symbol", symbol)
        bars["split"] = None
        if symbol == SPLIT_SYMBOL:
            earlier = bars["date"] < SPLIT_DAY
            bars.loc[earlier, ["open", "high", "low", "close"]] *= SPLIT_RATIO
            bars.loc[earlier, "volume"] //= SPLIT_RATIO
            bars.loc[bars["date"] == SPLIT_DAY, "split"] = SPLIT_RATIO
        if symbol == GAP_SYMBOL:
            bars = bars[bars["date"] != GAP_DAY]
        parts.append(bars)
    return pd.concat(parts, ignore_index=True)


def write(bars: pd.DataFrame, path: Path) -> None:
    """Decimal prices stored as integers, delta-coded: a tenth of the size of floats."""
    prices = ("open", "high", "low", "close")
    money = pa.decimal128(9, 2)
    columns = {
        "date": pa.array(bars["date"], pa.date32()),
        "symbol": pa.array(bars["symbol"], pa.string()).dictionary_encode(),
        **{name: pa.array([Decimal(int(cents)).scaleb(-2) for cents in bars[name]], money) for name in prices},
        "volume": pa.array(bars["volume"], pa.int64()),
        "split": pa.array([None if ratio is None else int(ratio) for ratio in bars["split"]], pa.int8()),
    }
    table = pa.table(columns).replace_schema_metadata({MARK: VERSION, b"notice": SAMPLE_NOTICE.encode()})
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=["symbol", "volume"],  # type: ignore[arg-type]  # the stub knows no list of names
        column_encoding=dict.fromkeys(("date", *prices), "DELTA_BINARY_PACKED"),
        store_decimal_as_integer=True,
        write_statistics=False,
        store_schema=True,
    )


def main() -> int:
    """Build, write, and print each symbol's price range."""
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    bars = build(Path(sys.argv[1]))
    write(bars, Path(sys.argv[2]))
    for symbol, rows in bars.groupby("symbol"):
        first, last = rows["close"].iloc[0] / 100, rows["close"].iloc[-1] / 100
        low, high = rows["low"].min() / 100, rows["high"].max() / 100
        print(f"{symbol:5} {len(rows)} bars {low:9.2f} .. {high:9.2f}  {first} -> {last}")
    print(f"{len(bars)} bars, {Path(sys.argv[2]).stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
