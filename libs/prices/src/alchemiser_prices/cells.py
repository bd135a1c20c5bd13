"""Cells become dates and numbers, or a message that names the cell.

In: a column of texts, or of what a file types. Out: days of the exchange, and float64. What can be read in two ways is
decided by evidence in the file, or asked.
"""

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pandas as pd

from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_prices.errors import AmbiguousPrices, UnusablePrices
from alchemiser_prices.report import DateOrder, DecimalMark

type Floats = npt.NDArray[np.float64]

NOTHING = frozenset({"", "null", "nan", "na", "n/a", "none", "-", "--", ".", "#n/a", "nil", "\\n"})
"""What people write for no value, in small letters."""
_ISO = re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$")
_ISO_TIME = re.compile(
    r"^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)\s*(Z|UTC|[+-]\d{2}:?\d{2})?$", re.IGNORECASE
)
_DIGITS = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:[ T]?(\d{2}):?(\d{2})(?::?(\d{2}))?)?$")
_EPOCH = re.compile(r"^\d{9,19}(?:\.\d+)?$")
_SERIAL = re.compile(r"^\d{4,5}(?:\.0)?$")
_DOTTED = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})$")
_SLASHED = re.compile(r"^(\d{1,2})([/-])(\d{1,2})\2(\d{4}|\d{2})(?:[ T](\d{1,2}:\d{2}(?::\d{2})?)(?: ?[AP]M)?)?$")
_NAMED_MONTH = ("%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%b %d %Y", "%Y-%b-%d")
_EARLIEST, _LATEST = 1900, 2100
_DAYS_BEFORE_EXCEL = date(1899, 12, 30)
_SATURDAY = 5
_MONEY = re.compile(r"^[$€£]\s*|\s*[$€£]$|\s*USD$")
_COMMA_DECIMAL = re.compile(r"^-?(\d{1,3}(\.\d{3})+,\d+|\d+,(\d{1,2}|\d{4,})|0,\d+)$")
_POINT_DECIMAL = re.compile(r"^-?(\d{1,3}(,\d{3})+\.\d+|\d+\.(\d{1,2}|\d{4,})|0\.\d+|\d{1,3}(,\d{3}){2,})$")
_GROUPED = re.compile(r"^-?\d{1,3}[.,]\d{3}$")
_LARGE = {"k": 1e3, "m": 1e6, "b": 1e9}


@dataclass(frozen=True, slots=True)
class _Stamp:
    """A day of the exchange, and whether a time of day was written beside it."""

    day: date
    timed: bool = False


@dataclass(frozen=True, slots=True)
class Days:
    """A column of days, and how it was read."""

    days: "pd.Series[pd.Timestamp]"
    """NaT for what is no date."""
    timed: "pd.Series[bool]"
    """Where a time of day was written that is not the same for all rows."""
    understood: tuple[str, ...] = ()


