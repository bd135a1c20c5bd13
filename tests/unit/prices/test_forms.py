"""Every form in which people have prices: a file of that form, and the value that shows that it is read rightly.

The same nine sessions of two symbols are written in each vendor's way; SPY's close of 2024-01-08 must come back.
"""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from alchemiser_prices import tidy
from alchemiser_prices.importing import import_prices
from alchemiser_prices.report import Adjustment, Answers, Report
from alchemiser_simulator import PriceHistory, read_history

DAYS = ["2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09", "2024-01-10", "2024-01-11", "2024-01-12",
        "2024-01-16"]  # fmt: skip
SPY = [468.79, 467.28, 467.92, 474.60, 473.88, 476.56, 476.35, 476.68, 474.93]
QQQ = [398.33, 396.28, 396.75, 404.95, 405.76, 408.57, 409.30, 409.56, 409.52]
CLOSES = {"SPY": SPY, "QQQ": QQQ}
FACTOR = 0.98
"""Of every adjusted close: a dividend after the last of these days."""


def bars(closes: list[float]) -> pd.DataFrame:
    frame = pd.DataFrame({"Close": closes}, index=pd.DatetimeIndex(DAYS, name="Date"))
    frame["Open"], frame["High"], frame["Low"] = frame["Close"] - 0.5, frame["Close"] + 1, frame["Close"] - 1
    frame["Volume"] = 1000
    return frame[["Open", "High", "Low", "Close", "Volume"]]


def days_as(frame: pd.DataFrame, form: str) -> "pd.Index[str]":
    return pd.DatetimeIndex(frame.index).strftime(form)


def yahoo(closes: list[float]) -> pd.DataFrame:
    frame = bars(closes)
    frame.insert(4, "Adj Close", frame["Close"] * FACTOR)
    return frame


def levels(frames: dict[str, pd.DataFrame], *, fields_first: bool = True) -> pd.DataFrame:
    joined = pd.concat(frames, axis=1, names=["Ticker", "Price"])
    return joined.swaplevel(axis=1).sort_index(axis=1) if fields_first else joined


def stacked(frame: Callable[[list[float]], pd.DataFrame] = bars, name: str = "symbol") -> pd.DataFrame:
    parts = [frame(closes).reset_index().assign(**{name: symbol}) for symbol, closes in CLOSES.items()]
    return pd.concat(parts, ignore_index=True)


