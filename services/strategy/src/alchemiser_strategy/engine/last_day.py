"""One day's evaluation of a tree: which condition holds, what every node picks, and the weights that follow.

Nodes are settled children-first, so depth costs nothing; a node is unknown only if what it rests on that day is.
"""

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.graph import Graph, SeriesKey, price_of
from alchemiser_strategy.engine.indicators import Key
from alchemiser_strategy.engine.metrics import Measure

COMPARE: Mapping[n.Operator, Callable[[float, float], bool]] = {
    n.Operator.GREATER: operator.gt,
    n.Operator.LESS: operator.lt,
    n.Operator.GREATER_EQUAL: operator.ge,
    n.Operator.LESS_EQUAL: operator.le,
    n.Operator.EQUAL: operator.eq,
    n.Operator.NOT_EQUAL: operator.ne,
}

type Picks = tuple[tuple[int, float], ...] | None
"""A node's members of the day with their shares, in the children's order; None if it is unknown."""


class Readings(Protocol):
    """Where measured values come from; NaN is unknown."""

    def symbol(self, key: Key) -> float:
        """A measure of a symbol."""
        ...

    def portfolio(self, key: SeriesKey) -> float:
        """A measure of a portfolio's own value series."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """What every condition and every node came to, by their numbers in the graph.

    Invariant: a node's picks are known members with shares above 0 that sum to 1; an asset or cash picks nothing: ().
    """

    outcomes: list[bool | None]
    """None if unknown."""
    picks: list[Picks]
    """None if unknown."""

    def settle(self, graph: Graph, readings: Readings, conditions: Iterable[int], portfolios: Iterable[int]) -> None:
        """Work out the given conditions and nodes, parts before wholes."""
        for index in conditions:
            self.outcomes[index] = judged(graph, graph.conditions[index], readings, self.outcomes)
        for index in portfolios:
            self.picks[index] = _picked(graph, index, self, readings)

    def copy(self) -> "Day":
        """A copy to settle parts of again; this day stays as it is."""
        return Day(self.outcomes.copy(), self.picks.copy())


def evaluated(graph: Graph, readings: Readings) -> Day:
    """Every condition and node of the graph."""
    day = Day([None] * len(graph.conditions), [None] * len(graph.nodes))
    day.settle(graph, readings, range(len(graph.conditions)), range(len(graph.nodes)))
    return day


def weights(graph: Graph, day: Day) -> dict[str, float] | None:
    """The root's weights by symbol (sorted, each above 0; what 1 has beyond their sum is cash), or None if unknown."""
    if day.picks[graph.root] is None:
        return None
    share = [0.0] * len(graph.nodes)
    share[graph.root] = 1.0
    held: dict[str, float] = {}
    for index in range(graph.root, -1, -1):
        mine = share[index]
        if mine > 0.0:
            node = graph.nodes[index]
            if isinstance(node, n.Asset):
                held[node.symbol] = mine
            for child, part in day.picks[index] or ():
                share[child] += mine * part
    return dict(sorted(held.items()))


def operand(side: n.Operand, readings: Readings) -> float:
    """The value of a side of a comparison; NaN if unknown."""
    return side.value if isinstance(side, n.Number) else readings.symbol((side.measure, side.symbol))


def child_value(graph: Graph, what: Measure, child: int, readings: Readings) -> float:
    """What a ranking or weighting measures of a child: its closes, or its own value series."""
    node = graph.nodes[child]
    return readings.symbol((what, node.symbol)) if isinstance(node, n.Asset) else readings.portfolio((what, child))


def judged(graph: Graph, item: n.Condition, readings: Readings, outcomes: list[bool | None]) -> bool | None:
    """Whether a condition holds; None if unknown. Ands and ors stop at the first part that settles them."""
    match item:
        case n.Compare():
            left, right = operand(item.left, readings), operand(item.right, readings)
            return None if math.isnan(left) or math.isnan(right) else COMPARE[item.operator](left, right)
        case n.Negation():
            outcome = outcomes[graph.condition_number[item.part]]
            return None if outcome is None else not outcome
        case n.AllOf() | n.AnyOf():
            goes_on = isinstance(item, n.AllOf)  # "and" goes on after a true part, "or" after a false one
            for part in item.parts:
                outcome = outcomes[graph.condition_number[part]]
                if outcome is not goes_on:
                    return outcome
            return goes_on


def competing(graph: Graph, index: int, day: Day, readings: Readings) -> tuple[list[int], list[float]] | None:
    """A filter's candidates of the day in tie order, with their values (NaN: left out). None if its pool is unknown."""
    node = _filter(graph, index)
    members = list(graph.children[index])
    if node.pool is not None:
        pool = day.picks[graph.number[node.pool]]
        if pool is None:
            return None
        chosen = {child for child, _ in pool}
        members = [child for child in members if child in chosen]
    values = [
        math.nan if day.picks[child] is None else child_value(graph, node.measure, child, readings) for child in members
    ]
    return members, values


def best(values: list[float], select: n.Select, k: int) -> list[int]:
    """Positions of the `k` best known values, ties to the earlier one; ascending positions."""
    known = [position for position, value in enumerate(values) if not math.isnan(value)]
    known.sort(key=values.__getitem__, reverse=select is n.Select.TOP)
    return sorted(known[:k])


def inverse_shares(risks: list[float]) -> list[float]:
    """Shares proportional to 1 / risk; a risk of zero outweighs every other."""
    least = min(risks)
    raw = [1.0 if risk == least else least / risk for risk in risks]
    total = 0.0
    for part in raw:  # one after the other as `history` adds columns; the built-in sum compensates
        total += part
    return [part / total for part in raw]


def _picked(graph: Graph, index: int, day: Day, readings: Readings) -> Picks:
    """What one node picks, from what its children and its condition came to."""
    node, members = graph.nodes[index], graph.children[index]
    match node:
        case n.Asset() | n.Cash():
            lacks_price = isinstance(node, n.Asset) and math.isnan(readings.symbol(price_of(node.symbol)))
            return None if lacks_price else ()
        case n.Choice():
            outcome = day.outcomes[graph.condition_number[node.condition]]
            child = members[1 if outcome is False else 0]
            return None if outcome is None or day.picks[child] is None else ((child, 1.0),)
        case n.Filter():
            return _winners(graph, index, day, readings)
    if any(day.picks[child] is None for child in members):
        return None
    if isinstance(node, n.Weighted):
        return tuple(zip(members, node.shares, strict=True))
    risks = [child_value(graph, node.measure, child, readings) for child in members]
    return None if any(map(math.isnan, risks)) else tuple(zip(members, inverse_shares(risks), strict=True))


def _winners(graph: Graph, index: int, day: Day, readings: Readings) -> Picks:
    """A filter's best candidates in equal shares; None without a candidate of known value."""
    node = _filter(graph, index)
    competition = competing(graph, index, day, readings)
    if competition is None:
        return None
    candidates, values = competition
    winners = best(values, node.select, node.k)
    return tuple((candidates[position], 1.0 / len(winners)) for position in winners) or None


def _filter(graph: Graph, index: int) -> n.Filter:
    node = graph.nodes[index]
    if not isinstance(node, n.Filter):
        raise TypeError(f"node {index} is no filter")
    return node
