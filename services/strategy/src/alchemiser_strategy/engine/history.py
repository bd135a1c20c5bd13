"""What a strategy would have held after every close: the same tree as `explain` reads, for all days in one pass."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from alchemiser_strategy.bars import Bars, Bools, Floats, filled
from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.all_days import Evaluation
from alchemiser_strategy.engine.graph import Graph, lay_out
from alchemiser_strategy.engine.rebalance import Days, held


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Weights decided at each close; they earn the returns of the sessions after it.

    Invariants: row t rests on bars up to `dates[t]` alone; weights are fractions of 0 or more.
    """

    dates: Sequence[date]
    symbols: tuple[str, ...]
    """The columns: every symbol the tree can hold, sorted."""
    weights: Floats
    """(days, symbols) float64; a known day's row sums to 1 with its cash, an unknown day's row is 0."""
    known: Bools
    """(days,): whether there are weights: the bars up to that day suffice for a decision, or an earlier one is held."""
    decided: Days
    """(days,): the row of the day on which these weights were set, the same day where they are a new target; -1 where
    there are none. Between, they drift with prices and nothing is traded."""

    def between(self, first: int, last: int) -> "History":
        """The days first..last (exclusive); what was set before counts as set before the first."""
        decided = np.maximum(self.decided[first:last] - first, -1)
        return History(self.dates[first:last], self.symbols, self.weights[first:last], self.known[first:last], decided)


def history(symphony: n.Symphony, bars: Bars) -> History:
    """The tree's target weights on every day; they ignore how the strategy rebalances. No day sees a later one."""
    return history_of(lay_out(symphony.root), bars)


def held_history(symphony: n.Symphony, bars: Bars, since: date | None = None) -> History:
    """What the strategy's rebalancing rule makes of the targets: on the days between, weights drift with prices.

    It begins at target on the first day with one, not before `since`. A day without a target keeps what is held; days
    before the first target are unknown.
    """
    targets = history(symphony, bars)
    known = targets.known.copy()
    if since is not None:
        known[: bisect_left(bars.dates, since)] = False
    closes = filled(np.stack([bars.of(symbol) for symbol in targets.symbols])).T
    weights, decided = held(targets.weights, known, closes, bars.dates, symphony.rebalance)
    return History(targets.dates, targets.symbols, weights, decided >= 0, decided)


def history_of(graph: Graph, bars: Bars) -> History:
    """Target weights of a tree that is already laid out.

    The root's weight of 1 is pushed down: parents come after their children in the graph, so from the last node to
    the first every node has its whole weight, (days,), before it hands it to its members.
    """
    evaluation = Evaluation.of(graph, bars)
    assets = {node.symbol: index for index, node in enumerate(graph.nodes) if isinstance(node, n.Asset)}
    symbols = tuple(sorted(assets))
    known = evaluation.known[graph.root]
    weights = np.zeros((len(symbols), bars.days))
    place = {assets[symbol]: row for row, symbol in enumerate(symbols)}
    weight_of: dict[int, Floats] = {graph.root: known.astype(np.float64)}
    for index in range(graph.root, -1, -1):
        mine = weight_of.pop(index, None)
        if mine is None:
            continue
        if index in place:
            weights[place[index]] = mine
            continue
        for child, share in zip(graph.children[index], evaluation.shares[index], strict=True):
            part = mine * share
            if child in weight_of:
                weight_of[child] += part
            elif isinstance(share, float) or part.any():
                weight_of[child] = part
    return History(bars.dates, symbols, weights.T, known, np.where(known, np.arange(bars.days), -1))
