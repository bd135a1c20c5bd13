"""Reads a price file (Parquet or CSV, tidy or wide) into a PriceHistory.

In: a path. Out: a PriceHistory, or a HistoryError that names file, column and value and says what to do. Must never
import pandas: the command line reads with this on a start-up budget.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from alchemiser_simulator.market.derive import FloatArray, IntArray
from alchemiser_simulator.market.history import PriceHistory, Split

type Column = pa.ChunkedArray[Any] | pa.Array[Any]

_DATE_NAMES = ("date", "day", "timestamp")
_SYMBOL_NAMES = ("symbol", "ticker")
_SHARE_CLASS = re.compile(r"^([A-Z]{1,5})[/-]([A-Z])$")
_EPOCH = date(1970, 1, 1).toordinal()


class HistoryError(ValueError):
    """A price file cannot be used; the message names the place and the remedy."""


@dataclass(frozen=True)
class _Source:
    """A loaded table and its column names by lower case."""

    path: Path
    table: pa.Table
    names: dict[str, str]

    def first_of(self, candidates: tuple[str, ...]) -> str | None:
        """The table's own spelling of the first candidate it has."""
        return next((self.names[name] for name in candidates if name in self.names), None)


def read_history(path: Path | str) -> PriceHistory:
    """Prices from `path`: columns date, symbol, close (and open, high, low, volume, adj_close, split), or date and
    one column of closes a symbol; USD and shares, empty for unknown. Rows may come in any order. Raises HistoryError.
    """
    source = _load(Path(path))
    day_column = source.first_of(_DATE_NAMES)
    if day_column is None:
        raise HistoryError(f"{source.path}: no date column among {_listed(source.table)}; name one of them 'date'")
    if source.table.num_rows == 0:
        raise HistoryError(f"{source.path}: holds no rows; export at least one session")
    days = _ordinals(source, day_column)
    symbol_column = source.first_of(_SYMBOL_NAMES)
    return _wide(source, day_column, days) if symbol_column is None else _tidy(source, symbol_column, days)


def _listed(table: pa.Table) -> str:
    names = [str(name) for name in table.column_names]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _load(path: Path) -> _Source:
    if not path.is_file():
        raise HistoryError(f"{path}: no such file; give a Parquet or CSV file of daily prices")
    try:
        if path.suffix.lower() in {".csv", ".txt", ".gz"}:
            from pyarrow import csv

            table = csv.read_csv(path)
        else:
            from pyarrow import parquet

            table = parquet.ParquetFile(path).read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise HistoryError(f"{path}: not readable as Parquet or CSV ({reason}); export it again") from error
    return _Source(path, table, {str(name).lower(): str(name) for name in table.column_names})


def _ordinals(source: _Source, column: str) -> IntArray:
    values = source.table.column(column)
    try:
        stamps = pc.cast(values, pa.date32()) if not pa.types.is_dictionary(values.type) else values.cast(pa.date32())
    except pa.ArrowException as error:
        stamps = None
        reason = str(error).splitlines()[0]
    if stamps is None:
        raise HistoryError(f"{source.path}: column '{column}' is not a date ({reason}); write dates as 2021-03-31")
    if stamps.null_count:
        row = int(pc.index(pc.is_null(stamps), pa.scalar(value=True)).as_py())
        raise HistoryError(f"{source.path}: column '{column}' is empty in row {row + 1}; give every row a date")
    return _integers(stamps.cast(pa.int32())) + _EPOCH


def _integers(values: Column) -> IntArray:
    return _view(values.cast(pa.int64()), np.dtype(np.int64))


