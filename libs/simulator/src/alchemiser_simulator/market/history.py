"""The price history a simulated market runs on: immutable arrays of daily bars, and the splits between them.

In: arrays a reader made. Out: complete bars by symbol, adjustment factors, a fingerprint. Must never be modified.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

import numpy as np

from alchemiser_simulator.market.actions import Action, MadeSplit, StockDividend
from alchemiser_simulator.market.derive import Bars, FloatArray, IntArray, complete, previous_present

DERIVED_NOTE = (
    "Open, high, low or volume missing from the source are derived from the closes by a seeded formula; "
    "they are plausible, not observed."
)


@dataclass(frozen=True, slots=True)
class Split:
    """`ratio` new shares replace one old share before the open of `day` (3.0 = three for one).

    `adjusted`: bars that ask for it are adjusted for this split; `announced`: corporate actions show it.
    """

    symbol: str
    day: date
    ratio: float
    adjusted: bool = field(default=True, repr=False)  # not in the fingerprint: the data are the same
    announced: bool = field(default=True, repr=False)


@dataclass(frozen=True, slots=True)
class Ending:
    """The symbol does not trade from `day` on: it is delisted, or is called `into` from then on."""

    symbol: str
    day: date
    into: str | None = None


@dataclass(frozen=True, slots=True)
class Distribution:
    """`amount` USD a share that leave the price before the open of `day`, which `factor` of it is left after."""

    symbol: str
    day: date
    amount: Decimal
    factor: float


@dataclass(frozen=True)
class PriceHistory:
    """Daily prices in USD as (days x symbols) float64, NaN = no bar; volumes in shares. Dates ascend, each once.

    Closes are the prices that trade (raw when `splits` are known). `given_*` hold what the source had; the properties
    `open`, `high`, `low` and `volume` are complete. `adjusted_close` is the source's own dividend-adjusted close.
    """

    dates: tuple[date, ...]
    symbols: tuple[str, ...]
    close: FloatArray
    given_open: FloatArray | None = None
    given_high: FloatArray | None = None
    given_low: FloatArray | None = None
    given_volume: FloatArray | None = None
    adjusted_close: FloatArray | None = None
    splits: tuple[Split, ...] = ()
    endings: tuple[Ending, ...] = ()
    actions: tuple[Action, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    skipped: frozenset[tuple[str, date]] = frozenset()  # days on which the bars feed lacks the symbol's bar
    source: str = "memory"
    _columns: dict[str, Bars] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for array in self._arrays():
            if array.shape != (len(self.dates), len(self.symbols)):
                message = f"{self.source}: array of shape {array.shape} for {len(self.dates)} days"
                raise ValueError(f"{message} x {len(self.symbols)} symbols")
            array.setflags(write=False)

    def _arrays(self) -> list[FloatArray]:
        named = (self.close, self.given_open, self.given_high, self.given_low, self.given_volume, self.adjusted_close)
        return [array for array in named if array is not None]

    @cached_property
    def ordinals(self) -> IntArray:
        """Days since 0001-01-01, shape (days,)."""
        return np.array([day.toordinal() for day in self.dates], dtype=np.int64)

    @cached_property
    def positions(self) -> dict[str, int]:
        """Column of each symbol."""
        return {symbol: column for column, symbol in enumerate(self.symbols)}

    @cached_property
    def _ends(self) -> dict[str, date]:
        return {ending.symbol: ending.day for ending in self.endings}

    @cached_property
    def _begins(self) -> dict[str, date]:
        return {ending.into: ending.day for ending in self.endings if ending.into is not None}

    def known(self, symbol: str, day: date) -> bool:
        """Whether anybody has heard of the symbol by that day: all but the name that another one will have later."""
        return symbol in self.positions and self._begins.get(symbol, day) <= day

    def ended(self, symbol: str, day: date) -> bool:
        """Whether the symbol has ceased to trade by that day."""
        return symbol in self._ends and self._ends[symbol] <= day

    @cached_property
    def _renamings(self) -> dict[str, tuple[str, date]]:
        return {ending.symbol: (ending.into, ending.day) for ending in self.endings if ending.into is not None}

    def name_on(self, symbol: str, day: date) -> str:
        """What the symbol is called on that day, if it has been renamed by then as often as may be."""
        # A new name is one that the history did not have, so this comes to an end.
        while (renaming := self._renamings.get(symbol)) is not None and renaming[1] <= day:
            symbol = renaming[0]
        return symbol

    @cached_property
    def happenings(self) -> Mapping[date, Sequence[Action]]:
        """All corporate actions by the day they take effect: those that were put in, and the splits of the source."""
        put_in = {(one.symbol, one.day) for one in self.actions if isinstance(one, MadeSplit | StockDividend)}
        found = [
            MadeSplit(symbol=one.symbol, day=one.day, ratio=one.ratio, announced=one.announced, adjusted=one.adjusted)
            for one in self.splits
            if (one.symbol, one.day) not in put_in
        ]
        days: dict[date, list[Action]] = {}
        for action in (*self.actions, *found):
            days.setdefault(action.day, []).append(action)
        return days

    @cached_property
    def turning_days(self) -> Sequence[date]:
        """Days, ascending, at whose beginning something happens to a symbol."""
        return sorted({*self.happenings, *(ending.day for ending in self.endings)})

    @cached_property
    def distributions_of(self) -> Mapping[str, Sequence[Distribution]]:
        """Payments by symbol."""
        found: dict[str, list[Distribution]] = {}
        for paid in self.distributions:
            found.setdefault(paid.symbol, []).append(paid)
        return found

    @cached_property
    def derived(self) -> str:
        """Empty when every bar was observed; otherwise a sentence to show to whoever reads the numbers."""
        present = ~np.isnan(self.close)
        for given in (self.given_open, self.given_high, self.given_low, self.given_volume):
            if given is None or bool(np.isnan(given[present]).any()):
                return DERIVED_NOTE
        return ""

    @cached_property
    def fingerprint(self) -> str:
        """Identifies the data: equal for equal dates, symbols, values and splits."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(self.ordinals.tobytes())
        digest.update("\n".join(self.symbols).encode())
        for array in self._arrays():
            digest.update(np.ascontiguousarray(array).tobytes())
        digest.update(repr(self.splits).encode())
        return digest.hexdigest()

    def bars(self, symbol: str) -> Bars:
        """Complete bars of one symbol, arrays of shape (days,). Derived on first use. Raises KeyError if unknown."""
        if symbol not in self._columns:
            column = self.positions[symbol]
            absent = np.full(len(self.dates), np.nan)
            given = Bars(
                *(
                    absent if array is None else array[:, column]
                    for array in (self.given_open, self.given_high, self.given_low, self.close, self.given_volume)
                )
            )
            self._columns[symbol] = complete(symbol, self.ordinals, given)
        return self._columns[symbol]

    @cached_property
    def open(self) -> FloatArray:
        """(days, symbols) in USD."""
        return np.column_stack([self.bars(symbol).open for symbol in self.symbols])

    @cached_property
    def high(self) -> FloatArray:
        """(days, symbols) in USD."""
        return np.column_stack([self.bars(symbol).high for symbol in self.symbols])

    @cached_property
    def low(self) -> FloatArray:
        """(days, symbols) in USD."""
        return np.column_stack([self.bars(symbol).low for symbol in self.symbols])

    @cached_property
    def volume(self) -> FloatArray:
        """(days, symbols) in shares."""
        return np.column_stack([self.bars(symbol).volume for symbol in self.symbols])

    def split_factors(self, symbol: str, as_of: date) -> FloatArray:
        """What to divide raw prices by, shape (days,): only splits that have happened by `as_of` count, and of those
        the ones that the adjustment knows.
        """
        factors = np.ones(len(self.dates))
        for split in self.splits:
            if split.symbol == symbol and split.day <= as_of and split.adjusted:
                factors[self.ordinals < split.day.toordinal()] *= split.ratio
        return factors

    # The source's adjusted close knows the splits and dividends of all its time, those after `as_of` too:
    #
    #     close / adjusted close = splits x dividends between that day and the end of the data
    #
    # Divided by its value on the last bar by `as_of`, what comes later cancels; divided by the splits known by then,
    # dividends are left. So a price asked for in the past looks as it looked then.
    def dividend_factors(self, symbol: str, as_of: date) -> FloatArray:
        """What to divide split-adjusted prices by for dividends, shape (days,); 1 on the last bar by `as_of`."""
        if self.adjusted_close is None:
            factors = np.ones(len(self.dates))
            for paid in self.distributions_of.get(symbol, ()):
                if paid.day <= as_of:
                    factors[self.ordinals < paid.day.toordinal()] /= paid.factor
            return factors
        column = self.positions[symbol]
        ratio = self.close[:, column] / self.adjusted_close[:, column]
        total = np.where(np.isnan(ratio), previous_present(ratio), ratio)
        known = int(np.searchsorted(self.ordinals, as_of.toordinal(), side="right"))
        latest = total[max(known - 1, 0)]
        relative: FloatArray = total / latest / self.split_factors(symbol, as_of)
        return relative
