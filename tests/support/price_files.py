"""Price files for tests: closes as the tidy file that the command and the exchange read, and real panels imported."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from alchemiser_prices import tidy
from alchemiser_prices.cache import tidy_file
from alchemiser_simulator import PriceHistory, read_history


def write_rows(path: Path, columns: Mapping[str, Any]) -> Path:
    """A tidy file of columns of one length: date, symbol, close, …"""
    tidy.write(path, tidy.table_of(columns))
    return path


def write_closes(path: Path, days: Sequence[date], symbols: Iterable[str], closes: npt.NDArray[np.float64]) -> Path:
    """A tidy file of closes (days, symbols); NaN is no bar."""
    names = list(symbols)
    rows, columns = np.nonzero(~np.isnan(closes))
    return write_rows(
        path,
        {
            "date": [days[int(row)] for row in rows],
            "symbol": [names[column] for column in columns],
            "close": closes[rows, columns],
        },
    )


@cache
def _kept() -> "TemporaryDirectory[str]":
    return TemporaryDirectory(prefix="alchemiser-prices-")


@cache
def real_tidy(path: Path) -> Path:
    """The tidy form of a panel of real prices, imported once a process."""
    return tidy_file(path, Path(_kept().name))


def real_prices(path: Path) -> PriceHistory:
    """A panel of real prices."""
    return read_history(real_tidy(path))