def _view[T: np.generic](values: Column, dtype: np.dtype[T]) -> npt.NDArray[T]:
    """The buffer of an array without nulls. Arrow's own `to_numpy` would import pandas."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    data = whole.buffers()[1]
    return np.frombuffer(b"" if data is None else data, dtype=dtype)[whole.offset : whole.offset + len(whole)]


def _numbers(source: _Source, column: str) -> FloatArray:
    """A column as float64, NaN for empty cells."""
    values = source.table.column(column)
    try:
        if pa.types.is_null(values.type):
            return np.full(len(values), np.nan)
        numbers = _view(pc.cast(values, pa.float64()), np.dtype(np.float64))
        if isinstance(values.type, pa.Decimal128Type):
            numbers = np.round(numbers, values.type.scale)  # Arrow multiplies by 0.01, which is not 1/100
        if not values.null_count:
            return numbers
        known = _view(pc.cast(pc.is_valid(values), pa.uint8()), np.dtype(np.uint8))
        return np.where(known == 1, numbers, np.nan)
    except pa.ArrowException as error:
        for row, cell in enumerate(values.to_pylist()):
            try:
                float(cell if cell is not None else 0)
            except (TypeError, ValueError):
                where = f"{source.path}: column '{column}', row {row + 1}: {cell!r} is not a number"
                raise HistoryError(f"{where}; write prices as plain decimals and leave unknown ones empty") from error
        raise HistoryError(f"{source.path}: column '{column}' does not hold numbers; leave it out") from error


def _prices(source: _Source, column: str) -> FloatArray:
    values = _numbers(source, column)
    wrong = (values <= 0) | np.isinf(values)
    if wrong.any():
        row = int(np.argmax(wrong))
        where = f"{source.path}: column '{column}', row {row + 1}: price {values[row]!r}"
        raise HistoryError(f"{where} is not above zero; correct it or leave the cell empty")
    return values


def _days_of(ordinals: IntArray) -> tuple[date, ...]:
    return tuple(date.fromordinal(int(day)) for day in ordinals)


def _wide(source: _Source, day_column: str, days: IntArray) -> PriceHistory:
    unique, first, counts = np.unique(days, return_index=True, return_counts=True)
    if len(unique) != len(days):
        day = date.fromordinal(int(unique[np.argmax(counts > 1)]))
        raise HistoryError(f"{source.path}: {day} occurs {int(counts.max())} times; keep one row a session")
    names = {_spelled(str(name)): str(name) for name in source.table.column_names if name != day_column}
    if not names:
        raise HistoryError(f"{source.path}: has dates but no prices; add one column of closes for each symbol")
    symbols = sorted(names)
    close = np.empty((len(days), len(symbols)))
    for column, symbol in enumerate(symbols):
        close[:, column] = _prices(source, names[symbol])[first]
    return PriceHistory(_days_of(unique), tuple(symbols), close, source=str(source.path))


def _spelled(name: str) -> str:
    """A symbol as Alpaca spells it: a class of shares is BRK.B, also where a file says BRK/B or BRK-B."""
    return _SHARE_CLASS.sub(r"\1.\2", name)


def _tidy(source: _Source, symbol_column: str, days: IntArray) -> PriceHistory:
    close_column = source.first_of(("close", "adj_close"))
    if close_column is None:
        raise HistoryError(f"{source.path}: no 'close' column among {_listed(source.table)}; rename the price column")
    names, codes = _encoded(source, symbol_column)
    used = np.unique(codes)
    names = [_spelled(name) for name in names]
    symbols = sorted(names[code] for code in used)
    column_of = np.zeros(len(names), dtype=np.int64)
    for code in used:
        column_of[code] = symbols.index(names[code])
    unique, day_index = np.unique(days, return_inverse=True)
    # Each row of the file is one cell of the (days x symbols) grid, counted along its rows.
    cells = day_index.astype(np.int64) * len(symbols) + column_of[codes]
    _refuse_duplicates(source, cells, unique, symbols)

    def grid(name: str, *, price: bool = True) -> FloatArray | None:
        column = source.names.get(name)
        if column is None:
            return None
        flat = np.full(len(unique) * len(symbols), np.nan)
        flat[cells] = _prices(source, column) if price else _numbers(source, column)
        return flat.reshape(len(unique), len(symbols))

    close = grid(close_column.lower())
    if close is None:
        raise HistoryError(f"{source.path}: no 'close' column")
    return PriceHistory(
        _days_of(unique),
        tuple(symbols),
        close,
        given_open=grid("open"),
        given_high=grid("high"),
        given_low=grid("low"),
        given_volume=grid("volume", price=False),
        adjusted_close=grid("adj_close") if close_column.lower() == "close" else None,
        splits=_splits(grid("split"), unique, symbols),
        source=str(source.path),
    )


def _encoded(source: _Source, column: str) -> tuple[list[str], IntArray]:
    """A text column as its distinct values and each row's index into them."""
    whole = source.table.column(column).combine_chunks()
    encoded = whole if isinstance(whole, pa.DictionaryArray) else whole.cast(pa.string()).dictionary_encode()
    names = [str(name) for name in encoded.dictionary.to_pylist()] if isinstance(encoded, pa.DictionaryArray) else []
    if not isinstance(encoded, pa.DictionaryArray) or encoded.null_count or "" in names:
        raise HistoryError(f"{source.path}: column '{column}' has empty cells; give every row a symbol")
    return names, _integers(encoded.indices)


def _refuse_duplicates(source: _Source, cells: npt.NDArray[np.int64], days: IntArray, symbols: list[str]) -> None:
    counts = np.bincount(cells)
    if counts.max() > 1:
        cell = int(np.argmax(counts > 1))
        day = date.fromordinal(int(days[cell // len(symbols)]))
        pair = f"({day}, {symbols[cell % len(symbols)]})"
        raise HistoryError(f"{source.path}: {pair} occurs {int(counts[cell])} times; keep one row a day and symbol")


def _splits(ratios: FloatArray | None, days: IntArray, symbols: list[str]) -> tuple[Split, ...]:
    """A `split` column holds new shares per old share on the day of the split, and 1 or nothing elsewhere."""
    if ratios is None:
        return ()
    found = np.argwhere(~np.isnan(ratios) & (ratios != 1.0))
    return tuple(
        Split(symbols[column], date.fromordinal(int(days[row])), float(ratios[row, column])) for row, column in found
    )
