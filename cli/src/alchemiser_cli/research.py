"""Strategies and prices for commands that decide without broker or state."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alchemiser_common.errors import InvalidSettings
from alchemiser_common.settings import StrategySettings
from alchemiser_common.text import and_more
from alchemiser_simulator import PriceHistory
from alchemiser_strategy.bars import Bars, Bools, Floats, carried, filled
from alchemiser_strategy.engine.indicators import LastDay
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.registry import built_in_strategies, check_allocations, taken_name
from alchemiser_strategy.rules import rules_of
from alchemiser_strategy.strategy import MarketView, Strategy, StrategyResult, TreeStrategy, checked_result
from alchemiser_strategy.strategy_history import previous_of
from alchemiser_strategy.user_strategies import SYMPHONY_SUFFIXES, MakeStrategy, strategy_of_file, user_strategies

if TYPE_CHECKING:
    from alchemiser_strategy.backtest import Prices

_MOST_NAMED = 8
_LOOKED_AT = 1.8
"""The smallest move that may look like a split."""
_TENFOLD = 10
_ROUNDING = 1e-9
_FILE_SUFFIXES = (*SYMPHONY_SUFFIXES, ".py")


@dataclass(frozen=True, slots=True)
class Share:
    """A strategy and its fraction of equity."""

    strategy: Strategy
    fraction: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One strategy's result with its fraction of equity."""

    share: Share
    result: StrategyResult


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


def recent_moves(shares: Sequence[Share], bars: Bars) -> tuple[str, ...]:
    """The same as a remark, of the bars that a decision on the last day rests on."""
    return suspicious_moves(bars, max(0, bars.days - reach(shares)), bars.days)


def reach(shares: Sequence[Share]) -> int:
    """How many bars a decision looks back at most."""
    return max((count for share in shares for count in share.strategy.universe.values()), default=1)


def suspicious_moves(bars: Bars, first: int, last: int) -> tuple[str, ...]:
    """A remark on what the live checks would ask the broker about on the days first..last (exclusive).

    Moves like a split that is not adjusted, and moves of tenfold and more, up or down.
    """
    if not bars.symbols or not _far_moves(bars.rows[:, first:last], _LOOKED_AT):
        return ()
    from alchemiser_common.ports.broker import SymbolBars
    from alchemiser_data.split_detection import large_moves, suspected_splits

    there = []
    for symbol, path in zip(bars.symbols, bars.rows[:, first:last], strict=True):
        rows = np.flatnonzero(~np.isnan(path))
        there.append(SymbolBars(symbol, [bars.dates[first + int(row)] for row in rows], path[rows].tolist()))
    large = [
        jump
        for jump in large_moves(there, 1 - 1 / _TENFOLD - _ROUNDING, frozenset())
        if max(jump.after, jump.before) >= _TENFOLD * min(jump.after, jump.before)
    ]
    found = {(jump.symbol, jump.day): jump for jump in (*large, *suspected_splits(there, frozenset()))}
    named = [f"{jump.symbol} {jump}" for _, jump in sorted(found.items())]
    if not named:
        return ()
    return (f"look at these moves, they may be faults of the data: {'; '.join(and_more(named, _MOST_NAMED))}",)


def _far_moves(rows: Floats, factor: float) -> bool:
    """Whether a close is so many times the one before, or a part of it. Gaps are looked across. (symbols, days)."""
    logs = np.log(filled(rows))
    return bool((np.abs(np.diff(logs, axis=1)) >= np.log(factor)).any())


@dataclass(frozen=True, slots=True)
class Listed:
    """A strategy that there is: what it is, or why it cannot be used."""

    name: str
    strategy: Strategy | None
    fault: str = ""
    """Empty if it can be used; else what is wrong with it, with file, line and column where they are known."""


def list_strategies(settings: StrategySettings) -> list[Listed]:
    """Every strategy there is: built-in ones and the user's own. One that is broken stops no other.

    Raises InvalidSettings as `check_allocations`, for the allocations.
    """
    built_in, own = built_in_strategies(), user_strategies(settings.folder)
    check_allocations(settings.allocations, own)
    shipped = [Listed(name, make()) for name, make in built_in.items()]
    return shipped + [
        Listed(name, None, taken_name(name)) if name in built_in else _listed(name, make) for name, make in own.items()
    ]