def text(frame: pd.DataFrame, **how: object) -> bytes:
    return frame.to_csv(**how).encode()  # type: ignore[call-overload, no-any-return]


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def parquet_of(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.to_parquet(out)
    return out.getvalue()


def feather_of(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.to_feather(out)
    return out.getvalue()


def lean(closes: list[float]) -> bytes:
    lines = [
        ",".join(
            [f"{day.replace('-', '')} 00:00", *(str(round((close + by) * 1e4)) for by in (-0.5, 1, -1, 0)), "1000"]
        )
        for day, close in zip(DAYS, closes, strict=True)
    ]
    return "\n".join(lines).encode()


def alpaca_moments() -> pd.DatetimeIndex:
    return pd.DatetimeIndex(DAYS).tz_localize("America/New_York").tz_convert("UTC")


def alpaca_raw() -> bytes:
    stamps = [f"{day}T05:00:00Z" for day in DAYS]
    lists = {
        symbol: [
            {"t": stamp, "o": c - 0.5, "h": c + 1, "l": c - 1, "c": c, "v": 1000, "n": 7, "vw": c}
            for stamp, c in zip(stamps, closes, strict=True)
        ]
        for symbol, closes in CLOSES.items()
    }
    return json.dumps({"bars": lists, "next_page_token": None}).encode()


def alpaca_sdk() -> pd.DataFrame:
    parts = []
    for symbol, closes in CLOSES.items():
        frame = bars(closes).rename(columns=str.lower).assign(trade_count=7.0, vwap=1.0)
        frame.index = pd.MultiIndex.from_product([[symbol], alpaca_moments()], names=["symbol", "timestamp"])
        parts.append(frame)
    return pd.concat(parts)


def sharadar() -> bytes:
    frame = stacked(yahoo, "ticker").rename(columns=str.lower).rename(columns={"adj close": "closeadj"})
    frame["closeunadj"], frame["lastupdated"] = frame["close"] * 2, "2024-02-01"
    return text(frame, index=False)


def tiingo() -> bytes:
    frame = yahoo(SPY).rename(columns=str.lower).rename(columns={"adj close": "adjClose"})
    for name in ("Open", "High", "Low"):
        frame[f"adj{name}"] = frame[name.lower()] * FACTOR
    frame["divCash"], frame["splitFactor"] = 0.0, 1.0
    frame.index = days_as(frame, "%Y-%m-%dT00:00:00.000Z").rename("date")
    return text(frame)


def german(frame: pd.DataFrame) -> bytes:
    named = frame.rename(columns={"Open": "Erster", "High": "Hoch", "Low": "Tief", "Close": "Schlusskurs"})
    named.index = days_as(named, "%d.%m.%Y").rename("Datum")
    named["Volume"] = "1.234.567"
    return text(named.rename(columns={"Volume": "Volumen"}), sep=";", decimal=",")


def dated(form: str, name: str = "Date") -> bytes:
    frame = bars(SPY)
    return text(frame.set_axis(days_as(frame, form), axis=0).rename_axis(name))


def epochs(scale: int) -> bytes:
    zone = ZoneInfo("America/New_York")
    opens = [datetime.fromisoformat(f"{day}T09:30").replace(tzinfo=zone).astimezone(UTC) for day in DAYS]
    return text(
        bars(SPY).set_axis([int(moment.timestamp()) * scale for moment in opens], axis=0).rename_axis("timestamp")
    )


def with_footer() -> bytes:
    shuffled = yahoo(SPY).iloc[::-1]
    lines = text(shuffled).decode().splitlines()
    lines.insert(3, "2024-01-15,null,null,null,null,null,null")
    return "\n".join(
        ["\ufeff" + lines[0], *lines[1:], '"Downloaded from a vendor as of 01-17-2024 10:02am CST"']
    ).encode()


def yahoo_page() -> bytes:
    frame = yahoo(SPY)
    frame["Volume"] = "1,234,567"
    frame.columns = pd.Index(["Open", "High", "Low", "Close*", "Adj Close**", "Volume"])
    return text(frame.set_axis(days_as(frame, "%b %d, %Y"), axis=0).rename_axis("Date"), sep="\t")


def alpha_vantage() -> bytes:
    series = {
        day: {"1. open": f"{c - 0.5}", "2. high": f"{c + 1}", "3. low": f"{c - 1}", "4. close": f"{c}",
              "5. adjusted close": f"{c * FACTOR}", "6. volume": "1000", "8. split coefficient": "1.0"}
        for day, c in zip(DAYS, SPY, strict=True)
    }  # fmt: skip
    return json.dumps({"Meta Data": {"2. Symbol": "SPY"}, "Time Series (Daily)": series}).encode()


def nasdaq() -> bytes:
    frame = bars(SPY)[["Close", "Volume", "Open"]].rename(columns={"Close": "Close/Last"})
    frame["Close/Last"] = frame["Close/Last"].map("${:.2f}".format)
    return text(frame.set_axis(days_as(frame, "%m/%d/%Y"), axis=0).rename_axis("Date"))


def flattened(joint: Callable[[str, str], str]) -> pd.DataFrame:
    frames = {symbol: yahoo(closes) for symbol, closes in CLOSES.items()}
    both = levels(frames)
    return both.set_axis([joint(str(name[0]), str(name[1])) for name in both.columns], axis=1)


def tuple_parquet() -> bytes:
    frame = levels({symbol: yahoo(closes) for symbol, closes in CLOSES.items()})
    table = pa.table({"Date": pa.array(DAYS), **{str(name): pa.array(frame[name]) for name in frame.columns}})
    out = io.BytesIO()
    parquet.write_table(table, out)
    return out.getvalue()


WIDE = pd.DataFrame(CLOSES, index=pd.DatetimeIndex(DAYS, name="Date"))
BOTH = {symbol: yahoo(closes) for symbol, closes in CLOSES.items()}
EACH = {f"{symbol}.csv": text(yahoo(closes)) for symbol, closes in CLOSES.items()}
STOOQ = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n" + "\n".join(
    f"SPY.US,D,{day.replace('-', '')},000000,{c - 0.5},{c + 1},{c - 1},{c},1000,0"
    for day, c in zip(DAYS, SPY, strict=True)
)
DATES_FIRST = b"Date,Close,Close\n,SPY,QQQ\n2024-01-08,474.6,404.95\n2024-01-09,473.88,405.76\n"
YFINANCE_HISTORY = text(yahoo(SPY).assign(Dividends=0.0, **{"Stock Splits": 0.0}))
YFINANCE_ONE = levels({"SPY": yahoo(SPY)})

# name: (file name, content, symbols, what its closes are)
FORMS: dict[str, tuple[str, bytes, int, Adjustment]] = {
    "tidy csv": ("tidy.csv", text(stacked(), index=False), 2, Adjustment.UNSAID),
    "wide csv": ("wide.csv", text(WIDE), 2, Adjustment.UNSAID),
    "wide parquet": ("wide.parquet", parquet_of(WIDE), 2, Adjustment.UNSAID),
    "yfinance history": ("SPY.csv", YFINANCE_HISTORY, 1, Adjustment.BOTH),
    "yfinance three lines of headings": ("prices.csv", text(YFINANCE_ONE), 1, Adjustment.BOTH),
    "yfinance several, fields first": ("prices.csv", text(levels(BOTH)), 2, Adjustment.BOTH),
    "yfinance several, symbols first": ("p.csv", text(levels(BOTH, fields_first=False)), 2, Adjustment.BOTH),
    "yfinance, dates in the first line": (
        "p.csv", DATES_FIRST, 2, Adjustment.UNSAID
    ),
    "yfinance parquet of two levels": ("p.parquet", parquet_of(levels(BOTH)), 2, Adjustment.BOTH),
    "parquet with tuples for names": ("p.parquet", tuple_parquet(), 2, Adjustment.BOTH),
    "yfinance flattened Close_SPY": ("p.csv", text(flattened(lambda f, s: f"{f}_{s}")), 2, Adjustment.BOTH),
    "yfinance flattened SPY Close": ("p.csv", text(flattened(lambda f, s: f"{s} {f}")), 2, Adjustment.BOTH),
    "yahoo csv": ("SPY.csv", text(yahoo(SPY)), 1, Adjustment.BOTH),
    "yahoo page, copied": ("SPY.tsv", yahoo_page(), 1, Adjustment.BOTH),
    "stooq csv": ("spy_us_d.csv", text(bars(SPY)), 1, Adjustment.UNSAID),
    "stooq bulk": ("spy.us.txt", STOOQ.encode(), 1, Adjustment.UNSAID),
    "zip of one file a symbol": ("all.zip", packed(EACH), 2, Adjustment.BOTH),
    "alpaca raw json": ("bars.json", alpaca_raw(), 2, Adjustment.UNSAID),
    "alpaca sdk csv": ("bars.csv", text(alpaca_sdk()), 2, Adjustment.UNSAID),
    "alpaca sdk parquet": ("bars.parquet", parquet_of(alpaca_sdk()), 2, Adjustment.UNSAID),
    "kaggle, Name": ("all_stocks_5yr.csv", text(stacked(name="Name"), index=False), 2, Adjustment.UNSAID),
    "lean zip": ("spy.zip", packed({"spy.csv": lean(SPY)}), 1, Adjustment.UNSAID),
    "sharadar": ("SHARADAR_SEP.csv", sharadar(), 2, Adjustment.BOTH),
    "eodhd": ("SPY.US.csv", text(yahoo(SPY).rename(columns={"Adj Close": "Adjusted_close"})), 1, Adjustment.BOTH),
    "tiingo": ("SPY.csv", tiingo(), 1, Adjustment.BOTH),
    "quandl": ("SPY.csv", text(yahoo(SPY).rename(columns={"Adj Close": "Adj. Close"})), 1, Adjustment.BOTH),
    "alpha vantage json": ("answer.json", alpha_vantage(), 1, Adjustment.BOTH),
    "nasdaq, dollars": ("SPY.csv", nasdaq(), 1, Adjustment.UNSAID),
    "semicolons, decimal comma, d.m.Y": ("SPY.csv", german(bars(SPY)), 1, Adjustment.UNSAID),
    "tsv": ("tidy.tsv", text(stacked(), index=False, sep="\t"), 2, Adjustment.UNSAID),
    "gz": ("SPY.csv.gz", gzip.compress(text(yahoo(SPY))), 1, Adjustment.BOTH),
    "feather": ("tidy.feather", feather_of(stacked()), 2, Adjustment.UNSAID),
    "seconds since 1970": ("SPY.csv", epochs(1), 1, Adjustment.UNSAID),
    "milliseconds since 1970": ("SPY.csv", epochs(1000), 1, Adjustment.UNSAID),
    "yyyymmdd": ("SPY.csv", dated("%Y%m%d"), 1, Adjustment.UNSAID),
    "m/d/Y": ("SPY.csv", dated("%m/%d/%Y"), 1, Adjustment.UNSAID),
    "d/m/Y": ("SPY.csv", dated("%d/%m/%Y"), 1, Adjustment.UNSAID),
    "with offsets": ("SPY.csv", dated("%Y-%m-%d 00:00:00-05:00"), 1, Adjustment.UNSAID),
    "mark, newest first, null, last line": ("SPY.csv", with_footer(), 1, Adjustment.BOTH),
}  # fmt: skip


def imported(path: Path, answers: Answers | None = None) -> tuple[PriceHistory, Report]:
    """As the command does it: through the tidy file and the simulator's reader."""
    table, report = import_prices([path], answers or Answers())
    made = path.parent / "made.tidy.parquet"
    tidy.write(made, table, report=report)
    return read_history(made), report


def close_on(history: PriceHistory, symbol: str, day: str) -> float:
    row = history.ordinals.tolist().index(datetime.fromisoformat(day).toordinal())
    return float(history.close[row, history.positions[symbol]])


@pytest.mark.parametrize("form", FORMS)
def test_a_form_that_people_have_is_read_rightly(form: str, tmp_path: Path) -> None:
    name, content, symbols, adjustment = FORMS[form]
    (tmp_path / name).write_bytes(content)
    history, report = imported(tmp_path / name)
    assert close_on(history, "SPY", "2024-01-08") == 474.6
    assert len(history.symbols) == symbols
    if symbols == 2:
        assert close_on(history, "QQQ", "2024-01-09") == 405.76
    assert report.adjustment is adjustment
    if adjustment is Adjustment.BOTH:
        assert history.adjusted_close is not None
        np.testing.assert_allclose(history.adjusted_close / history.close, FACTOR)
    if history.given_open is not None:
        np.testing.assert_allclose(history.given_open, history.close - 0.5)
    assert [str(day) for day in history.dates] in (DAYS, DAYS[3:5])


def test_a_folder_holds_one_file_a_symbol(tmp_path: Path) -> None:
    folder = tmp_path / "prices"
    (folder / "nyse").mkdir(parents=True)
    for name, content in EACH.items():
        (folder / "nyse" / name).write_bytes(content)
    (folder / "brk-b.us.txt").write_bytes(text(bars([360.0 + at for at in range(9)])))
    (folder / "README.md").write_text("not a table")
    (folder / "empty.csv").write_text("")
    history, report = imported(folder)
    assert history.symbols == ("BRK.B", "QQQ", "SPY")
    assert close_on(history, "SPY", "2024-01-08") == 474.6
    assert close_on(history, "BRK.B", "2024-01-08") == 363.0
    assert any("empty.csv" in line for line in report.warnings)


@pytest.mark.parametrize("spelling", ["BRK.B", "BRK-B", "BRK/B", "brk_b", "BRK B", "BRK.B.US"])
def test_a_class_of_shares_is_one_symbol_however_it_is_spelled(spelling: str, tmp_path: Path) -> None:
    path = tmp_path / "tidy.csv"
    path.write_text(f"date,symbol,close\n2024-01-03,{spelling},360\n2024-01-04,BRK.B,361\n")
    history, _ = imported(path)
    assert history.symbols == ("BRK.B",)
    assert history.close[:, 0].tolist() == [360.0, 361.0]


def test_a_symbol_may_be_called_as_what_people_write_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tidy.csv"
    path.write_text("date,symbol,close\n2024-01-03,NA,36\n2024-01-03,TRUE,2\n2024-01-03,NAN,3\n")
    assert imported(path)[0].symbols == ("NA", "NAN", "TRUE")
