"""Three ways to one decision: the services of the running line, `decide` on a price file, and the backtest's row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from alchemiser_cli.price_file import PriceFile
from alchemiser_cli.research import Outcome, Share, evaluate, symbols_of
from alchemiser_common.messages.decision import Signal, SignalStatus
from alchemiser_strategy.bars import Bars
from alchemiser_strategy.engine.history import History
from alchemiser_strategy.engine.indicators import LastDay
from alchemiser_strategy.strategy import MarketView, Previous, checked_result
from alchemiser_strategy.strategy_history import strategy_history

TOLERANCE = 1e-12
"""Of weights: what adding up in another order may cost."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two ways disagree on one strategy on one day."""

    as_of: date
    strategy: str
    ways: str
    what: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One strategy on one day."""

    strategy: str
    exact: bool
    """Whether all weights are the same bits."""
    differences: tuple[Difference, ...]


class OtherWays:
    """What `decide` and a backtest from a first session on say, from a file that knows the whole span."""

    def __init__(self, shares: Sequence[Share], prices: PriceFile, since: date) -> None:
        """`since` is the session of the last bar that the first decision saw."""
        self._shares, self._prices, self._since = tuple(shares), prices, since
        self._symbols = symbols_of(shares)
        bars = prices.bars(self._symbols)
        self._row = {day: row for row, day in enumerate(bars.dates)}
        self._histories = {share.strategy.name: strategy_history(share.strategy, bars, since) for share in self._shares}

    def decide(self, as_of: date, *, thorough: bool) -> Sequence[Outcome]:
        """As `alchemiser decide --as-of --since` does.

        It works out what was held by a backtest of its own up to the day before; unless `thorough`, that is taken from
        the one backtest of the whole span, which costs a tenth.
        """
        bars: Bars = self._prices.bars(self._symbols, as_of)
        if thorough:
            return evaluate(self._shares, bars, self._since)
        last = LastDay(bars)
        outcomes = []
        for share in self._shares:
            previous = self._previous(share.strategy.name, bars)
            held = {} if previous is None else previous.held
            result = checked_result(share.strategy, MarketView(bars, last, held, previous))
            outcomes.append(Outcome(share, result))
        return outcomes

    def _previous(self, name: str, bars: Bars) -> Previous | None:
        past = self._histories[name]
        row = int(past.decided[bars.days - 2])
        if row < 0:
            return None
        wanted = zip(past.symbols, past.weights[row], strict=True)
        return Previous.of({symbol: float(weight) for symbol, weight in wanted if weight}, past.dates[row], bars)

    def compare(self, signals: Sequence[Signal], as_of: date, *, thorough: bool = True) -> Iterator[Compared]:
        """Each strategy's signal with the two other ways."""
        live = {signal.strategy: signal for signal in signals}
        for outcome in self.decide(as_of, thorough=thorough):
            name = outcome.share.strategy.name
            status, weights = _backtested(self._histories[name], self._row[as_of])
            decided = outcome.result
            mine = live.get(name)
            if mine is None:
                yield Compared(name, exact=False, differences=(Difference(as_of, name, "live", "no signal"),))
                continue
            wanted = {item.symbol: item.weight for item in mine.weights}
            differences = [
                *_differ("live and decide", (mine.status, wanted), (decided.status, decided.weights)),
                *_differ("live and backtest", (mine.status, wanted), (status, weights)),
            ]
            exact = (
                {symbol: weight for symbol, weight in wanted.items() if weight}
                == weights
                == {symbol: weight for symbol, weight in decided.weights.items() if weight}
            )
            yield Compared(
                name,
                exact=exact,
                differences=tuple(Difference(as_of, name, ways, what) for ways, what in differences),
            )


def _backtested(history: History, row: int) -> tuple[SignalStatus, dict[str, float]]:
    """Whether the day set weights, and those held after its close."""
    if not history.known[row]:
        return SignalStatus.UNKNOWN, {}
    held = np.flatnonzero(history.weights[row])
    status = SignalStatus.TARGET if history.decided[row] == row else SignalStatus.HOLD
    return status, {history.symbols[column]: float(history.weights[row, column]) for column in held}


def _differ(
    ways: str, one: tuple[SignalStatus, Mapping[str, float]], other: tuple[SignalStatus, Mapping[str, float]]
) -> Iterator[tuple[str, str]]:
    if one[0] is not other[0]:
        yield ways, f"{one[0].value} and {other[0].value}"
    for symbol in sorted(one[1].keys() | other[1].keys()):
        mine, theirs = one[1].get(symbol, 0.0), other[1].get(symbol, 0.0)
        if abs(mine - theirs) > TOLERANCE:
            yield ways, f"{symbol} {mine!r} and {theirs!r}"
