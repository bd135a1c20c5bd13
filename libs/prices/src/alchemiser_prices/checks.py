"""Rows of prices become bars that can be believed: what is no session, no price or twice there is found, and what
adjusts what is settled.

In: rows (date, symbol, file, row, timed, float64 columns). Out: rows, and what was dropped and understood. What could
be read in two ways is asked, with the rows and the option that answers.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

import numpy as np
import pandas as pd

from alchemiser_common.text import named
from alchemiser_prices.errors import AmbiguousPrices, UnusablePrices
from alchemiser_prices.report import Adjustment, Answers, ClosedDays, Dropped, Jump, SplitPrices

type Rows = pd.DataFrame
type PlaceOf = Callable[[int], str]
"""Names the file and the line of a row, by its index."""

_BAR = ("open", "high", "low")
_SHOWN = 5
_SAME = 1e-9
_OUTSIDE = 0.005
"""Of the close: a close so far beyond high or low is no rounding."""
_OFTEN = 0.05
_SPARSE = 3.0
"""Sessions from row to row: the usual distance of weekly and monthly prices is more."""
_WEEKS = 4
"""Fewer say nothing of the weekdays that a file has."""
_SPLIT_STEP = 1.4
"""A change of the adjustment by less may be a dividend."""
_RAW_MOVE = (0.6, 1.7)
_FALL, _RISE = -0.5, 1.0
_BACK = 0.1


@dataclass
class Notes:
    """What the checks found, collected for the report."""

    dropped: list[Dropped] = field(default_factory=list)
    understood: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def with_prices(rows: Rows, place: PlaceOf, notes: Notes) -> Rows:
    """Without rows that have no close; zeros are no prices. Raises UnusablePrices for what cannot be one."""
    rows = rows.copy()
    closes = [name for name in ("close", "adj_close") if name in rows]
    for name in (*_BAR, *closes):
        if name not in rows:
            continue
        values = rows[name].to_numpy(np.float64)
        wrong = np.flatnonzero((values < 0) | np.isinf(values))
        if wrong.size:
            at = int(rows.index[wrong[0]])
            raise UnusablePrices(
                f"{place(at)}: {name} is {float(values[wrong[0]])!r}, which is no price; correct it or leave "
                "the cell empty"
            )
        zeros = np.flatnonzero(values == 0)
        if zeros.size:
            rows[name] = np.where(values == 0, np.nan, values)
            notes.dropped.append(
                Dropped(
                    count=int(zeros.size),
                    why=f"{name} of 0, which is no price",
                    example=place(int(rows.index[zeros[0]])),
                )
            )
    if "volume" in rows:
        rows["volume"] = rows["volume"].where(np.isfinite(rows["volume"]) & (rows["volume"] >= 0))
    there = rows[closes].notna().any(axis=1)
    if not there.any():
        raise UnusablePrices(f"{place(0)}: no row has a close; export the closes")
    return rows[there]


def once(rows: Rows, place: PlaceOf, notes: Notes) -> Rows:
    """One row a day and symbol: what is there twice with the same values counts once. Raises UnusablePrices."""
    repeated = rows.duplicated(["date", "symbol"], keep=False)
    if not repeated.any():
        return rows
    numbers = [name for name in rows.columns if name not in {"date", "symbol", "file", "row", "timed"}]
    same = rows.duplicated(["date", "symbol", *numbers])
    left = rows[~same]
    clashing = left[left.duplicated(["date", "symbol"], keep=False)]
    if not clashing.empty:
        head = clashing.sort_values(["symbol", "date"], kind="stable")
        first = head.iloc[0]
        mine = head[(head["date"] == first["date"]) & (head["symbol"] == first["symbol"])]
        where = named([place(int(at)) for at in mine.index], 3)
        pair = f"{first['symbol']} has {len(mine)} different rows for {first['date'].date()} ({where})"
        if mine["timed"].any():
            raise UnusablePrices(f"{pair}, at several times of the day: these bars are not daily; give daily ones")
        raise UnusablePrices(
            f"{pair}: if they are of several symbols or kinds of prices, say which column tells them apart (--column "
            "symbol=HEADING); if one is wrong, take it out of the file"
        )
    count = int(same.sum())
    example = place(int(rows.index[np.flatnonzero(same)[0]]))
    notes.dropped.append(Dropped(count=count, why="rows that are there twice with the same values", example=example))
    return left


def exchange_days(first: date, last: date) -> "pd.DatetimeIndex":
    """Sessions of the New York exchanges from first to last, both included."""
    from exchange_calendars import get_calendar

    begin = first - pd.Timedelta(days=14)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a pandas call that the library still makes
        sessions = get_calendar("XNYS", start=str(begin)[:10], end=str(last)[:10]).sessions
    found = pd.DatetimeIndex(sessions.to_numpy("datetime64[ns]"))
    return found[found >= pd.Timestamp(first)]


def on_sessions(rows: Rows, sessions: "pd.DatetimeIndex", place: PlaceOf, answers: Answers, notes: Notes) -> Rows:
    """Without rows on days on which the exchange is closed. Raises AmbiguousPrices, UnusablePrices."""
    closed = ~rows["date"].isin(sessions)
    if not closed.any():
        return rows
    _refuse_shifted(rows["date"], place)
    close = rows["close"] if "close" in rows else rows["adj_close"]
    if "close" in rows and "adj_close" in rows:
        close = close.fillna(rows["adj_close"])
    ordered = rows.assign(_close=close).sort_values(["symbol", "date"], kind="stable")
    before = ordered.groupby("symbol", sort=False)["_close"].shift()
    off = ~ordered["date"].isin(sessions)
    moved = off & before.notna() & ((ordered["_close"] / before - 1).abs() > _SAME)
    days = ordered.loc[off, "date"]
    said = f"{int(off.sum())} rows on {days.nunique()} days on which the New York exchange is closed"
    if moved.any() and answers.closed_days is ClosedDays.ASK:
        at = ordered.index[moved.to_numpy()][0]
        row = ordered.loc[at]
        raise AmbiguousPrices(
            f"{place(int(at))}: {said} have prices of their own, first {row['symbol']} on {row['date'].date()} "
            f"({row['date'].day_name()}): {row['_close']:g} after {before[at]:g}. Leave these rows out with "
            "--closed-days drop; if the market is another one, these prices cannot be used"
        )
    what = "left out as you said" if moved.any() else "which repeat the close before"
    example = place(int(days.index[0]))
    notes.dropped.append(Dropped(count=int(off.sum()), why=f"{said}, {what}", example=example))
    kept = rows[~closed]
    if kept.empty:
        raise UnusablePrices(f"{place(0)}: no row is on a day on which the New York exchange is open")
    return kept


def _refuse_shifted(days: "pd.Series[pd.Timestamp]", place: PlaceOf) -> None:
    """Dates a day early have Sundays and no Fridays, a day late Saturdays and no Mondays: a zone was converted."""
    counts = days.drop_duplicates().dt.day_of_week.value_counts()
    usual = int(counts.max())
    if usual < _WEEKS:
        return
    for extra, lost, said in ((6, 4, "early"), (5, 0, "late")):
        if counts.get(extra, 0) > usual / 2 and counts.get(lost, 0) <= usual / 10:
            names = ("Sundays", "Fridays") if said == "early" else ("Saturdays", "Mondays")
            raise UnusablePrices(
                f"{place(0)}: dates are a day {said}: {counts[extra]} {names[0]} and {counts.get(lost, 0)} {names[1]}; "
                "a zone was converted on the way, export the dates of New York"
            )


def refuse_sparse(rows: Rows, sessions: "pd.DatetimeIndex", place: PlaceOf) -> None:
    """Weekly and monthly prices are no daily bars. Raises UnusablePrices."""
    days = pd.DatetimeIndex(np.sort(rows["date"].unique()))
    if len(days) < 3:
        return
    usual = float(np.median(np.diff(sessions.searchsorted(days))))
    if usual > _SPARSE:
        raise UnusablePrices(f"{place(0)}: usually {usual:.0f} sessions lie between two rows; give daily bars")


def settle_bars(rows: Rows, place: PlaceOf, answers: Answers, notes: Notes) -> Rows:
    """Opens, highs and lows on the scale of the closes, or none. Raises AmbiguousPrices."""
    there = [name for name in _BAR if name in rows]
    if answers.closes_only:
        return rows.drop(columns=there)
    if not there or "close" not in rows:
        return rows
    top = rows["high"] if "high" in rows else rows["open"]
    bottom = rows["low"] if "low" in rows else rows["open"]
    outside = np.zeros(len(rows), bool)
    if "high" in rows:
        outside |= (rows["close"] > top * (1 + _OUTSIDE)).to_numpy()
    if "low" in rows:
        outside |= (rows["close"] < bottom * (1 - _OUTSIDE)).to_numpy()
    count = int(outside.sum())
    if count > _OFTEN * len(rows):
        at = int(rows.index[np.flatnonzero(outside)[0]])
        raise AmbiguousPrices(
            f"{place(at)}: the close is outside low to high, as in {count} of {len(rows)} rows: closes are adjusted "
            "and the other prices are not, or the columns are others. Read the closes alone with --closes-only, or say "
            "what is what with --column FIELD=HEADING"
        )
    if count:
        notes.warnings.append(
            f"the close is outside low to high in {count} rows, first at {place(_first(rows, outside))}"
        )
    return rows


def _first(rows: Rows, which: "np.ndarray[tuple[int], np.dtype[np.bool]]") -> int:
    return int(rows.index[np.flatnonzero(which)[0]])


def settle_closes(rows: Rows, place: PlaceOf, notes: Notes) -> tuple[Rows, Adjustment]:
    """Closes, and adjusted ones where there are any for every row. Rows by symbol and day. Raises AmbiguousPrices."""
    if "adj_close" not in rows:
        return rows, Adjustment.UNSAID
    if "close" not in rows or rows["close"].isna().all():
        return rows.assign(close=rows["adj_close"]).drop(columns="adj_close"), Adjustment.ONLY_ADJUSTED
    lost = rows["close"].isna()
    if lost.any():
        example = place(_first(rows, lost.to_numpy()))
        notes.dropped.append(Dropped(count=int(lost.sum()), why="rows with an adjusted close only", example=example))
        rows = rows[~lost]
    if rows["adj_close"].isna().all():
        notes.warnings.append("the column of adjusted closes is empty: the closes are used as they are")
        return rows.drop(columns="adj_close"), Adjustment.UNSAID
    if not rows["adj_close"].isna().any():
        return rows, Adjustment.BOTH
    return _filled(rows, place, notes), Adjustment.BOTH


# Adjusted closes that are missing are closes times the factor around them, where that is the same on both sides; after
# the last one only if that was 1. A symbol without any has its closes, and the report says so.
def _filled(rows: Rows, place: PlaceOf, notes: Notes) -> Rows:
    factor = rows["adj_close"] / rows["close"]
    by_symbol = factor.groupby(rows["symbol"], sort=False)
    none = by_symbol.transform("count") == 0
    before, after = by_symbol.ffill(), by_symbol.bfill()
    last = after.isna() & ((before - 1).abs() < 1e-6)
    equal = ((before - after).abs() < 1e-6) | last
    known = factor.where(factor.notna(), before.where(equal)).where(~none, 1.0)
    if known.isna().any():
        at = _first(rows, known.isna().to_numpy())
        raise AmbiguousPrices(
            f"{place(at)}: the adjusted close of {rows['symbol'][at]!s} is empty, and the adjustment changes around "
            f"it ({int(known.isna().sum())} such rows): fill it in, or use the closes as they are with "
            "--column ignore=HEADING of that column"
        )
    bare = sorted(rows.loc[none, "symbol"].unique())
    if bare:
        notes.warnings.append(f"no adjusted close of {named(bare, _SHOWN)}: their closes are used as they are")
    filled = int((factor.isna() & ~none).sum())
    if filled:
        notes.understood.append(f"{filled} empty adjusted closes filled in by the factor of the days around them")
    return rows.assign(adj_close=rows["adj_close"].fillna(rows["close"] * known))


def settle_splits(rows: Rows, answers: Answers, notes: Notes) -> Rows:
    """Splits where prices before them are as they were traded, and nowhere else. Rows by symbol and day."""
    if "split" in rows:
        rows = rows.assign(split=rows["split"].where((rows["split"] > 0) & (rows["split"] != 1)))
        rows = _given_splits(rows, answers, notes)
    elif "adj_close" in rows:
        rows = _hidden_splits(rows, notes)
    return rows


def _given_splits(rows: Rows, answers: Answers, notes: Notes) -> Rows:
    before = rows.groupby("symbol", sort=False)["close"].shift()
    days = rows["split"].notna() & before.notna()
    if not days.any():
        return rows.drop(columns="split") if rows["split"].isna().all() else rows
    move, ratio = (rows["close"] / before)[days], rows["split"][days]
    raw: pd.Series[bool] = (move * ratio).map(np.log).abs() < move.map(np.log).abs()
    kind = answers.splits or (SplitPrices.RAW if raw.all() else SplitPrices.ADJUSTED if not raw.any() else None)
    first = rows.loc[days].iloc[0]
    said = f"{first['symbol']}'s split of {first['split']:g} on {first['date'].date()}"
    if kind is None:
        odd = rows.loc[raw.index[raw != raw.iloc[0]][0]]
        raise AmbiguousPrices(
            f"closes fall with some splits and not with others ({said}; {odd['symbol']} on {odd['date'].date()}): are "
            "prices before a split as they were traded, or divided by it? Answer with --splits raw or --splits adjusted"
        )
    if kind is SplitPrices.RAW:
        notes.understood.append(f"closes are as traded: they change with {said}; splits are kept")
        return rows
    notes.understood.append(f"closes are adjusted for splits already: they do not change with {said}")
    return rows.drop(columns="split")


# Closes as traded, adjusted ones, and no word of splits: a split shows where the adjustment steps by a simple ratio and
# the close by its inverse. Without it a simulated account would see its shares fall to a quarter.
def _hidden_splits(rows: Rows, notes: Notes) -> Rows:
    factor = rows["close"] / rows["adj_close"]
    by_symbol = rows["symbol"]
    step = factor.groupby(by_symbol, sort=False).shift() / factor
    move = rows["close"] / rows.groupby("symbol", sort=False)["close"].shift()
    large = (step > _SPLIT_STEP) | (step < 1 / _SPLIT_STEP)
    borne = (move * step).between(*_RAW_MOVE) & large
    if not borne.any():
        return rows
    ratios = step[borne].map(_simple)
    found = ratios.dropna()
    if found.empty:
        return rows
    first = rows.loc[found.index[0]]
    notes.understood.append(
        f"{len(found)} splits seen in the adjusted closes, first {first['symbol']} {found.iloc[0]:g} on "
        f"{first['date'].date()}: closes are as traded"
    )
    return rows.assign(split=found.reindex(rows.index))


def _simple(step: float) -> float | None:
    """The ratio of small numbers that a step is within 2 % of; None if there is none."""
    for most in (1, 2):
        ratio = Fraction(step).limit_denominator(most) if step > 1 else 1 / Fraction(1 / step).limit_denominator(most)
        if abs(step / float(ratio) - 1) < 0.02:
            return float(ratio)
    return None


def jumps(rows: Rows) -> Sequence[Jump]:
    """Moves of the closes that figures rest on which a person should look at, largest first. Rows by symbol and day."""
    close = rows["adj_close"] if "adj_close" in rows else rows["close"]
    if "split" in rows and "adj_close" not in rows:
        later = rows["split"].fillna(1.0)[::-1].groupby(rows["symbol"][::-1], sort=False).cumprod()[::-1]
        close = close / later * rows["split"].fillna(1.0)
    by_symbol = close.groupby(rows["symbol"], sort=False)
    before, after = by_symbol.shift(), by_symbol.shift(-1)
    move = close / before - 1
    large = (move < _FALL) | (move > _RISE)
    found = []
    for at in move.index[large]:
        back = after[at] / before[at] - 1
        remark = ""
        if abs(back) < _BACK:
            remark = "gone the day after: a bad tick?"
        elif (ratio := _simple(before[at] / close[at])) is not None and "adj_close" not in rows:
            remark = f"a split of {ratio:g} that the closes are not adjusted for?"
        row = rows.loc[at]
        found.append(Jump(symbol=str(row["symbol"]), day=row["date"].date(), move=float(move[at]), remark=remark))
    return sorted(found, key=lambda jump: (not jump.remark, -abs(np.log1p(max(jump.move, -0.999)))))
