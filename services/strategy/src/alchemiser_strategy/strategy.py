"""What a strategy is to the manager, and the one kind that is made from a tree. Strategies see data, never a clock."""

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from alchemiser_common.errors import PermanentError
from alchemiser_common.messages.decision import WEIGHT_TOLERANCE, Explanation, SignalStatus
from alchemiser_strategy.bars import Bars, filled
from alchemiser_strategy.engine import rebalance
from alchemiser_strategy.engine.explain import explained
from alchemiser_strategy.engine.graph import Graph, lay_out
from alchemiser_strategy.engine.indicators import LastDay
from alchemiser_strategy.engine.nodes import Symphony
from alchemiser_strategy.errors import StrategyFailed


@dataclass(frozen=True, slots=True, eq=False)
class Previous:
    """What the strategy wanted to hold when it last gave targets."""

    weights: Mapping[str, float]
    """Fractions of the strategy's capital by symbol."""
    as_of: date
    """Session of the last bar that decision saw."""
    drifted: Mapping[str, float] | None
    """The same weights moved by the prices since; None if the bars begin later, or lack one of the symbols."""

    @classmethod
    def of(cls, weights: Mapping[str, float], as_of: date, bars: Bars) -> "Previous":
        """Weights decided on the bar of `as_of`. The prices are the bars'."""
        row = bisect_right(bars.dates, as_of) - 1
        growth = {symbol: float(path[-1] / path[row]) for symbol in weights for path in filled(bars.of(symbol)[None])}
        known = row >= 0 and not any(map(math.isnan, growth.values()))
        return cls(weights, as_of, dict(sorted(rebalance.drifted(weights, growth).items())) if known else None)

    @property
    def held(self) -> Mapping[str, float]:
        """What is held now as far as one knows: drifted, or as it was wanted."""
        return self.weights if self.drifted is None else self.drifted


@dataclass(frozen=True, slots=True, eq=False)
class MarketView:
    """All that one strategy may look at."""

    bars: Bars
    last: LastDay
    """Indicators of the last day; strategies of one run share them."""
    positions: Mapping[str, float]
    """What the account holds, all strategies together: fractions of equity by symbol."""
    previous: Previous | None
    """None if the strategy has not decided before."""


@dataclass(frozen=True, slots=True, eq=False)
class StrategyResult:
    """What a strategy wants to hold: `weights` by symbol, fractions of the strategy's capital.

    TARGET: hold `weights`; what they leave is cash. HOLD: keep the shares that are held, whatever they are worth by
    now; `weights` may say how far they have drifted. UNKNOWN: it lacks data, `weights` is empty and the explanation
    says which.
    """

    status: SignalStatus
    weights: Mapping[str, float]
    explanation: Explanation


class Strategy(Protocol):
    """A pure rule from data to weights: no I/O, no clock, no chance, no memory of its own."""

    @property
    def name(self) -> str:
        """Unique in a portfolio."""
        ...

    @property
    def universe(self) -> Mapping[str, int]:
        """Every symbol that is read or can be held, with the daily bars to load of it: at least 1, today's included."""
        ...

    def evaluate(self, view: MarketView) -> StrategyResult:
        """What to hold after the last bar. The same view gives the same result."""
        ...


def checked_result(strategy: Strategy, view: MarketView) -> StrategyResult:
    """A strategy's result, checked.

    Raises StrategyFailed, naming the strategy: it raised something unexpected, or wants a weight that is negative or
    not finite, more than all of its capital, or a symbol that it does not list. PermanentError is passed on.
    """
    name = strategy.name
    try:
        result = strategy.evaluate(view)
    except PermanentError:
        raise
    except Exception as error:
        raise StrategyFailed(f"strategy {name} raised {type(error).__name__}: {error}") from error
    for symbol, weight in result.weights.items():
        if not (math.isfinite(weight) and weight >= 0):
            raise StrategyFailed(f"strategy {name} wants {weight!r} of {symbol}; weights are 0 or more")
        if result.status is SignalStatus.TARGET and symbol not in strategy.universe:
            raise StrategyFailed(f"strategy {name} wants {symbol!r}, which is not among its symbols")
    total = math.fsum(result.weights.values())
    if total > 1 + WEIGHT_TOLERANCE:
        raise StrategyFailed(f"strategy {name} wants {total!r} of its capital; the most is 1")
    return result


class TreeStrategy:
    """A strategy that is a tree, with its rebalancing rule."""

    def __init__(self, symphony: Symphony, *, name: str | None = None) -> None:
        self.symphony = symphony
        self.graph: Graph = lay_out(symphony.root)
        self._name = name or symphony.name

    @property
    def name(self) -> str:
        """As given, or what its text calls it."""
        return self._name

    @property
    def universe(self) -> Mapping[str, int]:
        """Every symbol in the tree, sorted, with the bars of the longest chain of windows that it is part of."""
        return self.graph.bars

    def evaluate(self, view: MarketView) -> StrategyResult:
        """The tree's weights, or HOLD where the rebalancing rule says to let the holdings drift."""
        verdict = explained(self.graph, view.last, self.symphony.labels)
        if view.previous is not None and self._rests(verdict.weights, view.previous, view.bars.dates[-1]):
            summary = f"holdings drift by the rebalancing rule; the target is {verdict.explanation.summary}"
            explanation = verdict.explanation.model_copy(update={"summary": summary})
            return StrategyResult(SignalStatus.HOLD, view.previous.held, explanation)
        if verdict.weights is None:
            return StrategyResult(SignalStatus.UNKNOWN, {}, verdict.explanation)
        return StrategyResult(SignalStatus.TARGET, verdict.weights, verdict.explanation)

    def _rests(self, target: Mapping[str, float] | None, previous: Previous, today: date) -> bool:
        """Whether the rebalancing rule leaves the holdings alone today.

        By calendar the dates alone decide, and a day that is not due does not look at the target at all. By threshold
        there must be a target to compare with, and holdings whose drift is not known are not compared: they go back.
        """
        rule = self.symphony.rebalance
        if rule.always:
            return False
        if rule.threshold is None:
            return not rebalance.due(rule, today, previous.as_of)
        if target is None or previous.drifted is None:
            return False
        return not rebalance.strayed(target, previous.drifted, rule.threshold)
