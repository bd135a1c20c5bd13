"""What used to be read wrong without a word: read rightly now, or refused with a question that names the place."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from alchemiser_cli.price_file import PriceFile
from alchemiser_prices.errors import AmbiguousPrices, UnusablePrices
from alchemiser_prices.importing import import_prices
from alchemiser_prices.report import Answers, ClosedDays, DateOrder, DecimalMark, SplitPrices
from unit.prices.test_forms import imported

SESSIONS = [str(day.date()) for day in pd.bdate_range("2024-03-04", periods=18)]
"""No holiday among them."""


def written(folder: Path, content: str, name: str = "SPY.csv") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def lines(rows: list[str], heading: str = "Date,Close") -> str:
    return "\n".join([heading, *rows]) + "\n"


def earned(path: Path, answers: Answers | None = None) -> float:
    """What the closes that figures rest on have earned from the first to the last."""
    history, _ = imported(path, answers)
    closes = PriceFile(history).bars(history.symbols).closes[:, 0]
    return float(closes[-1] / closes[0] - 1)


@pytest.mark.parametrize(
    "spelling",
    ["Adj Close", "adj_close", "AdjClose", "Adjusted Close", "adjusted_close", "closeadj", "Adj. Close", "adjClose",
     "5. adjusted close", "Adj Close**"],
)  # fmt: skip
def test_the_adjusted_close_is_used_however_it_is_spelled(spelling: str, tmp_path: Path) -> None:
    """A split of 4 for 1 halfway: -64 % by the closes, +44 % in truth."""
    half = len(SESSIONS) // 2
    adjusted = [100 * 1.44 ** (at / (len(SESSIONS) - 1)) for at in range(len(SESSIONS))]
    rows = [
        f"{day},{a * 4 if at < half else a},{a}" for at, (day, a) in enumerate(zip(SESSIONS, adjusted, strict=True))
    ]
    path = written(tmp_path, lines(rows, f"Date,Close,{spelling}"))
    assert earned(path) == pytest.approx(0.44)
    (split,) = imported(path)[0].splits
    assert (split.day, split.ratio) == (date.fromisoformat(SESSIONS[half]), 4.0)


def test_a_column_that_merely_looks_adjusted_is_asked_about(tmp_path: Path) -> None:
    path = written(tmp_path, lines([f"{day},10,{5 + at}" for at, day in enumerate(SESSIONS)], "Date,Close,px_adj_tr"))
    with pytest.raises(AmbiguousPrices, match=r"'px_adj_tr'.*--column adj_close='px_adj_tr'.*--column ignore="):
        import_prices([path])
    assert earned(path, Answers(columns=(("ignore", "px_adj_tr"),))) == 0.0
    assert earned(path, Answers(columns=(("adj_close", "px_adj_tr"),))) == pytest.approx(22 / 5 - 1)


def test_bars_without_a_column_of_symbols_are_one_symbol_and_not_five(tmp_path: Path) -> None:
    rows = [f"{day},10,11,9,10.5,100" for day in SESSIONS]
    heading = "Date,Open,High,Low,Close,Volume"
    assert imported(written(tmp_path, lines(rows, heading)))[0].symbols == ("SPY",)
    unnamed = written(tmp_path, lines(rows, heading), "data.csv")
    with pytest.raises(AmbiguousPrices, match=r"data\.csv.*no column says of which.*--symbol"):
        import_prices([unnamed])
    assert imported(unnamed, Answers(symbol="brk/b"))[0].symbols == ("BRK.B",)


def test_a_wide_table_of_symbols_that_are_called_like_fields_stays_one(tmp_path: Path) -> None:
    path = written(tmp_path, lines(["2024-03-04,1,2,3,4", "2024-03-05,1,2,3,4"], "Date,OPEN,LOW,C,SPY"), "wide.csv")
    assert imported(path)[0].symbols == ("C", "LOW", "OPEN", "SPY")


def test_weekends_and_holidays_that_repeat_the_close_are_no_sessions(tmp_path: Path) -> None:
    """Filled to seven days a week a window of five rows is three sessions: momentum is another one."""
    days = pd.date_range("2024-03-25", "2024-04-05")  # with Good Friday
    closes = pd.Series(
        [10.0, 11, 12, 13, 14, 15, 16, 17, 18], index=pd.bdate_range("2024-03-25", "2024-04-05").drop("2024-03-29")
    )
    filled = closes.reindex(days).ffill()
    path = written(
        tmp_path, lines([f"{day},{close}" for day, close in zip(days.strftime("%Y-%m-%d"), filled, strict=True)])
    )
    history, report = imported(path)
    assert len(history.dates) == 9
    assert date(2024, 3, 29) not in history.dates
    assert [one.count for one in report.dropped] == [3]
    assert "3 days on which the New York exchange is closed" in report.odd()[0]
    assert PriceFile(history).bars(("SPY",)).closes[:, 0].tolist() == closes.tolist()


def test_weekends_with_prices_of_their_own_are_asked_about(tmp_path: Path) -> None:
    days = pd.date_range("2024-03-04", periods=14)
    path = written(tmp_path, lines([f"{day.date()},{100 + at}" for at, day in enumerate(days)]))
    with pytest.raises(AmbiguousPrices, match=r"line 7: 4 rows on 4 days.*2024-03-09 \(Saturday\).*--closed-days drop"):
        import_prices([path])
    history, _ = imported(path, Answers(closed_days=ClosedDays.DROP))
    assert len(history.dates) == 10


@pytest.mark.parametrize("as_parquet", [False, True], ids=["csv", "parquet"])
@pytest.mark.parametrize(
    ("zone", "clock"),
    [("America/New_York", "00:00"), ("America/New_York", "16:00"), ("UTC", "00:00"), ("Europe/Berlin", "00:00")],
)
def test_a_moment_with_an_offset_is_the_same_day_in_every_form(
    zone: str, clock: str, tmp_path: Path, *, as_parquet: bool
) -> None:
    moments = pd.DatetimeIndex([f"{day} {clock}" for day in SESSIONS]).tz_localize(zone)
    if clock == "16:00":
        moments = moments.tz_convert("Asia/Tokyo")  # the day after
    frame = pd.DataFrame({"Date": moments, "Close": np.arange(10.0, 28.0)})
    path = tmp_path / ("SPY.parquet" if as_parquet else "SPY.csv")
    frame.to_parquet(path) if as_parquet else frame.to_csv(path, index=False)
    assert [str(day) for day in imported(path)[0].dates] == SESSIONS


def test_dates_that_a_zone_has_moved_by_a_day_are_refused(tmp_path: Path) -> None:
    days = pd.DatetimeIndex(pd.bdate_range("2024-03-04", periods=30).delete(19)) - pd.Timedelta(days=1)
    path = written(tmp_path, lines([f"{day.date()},10" for day in days]))
    with pytest.raises(UnusablePrices, match=r"dates are a day early: 6 Sundays and 0 Fridays"):
        import_prices([path])


def test_an_adjusted_close_that_one_symbol_lacks_leaves_it_its_closes(tmp_path: Path) -> None:
    rows = [f"{day},AAA,10,5\n{day},BBB,20," for day in SESSIONS]
    history, report = imported(written(tmp_path, lines(rows, "date,symbol,close,adj_close"), "tidy.csv"))
    closes = PriceFile(history).bars(("AAA", "BBB")).closes
    assert not np.isnan(closes).any()
    assert closes[0, 1] == 20
    assert report.warnings == ("no adjusted close of BBB: their closes are used as they are",)


def test_an_adjusted_close_that_is_missing_where_the_adjustment_changes_is_asked_about(tmp_path: Path) -> None:
    rows = [f"{day},AAA,10,{'' if at == 5 else 5 if at < 5 else 10}" for at, day in enumerate(SESSIONS)]
    path = written(tmp_path, lines(rows, "date,symbol,close,adj_close"), "tidy.csv")
    with pytest.raises(AmbiguousPrices, match=r"tidy\.csv, line 7: the adjusted close of AAA is empty"):
        import_prices([path])


def test_days_as_small_integers_are_dates(tmp_path: Path) -> None:
    """Days since 1970, and yyyymmdd, as 32-bit integers: one was a traceback, the other a date in the year 57,000."""
    days = pd.DatetimeIndex(SESSIONS)
    for name, numbers in {
        "since": (days - pd.Timestamp("1970-01-01")).days,
        "written": days.strftime("%Y%m%d").astype(int),
    }.items():
        table = pa.table({"date": pa.array(numbers, pa.int32()), "SPY": pa.array(np.arange(1.0, 19.0))})
        parquet.write_table(table, tmp_path / f"{name}.parquet")
        assert [str(day) for day in imported(tmp_path / f"{name}.parquet")[0].dates] == SESSIONS


def test_a_repeated_column_is_named(tmp_path: Path) -> None:
    table = pa.Table.from_arrays(
        [pa.array(SESSIONS), pa.array([1.0] * 18), pa.array([2.0] * 18)], ["date", "SPY", "SPY"]
    )
    parquet.write_table(table, tmp_path / "p.parquet")
    for path in (tmp_path / "p.parquet", written(tmp_path, "date,SPY,SPY\n2024-03-04,1,2\n")):
        with pytest.raises(UnusablePrices, match=r"2 columns are called 'SPY'"):
            import_prices([path])


def test_no_advice_destroys_data_where_days_repeat(tmp_path: Path) -> None:
    rows = [f"{day},{name},{close}" for day in SESSIONS for name, close in (("AAA", 10), ("BBB", 20))]
    several = written(tmp_path, lines(rows, "date,security,close"))
    with pytest.raises(AmbiguousPrices, match=r"is 'security' the column of symbols"):
        import_prices([several])
    assert imported(several, Answers(columns=(("symbol", "security"),)))[0].symbols == ("AAA", "BBB")
    hours = [f"{day} {hour}:30:00,{hour}" for day in SESSIONS for hour in (10, 11)]
    with pytest.raises(UnusablePrices, match=r"line 2.*at several times of the day: these bars are not daily"):
        import_prices([written(tmp_path, lines(hours))])
    twice = [f"{SESSIONS[0]},1", f"{SESSIONS[0]},2"]
    with pytest.raises(UnusablePrices, match=r"SPY has 2 different rows for 2024-03-04 .*line 2.*line 3"):
        import_prices([written(tmp_path, lines(twice))])
    same = [f"{SESSIONS[0]},1", f"{SESSIONS[0]},1", f"{SESSIONS[1]},1"]
    assert imported(written(tmp_path, lines(same)))[1].dropped[0].count == 1


def test_a_class_of_shares_in_two_spellings_with_two_prices_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, lines([f"{SESSIONS[0]},BRK.B,1", f"{SESSIONS[0]},BRK-B,2"], "date,symbol,close"))
    with pytest.raises(UnusablePrices, match=r"BRK\.B has 2 different rows"):
        import_prices([path])


def test_month_and_day_that_could_be_either_are_asked_about(tmp_path: Path) -> None:
    path = written(tmp_path, lines(["03/04/2024,10", "04/03/2024,12"]))
    with pytest.raises(AmbiguousPrices, match=r"03/04/2024 day/month/year or month/day/year.*--dates dmy"):
        import_prices([path])
    assert earned(path, Answers(dates=DateOrder.MONTH_FIRST)) == pytest.approx(0.2)
    assert earned(path, Answers(dates=DateOrder.DAY_FIRST)) == pytest.approx(10 / 12 - 1)


def test_a_comma_that_could_be_either_is_asked_about(tmp_path: Path) -> None:
    path = written(tmp_path, 'Date,Close\n2024-03-04,"1,234"\n2024-03-05,"1,250"\n')
    with pytest.raises(AmbiguousPrices, match=r"1,234 over a thousand.*--decimal point or --decimal comma"):
        import_prices([path])
    assert imported(path, Answers(decimal=DecimalMark.POINT))[0].close[0, 0] == 1234
    assert imported(path, Answers(decimal=DecimalMark.COMMA))[0].close[0, 0] == 1.234
    both = written(tmp_path, 'Date,Close\n2024-03-04,"1,234.5"\n2024-03-05,"1.234,5"\n')
    with pytest.raises(UnusablePrices, match=r"use the comma differently"):
        import_prices([both])


@pytest.mark.parametrize(("before", "kept"), [(400.0, True), (100.0, False)], ids=["as traded", "adjusted already"])
def test_splits_count_only_where_prices_change_with_them(before: float, tmp_path: Path, *, kept: bool) -> None:
    """yfinance shows splits beside prices that are divided by them already: applied again they would be nonsense."""
    rows = [f"{day},{before if at < 9 else 101},{4.0 if at == 9 else 0.0}" for at, day in enumerate(SESSIONS)]
    path = written(tmp_path, lines(rows, "Date,Close,Stock Splits"))
    assert bool(imported(path)[0].splits) is kept
    assert earned(path) == pytest.approx(0.01)
    assert bool(imported(path, Answers(splits=SplitPrices.ADJUSTED))[0].splits) is False


def test_adjusted_closes_beside_prices_as_traded_are_asked_about(tmp_path: Path) -> None:
    rows = [f"{day},40,42,39,10" for day in SESSIONS]
    path = written(tmp_path, lines(rows, "Date,Open,High,Low,Close"))
    with pytest.raises(
        AmbiguousPrices, match=r"line 2: the close is outside low to high, as in 18 of 18 rows.*--closes-only"
    ):
        import_prices([path])
    assert imported(path, Answers(closes_only=True))[0].given_open is None


def test_a_bad_tick_and_a_split_that_is_not_adjusted_for_are_shown(tmp_path: Path) -> None:
    closes = [10.0] * 5 + [1000.0] + [10.0] * 5 + [5.0] * 7
    rows = [f"{day},{close}" for day, close in zip(SESSIONS, closes, strict=True)]
    remarks = " ".join(imported(written(tmp_path, lines([*rows[:-7], *(f"{d},3.3" for d in SESSIONS[11:])])))[1].odd())
    assert "SPY moved +9900% on 2024-03-11: gone the day after: a bad tick?" in remarks
    assert "a split of 3 that the closes are not adjusted for?" in remarks


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("symbol,close\nAAA,1\n", ["no column of dates among symbol, close", "--column date="]),
        ("date,symbol,open\n2024-01-02,AAA,1\n", ["no column of closes", "--column close="]),
        ("date,symbol,close\n2024-01-02,AAA,1\n2024-01-03,AAA,-3\n", ["line 3", "-3.0", "no price"]),
        ("date,SPY,QQQ\n2024-01-02,1,n/k\n", ["column 'QQQ', line 2", "'n/k' is not a number"]),
        ("date,SPY\n13/13/2024,1\n", ["column 'date', line 2", "'13/13/2024' is not a date", "2021-03-31"]),
        ("date,SPY\n2024-01-02,1\n,2\n2024-01-03,2\n", ["column 'date', line 3 is empty"]),
        ("date,symbol,close\n2024-01-02,,1\n2024-01-03,AAA,1\n", ["column 'symbol', line 2 is empty"]),
        ("date,symbol,close\n2024-01-02,Apple Incorporated,1\n", ["'Apple Incorporated'", "--column symbol="]),
        ("date,Apple Incorporated,SPY\n2024-01-02,1,1\n", ["'Apple Incorporated'", "--column ignore="]),
        ("date,symbol,close\n", ["holds no rows"]),
        ("date,SPY\n2024-01-31,1\n2024-02-29,1\n2024-03-28,2\n2024-04-30,3\n", ["20 sessions lie between two rows"]),
        ("date,SPY\n2024-01-02,1,2,3\n", ["4 cells under 2 headings"]),
        ("PAR1 not really", ["not readable as Parquet", "export it again"]),
    ],
)
def test_a_faulty_file_is_refused_by_place_and_remedy(content: str, words: list[str], tmp_path: Path) -> None:
    path = written(tmp_path, content, "prices.csv")
    with pytest.raises(UnusablePrices) as refused:
        import_prices([path])
    missing = [word for word in [str(path), *words] if word not in str(refused.value)]
    assert not missing, f"the message lacks {missing}: {refused.value}"
