"""Reads the project's own tidy Parquet into a PriceHistory; every other form is imported by `alchemiser prices` first.

In: a path. Out: a PriceHistory, or a HistoryError that names file, column and value and says what to do. Must never
import pandas: the command line reads with this on a start-up budget, and the exchange's image has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from alchemiser_simulator.market.derive import FloatArray, IntArray
from alchemiser_simulator.market.history import PriceHistory, Split

type Column = pa.ChunkedArray[Any] | pa.Array[Any]

MARK = b"alchemiser.prices"
"""Key of the Parquet file's metadata that says that it is tidy; the value is the version of the form."""
VERSION = b"1"
_NUMBERS = ("open", "high", "low", "close", "volume", "adj_close", "split")
_EPOCH = date(1970, 1, 1).toordinal()


class HistoryError(ValueError):
    """A price file cannot be used; the message names the place and the remedy."""


@dataclass(frozen=True)
class _Source:
    """A table and where each of its rows is in the (days x symbols) grid, counted along its rows."""

    path: Path
    table: pa.Table
    days: IntArray
    """Ordinals of the sessions, ascending."""
    symbols: list[str]
    cells: IntArray


def read_history(path: Path | str) -> PriceHistory:
    """Prices from a tidy file: date, symbol, close, and open, high, low, volume, adj_close, split as far as known.

    USD and shares. Rows may come in any order. Raises HistoryError.
    """
    source = _load(Path(path))
    close = _grid(source, "close")
    if close is None:
        raise HistoryError(f"{source.path}: no 'close' column; make the file again with `alchemiser prices import`")
    return PriceHistory(
        tuple(date.fromordinal(int(day)) for day in source.days),
        tuple(source.symbols),
        close,
        given_open=_grid(source, "open"),
        given_high=_grid(source, "high"),
        given_low=_grid(source, "low"),
        given_volume=_grid(source, "volume"),
        adjusted_close=_grid(source, "adj_close"),
        splits=_splits(source),
        source=str(source.path),
    )


def _load(path: Path) -> _Source:
    if not path.is_file():
        raise HistoryError(
            f"{path}: no such file; make one with `alchemiser prices import` or `alchemiser prices fetch`"
        )
    made = f"`alchemiser prices import {path} --out prices.parquet` makes it from other forms"
    try:
        file = parquet.ParquetFile(path)
        if (file.schema_arrow.metadata or {}).get(MARK) != VERSION:
            raise HistoryError(f"{path}: is not the project's own tidy Parquet; {made}")
        # Read as names and indices: to find them afterwards would take Arrow's library of functions.
        indexed = ["symbol"] if "symbol" in file.schema_arrow.names else None
        table = parquet.ParquetFile(path, read_dictionary=indexed).read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise HistoryError(f"{path}: not readable as tidy Parquet ({reason}); {made}") from error
    unknown = sorted({str(name) for name in table.column_names} - {"date", "symbol", *_NUMBERS})
    lacking = {"date", "symbol", "close"} - {str(name) for name in table.column_names}
    if unknown or lacking or len(set(table.column_names)) != table.num_columns:
        odd = f"columns {', '.join(str(name) for name in table.column_names)}"
        raise HistoryError(
            f"{path}: {odd}: a tidy file has date, symbol, close and some of {', '.join(_NUMBERS)}; {made}"
        )
    if table.num_rows == 0:
        raise HistoryError(f"{path}: holds no rows; {made}")
    return _placed(path, table)


def _placed(path: Path, table: pa.Table) -> _Source:
    dates = table.column("date")
    if not pa.types.is_date32(dates.type) or dates.null_count:
        raise HistoryError(f"{path}: column 'date' must hold a date32 in every row, it is {dates.type}")
    ordinals = _view(dates, np.dtype(np.int32)).astype(np.int64) + _EPOCH
    names, codes = _encoded(path, table)
    # Sorting a million rows would take longer than reading them: days are counted instead.
    first = int(ordinals.min())
    there = np.bincount(ordinals - first) > 0
    days = np.flatnonzero(there) + first
    place = np.cumsum(there) - 1
    symbols = sorted(names[code] for code in np.flatnonzero(np.bincount(codes, minlength=len(names))))
    column_of = np.zeros(len(names), dtype=np.int64)
    for code, name in enumerate(names):
        column_of[code] = symbols.index(name) if name in symbols else 0
    cells = place[ordinals - first] * len(symbols) + column_of[codes]
    counts = np.bincount(cells)
    if counts.max() > 1:
        cell = int(np.argmax(counts > 1))
        pair = f"({date.fromordinal(int(days[cell // len(symbols)]))}, {symbols[cell % len(symbols)]})"
        raise HistoryError(f"{path}: {pair} occurs {int(counts[cell])} times; make the file again from its source")
    return _Source(path, table, days, symbols, cells)