def days_of(column: "pd.Series[str]", name: str, order: DateOrder | None) -> Days:
    """The days of the exchange in a column; `name` says whose it is, in questions. Raises AmbiguousPrices."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return _days_of_moments(column)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        moments = pd.Series(column.to_numpy("datetime64[ns]"), index=column.index)
        return Days(moments.dt.normalize(), _varied(moments - moments.dt.normalize()))
    texts = column.map(_written)
    known, understood = _read_all([str(text) for text in texts.unique()], name, order)
    stamps = [known.get(str(text)) for text in texts]
    days = pd.Series(
        pd.DatetimeIndex([pd.NaT if stamp is None else pd.Timestamp(stamp.day) for stamp in stamps]).as_unit("ns"),
        index=column.index,
    )
    timed = pd.Series([stamp is not None and stamp.timed for stamp in stamps], index=column.index, dtype=bool)
    return Days(days, timed, understood)


def looks_like_date(column: "pd.Series[str]") -> bool:
    """Whether the first cells of a column without a heading are dates."""
    first = [str(cell) for cell in column.head(5)]
    return bool(first) and all(_ISO.match(cell) or _ISO_TIME.match(cell) or _SLASHED.match(cell) for cell in first)


# A moment with an offset stands for a day in one of two ways:
#
#     00:00 of its own clock     the day that is written, whatever the offset: a vendor's or a library's date
#     any other time             the day on the exchange's wall at that moment: 05:00Z is midnight in New York
def _days_of_moments(column: "pd.Series[str]") -> Days:
    own = pd.to_datetime(column)
    exchange = own.dt.tz_convert(str(EXCHANGE_ZONE))
    midnight = own.dt.tz_localize(None) == own.dt.tz_localize(None).dt.normalize()
    local = own.dt.tz_localize(None).where(midnight, exchange.dt.tz_localize(None))
    moments = pd.Series(local.to_numpy("datetime64[ns]"), index=column.index)
    return Days(moments.dt.normalize(), _varied(moments - moments.dt.normalize()))


def _varied(times: "pd.Series[pd.Timedelta]") -> "pd.Series[bool]":
    return (times > pd.Timedelta(0)).astype(bool)


def _written(cell: object) -> str:
    """A cell as text that the table below knows."""
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, float | np.floating):
        return "" if np.isnan(cell) else format(Decimal(float(cell)), "f").rstrip("0").rstrip(".")
    return "" if cell is None or cell is pd.NaT else str(cell).strip()


def _read_all(texts: list[str], name: str, order: DateOrder | None) -> tuple[dict[str, _Stamp], tuple[str, ...]]:
    open_to_both = [text for text in texts if _SLASHED.match(text)]
    found = {text: stamp for text in texts if text not in set(open_to_both) and (stamp := _stamp(text)) is not None}
    if not open_to_both:
        return found, ()
    chosen, why = _ordered(open_to_both, name, order)
    found.update(chosen)
    return found, (why,)


def _stamp(text: str) -> _Stamp | None:
    """What is written in one way only; None for no date."""
    try:
        stamp = _plain_stamp(text)
    except (ValueError, OverflowError, OSError):
        return None
    return stamp if stamp is not None and _EARLIEST <= stamp.day.year <= _LATEST else None


def _plain_stamp(  # noqa: PLR0911  (a row for each way to write a day)
    text: str,
) -> _Stamp | None:
    if found := _ISO.match(text):
        return _Stamp(date(int(found[1]), int(found[2]), int(found[3])))
    if found := _ISO_TIME.match(text):
        offset = {"Z": "+00:00", "UTC": "+00:00"}.get((found[3] or "").upper(), found[3] or "")
        return _of_moment(datetime.fromisoformat(f"{found[1]}T{found[2][:15]}{offset}"))
    if (found := _DIGITS.match(text)) and _EARLIEST <= int(found[1]) <= _LATEST and int(found[2]) <= 12:
        at = time(int(found[4] or 0), int(found[5] or 0), int(found[6] or 0))
        return _Stamp(date(int(found[1]), int(found[2]), int(found[3])), at != time())
    if _EPOCH.match(text):
        number = float(text)
        digits = len(text.split(".", 1)[0])
        seconds = number / 10 ** (0 if digits <= 10 else 3 if digits <= 13 else 6 if digits <= 16 else 9)
        return _of_moment(datetime.fromtimestamp(seconds, UTC))
    if _SERIAL.match(text):
        return _of_serial(int(float(text)))
    if found := _DOTTED.match(text):
        return _Stamp(date(_year(found[3]), int(found[2]), int(found[1])))
    for form in _NAMED_MONTH:
        try:
            return _Stamp(datetime.strptime(text, form).date())  # noqa: DTZ007  (a date has no zone)
        except ValueError:
            continue
    return None


def _of_moment(moment: datetime) -> _Stamp:
    if moment.time() == time() or moment.tzinfo is None:
        return _Stamp(moment.date(), moment.time() != time())
    local = moment.astimezone(EXCHANGE_ZONE)
    return _Stamp(local.date(), local.time() != time())


def _of_serial(number: int) -> _Stamp | None:
    """Days since 1970 (up to 2029), or as a spreadsheet counts them (from 1990): the ranges do not meet."""
    if 7_000 <= number <= 21_915:
        return _Stamp(date(1970, 1, 1) + timedelta(days=number))
    if 32_000 <= number <= 55_000:
        return _Stamp(_DAYS_BEFORE_EXCEL + timedelta(days=number))
    return None


def _year(text: str) -> int:
    number = int(text)
    return number if len(text) == 4 else number + (2000 if number < 70 else 1900)


def _ordered(texts: list[str], name: str, order: DateOrder | None) -> tuple[dict[str, _Stamp], str]:
    """Dates of three numbers, all in one order. Raises AmbiguousPrices."""
    if order is not None:
        return _in_order(texts, order), f"dates are {_said(order)}, as you said"
    readings = {each: _in_order(texts, each) for each in DateOrder}
    whole = [each for each, found in readings.items() if len(found) == len(texts)]
    if not whole:  # whoever asks names the first that is no date
        best = max(DateOrder, key=lambda each: len(readings[each]))
        return readings[best], f"dates are {_said(best)}"
    if len(whole) == 1:
        return readings[whole[0]], f"dates are {_said(whole[0])}: no other order gives dates"
    weekends = {each: _weekend(readings[each]) for each in whole}
    clean = [each for each in whole if weekends[each] == 0]
    if len(clean) == 1:
        other = max(weekends.values())
        return readings[clean[0]], f"dates are {_said(clean[0])}: the other order has {other} on weekends"
    raise AmbiguousPrices(
        f"{name}: is {texts[0]} day/month/year or month/day/year? Both give dates; answer with --dates dmy or "
        "--dates mdy"
    )


def _in_order(texts: list[str], order: DateOrder) -> dict[str, _Stamp]:
    found = {}
    for text in texts:
        parts = _SLASHED.match(text)
        if parts is None:
            continue
        day, month = (parts[1], parts[3]) if order is DateOrder.DAY_FIRST else (parts[3], parts[1])
        try:
            found[text] = _Stamp(date(_year(parts[4]), int(month), int(day)), bool(parts[5]))
        except ValueError:
            continue
    return found


def _weekend(found: dict[str, _Stamp]) -> int:
    return sum(stamp.day.weekday() >= _SATURDAY for stamp in found.values())


def _said(order: DateOrder) -> str:
    return "day/month/year" if order is DateOrder.DAY_FIRST else "month/day/year"


def decimal_mark(
    columns: "list[pd.Series[str]]", name: str, *, commas_separate: bool, given: DecimalMark | None
) -> DecimalMark:
    """What stands before the cents in these columns of prices. Raises AmbiguousPrices, UnusablePrices."""
    if given is not None:
        return given
    texts = [text for column in columns for text in _texts(column) if "," in text or "." in text]
    if not any("," in text for text in texts) and (commas_separate or not all(_GROUPED.match(text) for text in texts)):
        return DecimalMark.POINT
    comma = next((text for text in texts if _COMMA_DECIMAL.match(text)), None)
    point = next((text for text in texts if _POINT_DECIMAL.match(text)), None)
    if comma is not None and point is not None:
        raise UnusablePrices(f"{name}: {comma} and {point} use the comma differently; export it again")
    if comma is None and point is None and texts:
        raise AmbiguousPrices(
            f"{name}: is {texts[0]} over a thousand, or a little over {re.split('[.,]', texts[0])[0]}? Answer with "
            "--decimal point or --decimal comma"
        )
    return DecimalMark.COMMA if comma is not None else DecimalMark.POINT


def _texts(column: "pd.Series[str]") -> list[str]:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return []
    return [_MONEY.sub("", cell.strip()) for cell in column.dropna().unique() if isinstance(cell, str)]


def numbers_of(column: "pd.Series[str]", mark: DecimalMark, where: Callable[[Hashable], str]) -> Floats:
    """A column as float64, NaN for nothing. `where` names the cell of an index. Raises UnusablePrices."""
    dtype = column.dtype
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
        return column.to_numpy(np.float64, na_value=np.nan)
    cells = column.to_numpy(object)
    known: dict[object, float] = {}
    for at, cell in enumerate(cells):
        try:
            if cell not in known:
                known[cell] = _number(cell, mark)
        except (ValueError, TypeError) as error:
            raise UnusablePrices(
                f"{where(column.index[at])}: {cell!r} is not a number; write prices as plain decimals and leave "
                "unknown ones empty"
            ) from error
    return np.array([known[cell] for cell in cells], np.float64)


def may_be_numbers(column: "pd.Series[str]") -> bool:
    """Whether what is written first in the column is a number; yes and no are none."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return False
    for cell in column:
        try:
            if not np.isnan(_number(cell, DecimalMark.POINT)):
                return not isinstance(cell, bool)
        except (ValueError, TypeError):
            return False
    return False


def _number(cell: object, mark: DecimalMark) -> float:
    if cell is None or cell is pd.NA or isinstance(cell, float):
        return float("nan") if cell is None or cell is pd.NA else float(str(cell))
    if not isinstance(cell, str):
        return float(str(cell))
    text = _MONEY.sub("", cell.strip())
    if text.lower() in NOTHING:
        return float("nan")
    if not re.match(r"^[-+]?[\d.,\s' ]+([eE][-+]?\d+)?[kKmMbB]?$", text):
        raise ValueError(text)
    text = re.sub(r"[\s' ]", "", text)
    factor = _LARGE.get(text[-1].lower(), 1.0)
    digits = text if factor == 1.0 else text[:-1]
    plain = digits.replace(".", "").replace(",", ".") if mark is DecimalMark.COMMA else digits.replace(",", "")
    return float(plain) * factor
