"""A file becomes a table: cells under headings of one or two levels, each row with its place in the file.

In: a file's bytes. Out: a Table of texts (CSV) or of what the file types (Parquet, Feather, JSON). Nothing is
interpreted here but where the headings are. Text stays text: a symbol may be called NA or TRUE.
"""

import ast
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import feather, parquet

from alchemiser_prices.cells import looks_like_date
from alchemiser_prices.errors import UnusablePrices
from alchemiser_prices.files import Found
from alchemiser_prices.spellings import Field, field_of, fields_of

type Heading = tuple[str, ...]
_SEPARATORS = ",;\t|"
_SEARCHED = 40
"""Lines among which the headings must be."""
_LEAN = re.compile(r"^\d{8} \d{2}:\d{2}$")
_LEAN_COLUMNS = ("date", "open", "high", "low", "close", "volume")
_TUPLE = re.compile(r"^\(\s*'.*'\s*,\s*'.*'\s*\)$")


@dataclass(frozen=True, slots=True)
class Table:
    """Cells (a column for each heading, numbered) and where they come from."""

    name: str
    stem: str
    headings: tuple[Heading, ...]
    cells: "pd.DataFrame"
    form: str
    first_line: int
    """Line of the file, or row of the table, of the first row of cells; 1 is the first."""
    of_lines: bool
    lean: bool = False
    """Prices are in hundredths of a cent."""

    def place(self, row: int) -> str:
        """Where a row is, for a sentence."""
        return f"{'line' if self.of_lines else 'row'} {row + self.first_line}"

    def headed(self, wanted: str) -> str:
        """For sentences: the headings, shortened."""
        names = [" ".join(part for part in heading if part) for heading in self.headings]
        more = f" and {len(names) - 10} more" if len(names) > 10 else ""
        return f"{self.name}: {wanted} among the columns {', '.join(names[:10])}{more}"


def read_table(found: Found, date_heading: str | None = None) -> Table | None:
    """The table in a file; None for an empty file. `date_heading` is what a person said the dates are under.

    Raises UnusablePrices.
    """
    data = found.data
    if not data.strip():
        return None
    if data[:4] == b"PAR1" or data[:6] in {b"ARROW1", b"FEA1\x00\x00"} or data[:4] == b"FEA1":
        return _columnar(found)
    if data.lstrip()[:1] in {b"{", b"["}:
        return _json(found)
    return _text(found, date_heading)


def _columnar(found: Found) -> Table:
    kind = "Parquet" if found.data[:4] == b"PAR1" else "Feather"
    try:
        source = io.BytesIO(found.data)
        table = parquet.ParquetFile(source).read() if kind == "Parquet" else feather.read_table(source)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UnusablePrices(f"{found.name}: not readable as {kind} ({reason}); export it again") from error
    _refuse_repeated(found.name, [(str(name),) for name in table.column_names])
    try:
        frame = table.to_pandas()
    except (pa.ArrowException, ValueError, TypeError, KeyError):
        frame = table.replace_schema_metadata(None).to_pandas()
    return _framed(found, frame, kind)


def _framed(found: Found, frame: "pd.DataFrame", kind: str) -> Table:
    """What a table of types holds; an index that means something is a column like others."""
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.rename_axis(index=[str(name or f"unnamed{at}") for at, name in enumerate(frame.index.names)])
        frame = frame.reset_index()
    headings = tuple(_heading(name) for name in frame.columns)
    _refuse_repeated(found.name, headings)
    two = any(len(heading) == 2 for heading in headings)
    wide = tuple((heading[0], "") if two and len(heading) == 1 else heading for heading in headings)
    frame = frame.set_axis(range(frame.shape[1]), axis=1)
    unnamed = [at for at, heading in enumerate(wide) if heading[0].startswith("unnamed")]
    if len(unnamed) == 1 and not _has_date(wide) and pd.api.types.is_datetime64_any_dtype(frame[unnamed[0]].dtype):
        wide = tuple(("date", *heading[1:]) if at == unnamed[0] else heading for at, heading in enumerate(wide))
    return Table(found.name, found.stem, wide, frame, kind, 1, of_lines=False)


def _heading(name: object) -> Heading:
    parts: Sequence[object] = name if isinstance(name, tuple) else (name,)
    if isinstance(name, str) and _TUPLE.match(name):
        read = ast.literal_eval(name)
        parts = read if isinstance(read, tuple) else (name,)
    texts = tuple("" if part is None else str(part) for part in parts)
    return texts if len(texts) == 2 else (" ".join(text for text in texts if text),)