def _grid(source: _Source, name: str) -> FloatArray | None:
    """A column as (days, symbols), NaN where there is no row or no value."""
    if name not in source.table.column_names:
        return None
    flat = np.full(len(source.days) * len(source.symbols), np.nan)
    flat[source.cells] = _numbers(source, name)
    return flat.reshape(len(source.days), len(source.symbols))


def _view[T: np.generic](values: Column, dtype: np.dtype[T]) -> npt.NDArray[T]:
    """The buffer of an array; where it is null the number means nothing.

    Arrow's `to_numpy` would import pandas, and its casts its whole library of functions.
    """
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    data = whole.buffers()[1]
    return np.frombuffer(b"" if data is None else data, dtype=dtype)[whole.offset : whole.offset + len(whole)]


def _known(values: Column) -> npt.NDArray[np.bool_]:
    """Where a column with nulls has a value: Arrow keeps a bit a row, the first one lowest."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    valid = whole.buffers()[0]
    octets = np.frombuffer(b"" if valid is None else valid, dtype=np.uint8)
    bits = np.unpackbits(octets.reshape(-1, 1), axis=1)[:, ::-1].ravel()
    known: npt.NDArray[np.bool_] = bits[whole.offset : whole.offset + len(whole)] == 1
    return known


def _numbers(source: _Source, column: str) -> FloatArray:
    """A column as float64, NaN for empty cells; prices are above zero."""
    values = source.table.column(column)
    kind = values.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise HistoryError(f"{source.path}: column '{column}' must hold numbers, it is {kind}")
    if isinstance(kind, pa.Decimal128Type):
        # Arrow multiplies by 0.01, which is not 1/100.
        numbers = np.round(_view(values.cast(pa.float64()), np.dtype(np.float64)), kind.scale)
    else:
        numbers = _view(values, np.dtype(kind.to_pandas_dtype())).astype(np.float64)
    if values.null_count:
        numbers = np.where(_known(values), numbers, np.nan)
    wrong = (numbers <= 0) | np.isinf(numbers)
    if column != "volume" and wrong.any():
        row = int(np.argmax(wrong))
        where = f"{source.path}: column '{column}', row {row + 1}: {float(numbers[row])!r}"
        raise HistoryError(f"{where} is not above zero; make the file again from its source")
    return numbers


def _encoded(path: Path, table: pa.Table) -> tuple[list[str], IntArray]:
    """The symbols as their distinct names and each row's index into them."""
    whole = table.column("symbol").combine_chunks()
    encoded = whole if isinstance(whole, pa.DictionaryArray) else whole.cast(pa.string()).dictionary_encode()
    names = [str(name) for name in encoded.dictionary.to_pylist()] if isinstance(encoded, pa.DictionaryArray) else []
    if not isinstance(encoded, pa.DictionaryArray) or encoded.null_count or "" in names:
        raise HistoryError(f"{path}: column 'symbol' has empty cells; make the file again from its source")
    width = np.dtype(encoded.indices.type.to_pandas_dtype())
    return names, _view(encoded.indices, width).astype(np.int64)


def _splits(source: _Source) -> tuple[Split, ...]:
    """A `split` column holds new shares per old share on the day of the split, and 1 or nothing elsewhere."""
    ratios = _grid(source, "split")
    if ratios is None:
        return ()
    found = np.argwhere(~np.isnan(ratios) & (ratios != 1.0))
    return tuple(
        Split(source.symbols[column], date.fromordinal(int(source.days[row])), float(ratios[row, column]))
        for row, column in found
    )