def _listed(name: str, make: MakeStrategy) -> Listed:
    try:
        strategy = make()
        rules_of(strategy)
        if not strategy.universe:
            return Listed(name, None, f"strategy {name} has no symbols: its universe is empty")
    except StrategyError as error:
        return Listed(name, None, str(error))
    except Exception as error:  # noqa: BLE001  (a person's own Python; whatever it raises is why it cannot be used)
        return Listed(name, None, f"strategy {name} raised {type(error).__name__}: {error}")
    return Listed(name, strategy)


def strategy_makers(settings: StrategySettings) -> Mapping[str, MakeStrategy]:
    """What reads each strategy there is, by name; none is read."""
    return {**user_strategies(settings.folder), **built_in_strategies()}


def choose(settings: StrategySettings, names: Sequence[str]) -> list[Share]:
    """The strategies of the settings with their fractions, or those named (or in the files named) in equal parts.

    Raises InvalidSettings for allocations that are none or an unknown or repeated name, StrategyError for a file that
    holds no strategy.
    """
    if not names:
        check_allocations(settings.allocations, user_strategies(settings.folder))
        makers = strategy_makers(settings)
        return [Share(makers[name](), fraction) for name, fraction in settings.allocations.items()]
    chosen = _found(settings, names)
    given = [strategy.name for strategy in chosen]
    repeated = sorted({name for name in given if given.count(name) > 1})
    if repeated:
        raise InvalidSettings(f"strategies are given more than once: {', '.join(repeated)}")
    return [Share(strategy, 1 / len(names)) for strategy in chosen]


def _found(settings: StrategySettings, names: Sequence[str]) -> list[Strategy]:
    """Only what is asked for is built, and other packages are asked only for names that nothing else has."""
    built_in = built_in_strategies()
    own: Mapping[str, MakeStrategy] | None = None
    found: list[Strategy] = []
    for name in names:
        if _is_file(name):
            found.append(strategy_of_file(Path(name)))
        elif name in built_in:
            found.append(built_in[name]())
        else:
            own = user_strategies(settings.folder) if own is None else own
            if name not in own:
                known = ", ".join(sorted({*built_in, *own}))
                raise InvalidSettings(
                    f"there is no strategy {name!r}; known are {known}; or give a file ({', '.join(_FILE_SUFFIXES)})"
                )
            found.append(own[name]())
    return found


def symbols_of(shares: Sequence[Share]) -> tuple[str, ...]:
    """Every symbol that any of them reads or can hold, sorted."""
    return tuple(sorted({symbol for share in shares for symbol in share.strategy.universe}))


def evaluate(shares: Sequence[Share], bars: Bars, since: date | None = None) -> list[Outcome]:
    """Every strategy on the same bars, without positions.

    A tree with a rebalancing rule holds what it would hold had it been traded from `since` on (None: as long as the
    bars go back), so that it may say HOLD. A Python strategy is given a past only if `since` says how long.
    """
    last = LastDay(bars)
    outcomes = []
    for share in shares:
        strategy = share.strategy
        follows = since is not None
        if isinstance(strategy, TreeStrategy):
            follows = not strategy.symphony.rebalance.always
        previous = previous_of(strategy, bars, since) if follows else None
        held = {} if previous is None else previous.held
        outcomes.append(Outcome(share, checked_result(strategy, MarketView(bars, last, held, previous))))
    return outcomes


def consolidate(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Fractions of equity by symbol, held ones as far as they have drifted; the share of what is unknown is cash."""
    targets: dict[str, float] = {}
    for outcome in outcomes:
        for symbol, weight in outcome.result.weights.items():
            targets[symbol] = targets.get(symbol, 0.0) + outcome.share.fraction * weight
    return dict(sorted(targets.items()))


def _is_file(name: str) -> bool:
    return name.lower().endswith(_FILE_SUFFIXES) or "/" in name