def _has_date(headings: Sequence[Heading]) -> bool:
    return any(field is Field.DATE for field in fields_of([heading[0] for heading in headings]).values())


def _refuse_repeated(name: str, headings: Sequence[Heading]) -> None:
    twice = [heading for heading, count in Counter(headings).items() if count > 1 and any(heading)]
    if twice:
        said = " ".join(twice[0])
        raise UnusablePrices(
            f"{name}: {Counter(headings)[twice[0]]} columns are called {said!r}; keep the one you mean"
        )


def _json(found: Found) -> Table:
    try:
        content = json.loads(found.data.decode("utf-8-sig"))
        records = list(_records(content))
    except (ValueError, TypeError, RecursionError) as error:
        raise UnusablePrices(f"{found.name}: not readable as JSON ({error}); download it again") from error
    if not records:
        raise UnusablePrices(
            f"{found.name}: no bars in this JSON; known are a list of bars, a list for each symbol, and the answers "
            "of Alpaca, Alpha Vantage, EODHD, Polygon and Tiingo"
        )
    return _framed(found, pd.DataFrame.from_records(records), "JSON")


def _records(content: object, symbol: str | None = None) -> Iterator[dict[str, object]]:
    if isinstance(content, list):
        for item in content:
            if isinstance(item, dict):
                yield {**({} if symbol is None else {"symbol": symbol}), **item}
        return
    if not isinstance(content, dict):
        return
    named = content.get("symbol") or content.get("ticker") or symbol
    for key in ("bars", "results", "data", "prices"):
        if key in content:
            yield from _records(content[key], named if isinstance(named, str) else None)
            return
    series = next((key for key in content if str(key).startswith("Time Series")), None)
    if series is not None:
        yield from _by_day(content, content[series])
        return
    for key, bars in content.items():
        if isinstance(bars, list):
            yield from _records(bars, str(key))


def _by_day(answer: Mapping[str, Any], bars: Mapping[str, Mapping[str, object]]) -> Iterator[dict[str, object]]:
    """Alpha Vantage's bars, each under its day."""
    meta = answer.get("Meta Data")
    name = meta.get("2. Symbol") if isinstance(meta, dict) else None
    for day, bar in bars.items():
        yield {"date": day, **({} if name is None else {"symbol": name}), **bar}


def _text(found: Found, date_heading: str | None) -> Table:
    text = _decoded(found)
    lines = text.splitlines()
    head = [(at, line) for at, line in enumerate(lines[:_SEARCHED]) if line.strip() and not line.startswith("#")]
    separator = max(_SEPARATORS, key=lambda sign: _weight(head, sign))
    rows = [(at, [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]) for at, line in head]
    shape = _shape(found.name, rows, date_heading)
    cells = _body(found.name, lines, shape, separator)
    width = len(shape.headings)
    for extra in range(width, cells.shape[1]):
        if (cells[extra] != "").any():
            raise UnusablePrices(
                f"{found.name}: rows have {cells.shape[1]} cells under {width} headings; decimal commas need another "
                "separator or quotes"
            )
    for missing in range(cells.shape[1], width):
        cells[missing] = ""
    headings = list(shape.headings)
    named = [at for at, heading in enumerate(headings) if any(heading)]
    if not _has_date(headings) and not any(headings[0]) and looks_like_date(cells[0]):
        headings[0] = ("date", *headings[0][1:])
        named = [0, *named]
    _refuse_repeated(found.name, headings)
    kept = cells[named].set_axis(range(len(named)), axis=1)
    said = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}[separator]
    form = "LEAN, no headings" if shape.lean else f"text with {said}s"
    levels = tuple(headings[at] for at in named)
    return Table(found.name, found.stem, levels, kept, form, shape.body + 1, of_lines=True, lean=shape.lean)


def _decoded(found: Found) -> str:
    if found.data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return found.data.decode("utf-16", "replace")
    try:
        text = found.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = found.data.decode("cp1252", "replace")
    if "\x00" in text[:4000]:
        raise UnusablePrices(f"{found.name}: neither text nor Parquet, Feather, JSON or zip; export it as CSV")
    return text


