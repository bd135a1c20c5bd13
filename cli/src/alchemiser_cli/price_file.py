"""What `--data` names: a file in any form becomes prices, which strategies, backtests and benchmarks take from here.

A tidy file is read as it is, other forms are imported once and kept in the home.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alchemiser_cli.console import note
from alchemiser_common.errors import InvalidSettings
from alchemiser_prices import tidy
from alchemiser_prices.cache import tidy_file
from alchemiser_simulator import PriceHistory, read_history
from alchemiser_strategy.bars import Bars, Bools, Floats, carried

if TYPE_CHECKING:
    from alchemiser_strategy.backtest import Prices


def cache_of(home: Path) -> Path:
    """Where a home keeps the tidy form of files that were imported."""
    return home / "prices"


def read_prices(data: Path, home: Path) -> PriceHistory:
    """The prices of a file or folder in any form. What a person should know of it is said on stderr.

    Raises UnusablePrices, AmbiguousPrices, HistoryError.
    """
    place = tidy_file(data, cache_of(home))
    history = replace(read_history(place), source=str(data))
    if odd := tidy.odd_lines(place):
        note(f"{data}: {'; '.join(odd)} (alchemiser prices show {data})")
    return history


@dataclass(frozen=True, slots=True, eq=False)
class PriceFile:
    """A file's prices, adjusted for splits and dividends as far as the file knows them. It holds no invented price."""

    history: PriceHistory

    carry_gaps: int = 2
    """Gaps of up to so many sessions take the close before, as in the data service."""
    without: frozenset[str] = frozenset()
    """Symbols that are knowingly left out, as if the file lacked them."""

    def bars(self, symbols: Sequence[str], until: date | None = None) -> Bars:
        """Closes of those of the symbols that are there, up to a day and adjusted as on that day.

        Raises InvalidSettings if no day is left, or if the day is after the last bar.
        """
        dates = self.history.dates
        if until is not None and until > dates[-1]:
            raise InvalidSettings(
                f"--as-of {until} is after the last bar of the data, {dates[-1]}: leave it out to decide on that one"
            )
        days = len(dates) if until is None else bisect_right(dates, until)
        if days == 0:
            raise InvalidSettings(f"the data begin on {dates[0]}, after {until}: choose a later day with --as-of")
        kept = self._present(symbols)
        closes = self._columns(self.history.close, kept, dates[days - 1])[:days]
        return Bars(dates[:days], kept, carried(closes, self.carry_gaps))

    def prices(self, symbols: Sequence[str]) -> "Prices":
        """Opens and closes of the symbols, NaN of one that is not there, and where the file has no open.

        A gap that is carried has the close before as both.
        """
        from alchemiser_strategy.backtest import Prices  # deciding does without

        names = tuple(sorted(set(symbols)))
        closes = self._columns(self.history.close, names, self.history.dates[-1])
        given = self.history.given_open
        opens = np.full(closes.shape, np.nan)
        if given is not None:
            opens = self._columns(given, names, self.history.dates[-1])
        whole = carried(closes, self.carry_gaps)
        return Prices(names, np.where(np.isnan(closes), whole, opens), whole)

    def traded_prices(self, symbols: Sequence[str]) -> "Prices":
        """The same as they traded, adjusted for nothing: whoever holds shares at these follows splits and dividends."""
        adjusted = self.prices(symbols)
        last = self.history.dates[-1]
        factors = np.array([self._adjustment(one, last) for one in adjusted.symbols]).T.reshape(adjusted.opens.shape)
        return replace(adjusted, opens=adjusted.opens * factors, closes=adjusted.closes * factors)

    def present(self, symbol: str) -> Bools:
        """On which days the file has a close of the symbol, (days,)."""
        if not self._has(symbol):
            return np.zeros(len(self.history.dates), dtype=np.bool_)
        result: Bools = np.isfinite(self.history.close[:, self.history.positions[symbol]])
        return result

    @property
    def remarks(self) -> tuple[str, ...]:
        """What every output says of it: what is left out."""
        return (f"left out of every strategy: {', '.join(sorted(self.without))}",) if self.without else ()

    def _has(self, symbol: str) -> bool:
        return symbol in self.history.positions and symbol not in self.without

    def _present(self, symbols: Sequence[str]) -> tuple[str, ...]:
        wanted = set(symbols)
        return tuple(symbol for symbol in self.history.symbols if symbol in wanted and self._has(symbol))

    def _columns(self, field: Floats, symbols: Sequence[str], as_of: date) -> Floats:
        """(days, symbols) of one field, adjusted as on a day; NaN for a symbol that is not there."""
        out = np.full((len(self.history.dates), len(symbols)), np.nan)
        for column, symbol in enumerate(symbols):
            if self._has(symbol):
                out[:, column] = field[:, self.history.positions[symbol]] / self._adjustment(symbol, as_of)
        return out

    def _adjustment(self, symbol: str, as_of: date) -> Floats:
        """What prices of the symbol are divided by for the splits and dividends known by a day, (days,)."""
        if not self._has(symbol):
            return np.ones(len(self.history.dates))
        factors: Floats = self.history.split_factors(symbol, as_of) * self.history.dividend_factors(symbol, as_of)
        return factors


def price_file(
    history: PriceHistory, symbols: Sequence[str], without: Sequence[str] = (), carry_gaps: int = 2, *, named: str = ""
) -> PriceFile:
    """The file for strategies that need all these symbols, but those that are knowingly left out.

    Raises InvalidSettings, naming what the file has that is spelled alike, if it lacks one of the others; and if one
    that is left out is needed by nobody. `named` is the option that asks for them, if it is not the strategies.
    """
    left_out = {symbol.upper() for symbol in without}
    if strange := sorted(left_out - set(symbols)):
        raise InvalidSettings(f"--without {strange[0]}: no strategy reads or holds it; they need {', '.join(symbols)}")
    file = PriceFile(history, carry_gaps, frozenset(left_out))
    lacking = [symbol for symbol in symbols if symbol not in left_out and not file.present(symbol).any()]
    if lacking:
        symbols_named = ", ".join(_with_nearest(symbol, history.symbols) for symbol in lacking)
        if named:
            raise InvalidSettings(f"{named}: the data lack {symbols_named}")
        options = " ".join(f"--without {symbol}" for symbol in lacking)
        raise InvalidSettings(
            f"the data lack {symbols_named}: without them the strategies decide something else; give data that have "
            f"them, or leave them out knowingly with {options}"
        )
    return file


def _with_nearest(symbol: str, known: Sequence[str]) -> str:
    near = get_close_matches(symbol, known, n=3, cutoff=0.6)
    return f"{symbol} (nearest: {', '.join(near)})" if near else symbol
