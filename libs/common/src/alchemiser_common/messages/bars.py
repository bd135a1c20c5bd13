"""Daily bars as columns: dates, symbols, and one (days, symbols) matrix a field, packed for a queue message.

A matrix travels as base64(zlib(bytes)): float64 little-endian, one symbol's history after the other, with the
bytes of equal significance side by side, because that is what zlib can shrink.
"""

import base64
import binascii
import zlib
from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from alchemiser_common.messages.base import MOST_SYMBOLS, Frozen, Symbol

type Matrix = NDArray[np.float64]

MOST_DAYS = 20_000
"""Of one table: eighty years of sessions."""
MOST_CLOSES = 3_000_000
"""Days x symbols of one table: 300 symbols over forty years, 24 MB. A few kilobytes of zlib data can claim far more."""


class DailyBars(Frozen):
    """Completed, adjusted daily bars of several symbols over the exchange's sessions.

    A value is positive, or NaN where a symbol has no bar: before it was listed, before the bars that were asked for, in
    a gap. Each symbol has at least one. (Up to 1.4 every value was there.)
    """

    dates: tuple[date, ...] = Field(min_length=1, max_length=MOST_DAYS)
    symbols: tuple[Symbol, ...] = Field(min_length=1, max_length=MOST_SYMBOLS)
    close: str

    @classmethod
    def from_closes(cls, dates: Sequence[date], symbols: Sequence[str], closes: Matrix) -> Self:
        """Pack a (days, symbols) matrix of closes in USD, of `MOST_CLOSES` at most."""
        return cls(dates=tuple(dates), symbols=tuple(symbols), close=_pack(closes))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        claimed = len(self.dates) * len(self.symbols)
        if claimed > MOST_CLOSES:
            raise ValueError(
                f"{len(self.dates):,} days x {len(self.symbols):,} symbols are {claimed:,} closes; "
                f"a table has {MOST_CLOSES:,} at most"
            )
        if any(later <= earlier for earlier, later in zip(self.dates, self.dates[1:], strict=False)):
            raise ValueError("dates must ascend without repeats")
        repeated = sorted(symbol for symbol, times in Counter(self.symbols).items() if times > 1)
        if repeated:
            raise ValueError(f"symbols appear more than once: {', '.join(repeated)}")
        absent = np.isnan(self.closes)
        bad = ~(absent | (np.isfinite(self.closes) & (self.closes > 0)))
        if absent.all(axis=0).any():
            empty = self.symbols[int(absent.all(axis=0).argmax())]
            raise ValueError(f"{empty} has no bar at all; such a symbol is left out and named as missing")
        if bad.any():
            day, column = (int(index) for index in np.argwhere(bad)[0])
            raise ValueError(
                f"close of {self.symbols[column]} on {self.dates[day]} is {self.closes[day, column]}; "
                "a price is finite and positive, or NaN where there is none"
            )
        return self

    def __eq__(self, other: object) -> bool:
        """By what travels; the unpacked matrix is only a view of it."""
        return isinstance(other, DailyBars) and self._packed == other._packed

    def __hash__(self) -> int:
        return hash(self._packed)

    @property
    def _packed(self) -> tuple[tuple[date, ...], tuple[str, ...], str]:
        return self.dates, self.symbols, self.close

    @cached_property
    def closes(self) -> Matrix:
        """Closes in USD, (days, symbols), oldest first, read-only."""
        return _unpack(self.close, days=len(self.dates), symbols=len(self.symbols))

    def last_close(self, symbol: str) -> float:
        """The most recent close of one symbol in USD."""
        return float(self.closes[-1, self.symbols.index(symbol)])


def _pack(matrix: Matrix) -> str:
    columns = np.ascontiguousarray(matrix.T, dtype="<f8")
    planes = columns.reshape(-1).view(np.uint8).reshape(-1, 8).T
    return base64.b64encode(zlib.compress(planes.tobytes(), level=6)).decode("ascii")


def _unpack(text: str, *, days: int, symbols: int) -> Matrix:
    size = days * symbols * 8
    try:
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(base64.b64decode(text, validate=True), size + 1)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"bars are not base64 of zlib data: {error}") from error
    if len(raw) != size or not unpacker.eof:
        raise ValueError(f"bars do not hold {days} days x {symbols} symbols of float64")
    planes = np.frombuffer(raw, dtype=np.uint8).reshape(8, -1)
    columns = np.ascontiguousarray(planes.T).view("<f8").reshape(symbols, days)
    matrix: Matrix = np.ascontiguousarray(columns.T, dtype=np.float64)
    matrix.setflags(write=False)
    return matrix