def _weight(head: Sequence[tuple[int, str]], sign: str) -> float:
    """How surely the sign separates: cells of the line of headings, which has no decimal commas, count most."""
    counts = [line.count(sign) for _, line in head]
    letters = [count for count, (_, line) in zip(counts, head, strict=True) if re.search(r"[A-Za-z]{2}", line)]
    return 10 * max(letters[:5], default=0) + (min(counts, default=0))


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where the headings end."""

    headings: tuple[Heading, ...]
    body: int
    """Number of the first line that is none of them, from 0."""
    lean: bool = False


# Headings as they come:
#
#     Date,Open,Close        one line
#     Price,Close,Volume     yfinance: fields, symbols, and a line with nothing but the index's name
#     Ticker,SPY,SPY
#     Date,,
#     Date,Close,Close       fields with the date, symbols below
#     ,SPY,QQQ
def _shape(name: str, rows: Sequence[tuple[int, list[str]]], date_heading: str | None) -> _Shape:
    if not rows:
        raise UnusablePrices(f"{name}: holds no rows; export at least one session")
    for place, (line, row) in enumerate(rows):
        if not any(_is_date(cell, row, date_heading) for cell in row):
            continue
        rest = [cell for cell in row if cell and not _is_date(cell, row, date_heading)]
        above = [cells for _, cells in rows[max(place - 2, 0) : place]]
        if not rest and above and len(row) > 1:
            return _Shape(_levels([*above[-2:], row]), line + 1)
        below = rows[place + 1][1] if place + 1 < len(rows) else []
        if len(rest) > 0 and below and below[0].lower() in {"", "ticker", "symbol"} and _all_words(below[1:]):
            fields = [re.sub(r"\.\d+$", "", cell) if field_of(cell) is None else cell for cell in row]
            return _Shape(_levels([fields, below, row]), rows[place + 1][0] + 1)
        return _Shape(tuple((cell,) for cell in row), line + 1)
    line, first = rows[0]
    if len(first) == len(_LEAN_COLUMNS) and _LEAN.match(first[0]):
        return _Shape(tuple((column,) for column in _LEAN_COLUMNS), line, lean=True)
    if first[0] == "":
        below = rows[1][1] if len(rows) > 1 else []
        if below and below[0].lower() in {"", "ticker", "symbol"} and _all_words(below[1:]):
            return _Shape(_levels([first, below, ["date"]]), rows[1][0] + 1)
        return _Shape(tuple((cell,) for cell in first), line + 1)
    raise UnusablePrices(
        f"{name}: no column of dates among {', '.join(first[:8])}; say which it is with --column date=HEADING"
    )


def _is_date(cell: str, row: Sequence[str], date_heading: str | None) -> bool:
    if date_heading is not None:
        return cell == date_heading
    return bool(cell) and fields_of(list(row))[cell] is Field.DATE


def _all_words(cells: Sequence[str]) -> bool:
    """Whether they are symbols and not prices."""
    return bool(cells) and any(cells) and all(not cell or re.search(r"[A-Za-z]", cell) for cell in cells)


def _levels(rows: Sequence[Sequence[str]]) -> tuple[Heading, ...]:
    """Headings from one or two lines, and the line that names the dates in its first cell."""
    *levels, last = rows
    width = max(len(row) for row in levels)
    padded = [[*row, *[""] * (width - len(row))] for row in levels]
    columns = [tuple(row[at] for row in padded) for at in range(1, width)]
    return ((last[0] or "date", *[""] * (len(levels) - 1)), *columns)


def _body(name: str, lines: Sequence[str], shape: _Shape, separator: str) -> "pd.DataFrame":
    # Names for one column more than there are headings: a row that ends in a separator is as good as one without.
    widest = max((line.count(separator) for line in lines[shape.body : shape.body + _SEARCHED]), default=0) + 1
    columns = list(range(max(widest, len(shape.headings))))
    try:
        cells = pd.read_csv(
            io.StringIO("\n".join(lines[shape.body :])),
            sep=separator,
            header=None,
            names=columns,
            dtype="str",
            keep_default_na=False,
            na_filter=False,
            skip_blank_lines=False,
            index_col=False,
        )
    except pd.errors.EmptyDataError:
        cells = pd.DataFrame({column: pd.Series([], dtype="str") for column in columns})
    except pd.errors.ParserError as error:
        reason = str(error).splitlines()[0]
        raise UnusablePrices(f"{name}: rows of different length ({reason}); export it again") from error
    texts: dict[Any, pd.Series[str]] = {at: cells[at].fillna("").str.strip() for at in columns}
    return pd.DataFrame(texts)
