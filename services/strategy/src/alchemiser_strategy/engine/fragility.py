"""Which comparisons and rankings a move of 0.1 % in one symbol's last close would turn, and what would follow.

Only what the moved symbol touches is evaluated again. Shares by inverse volatility stay as they are: they follow the
price continuously, so a small move of the price is a small move of the weight and no other decision.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alchemiser_strategy.engine import last_day
from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.graph import Graph
from alchemiser_strategy.engine.indicators import MOVE
from alchemiser_strategy.engine.readings import DOWN, UP, LastDayReadings, MovedReadings

type DecisionPoint = n.Compare | int
"""Where the path could have gone another way: a comparison, or a filter by its number in the graph."""
type Move = tuple[str, int]
"""A symbol and the direction its last close is moved in, UP or DOWN."""


def description(move: Move) -> str:
    """A move as explanations say it: ``SPY -0.1 %``."""
    symbol, direction = move
    return f"{symbol} {'+' if direction == UP else '-'}{MOVE:.1%}".replace("%", " %")


@dataclass(frozen=True, slots=True, eq=False)
class Fragility:
    """Which points of the path are fragile."""

    turned_by: Mapping[DecisionPoint, Move]
    """The fragile points, each with the first move that changes the weights by turning it."""
    otherwise: Mapping[str, float] | None
    """The weights by symbol after the first of those moves that leaves them known; None if there is none."""

    @classmethod
    def of(
        cls,
        graph: Graph,
        day: last_day.Day,
        readings: LastDayReadings,
        weights: Mapping[str, float] | None,
        points: Sequence[DecisionPoint],
    ) -> "Fragility":
        """Try every small move that turns a point of the path. An unknown day (`weights` is None) is not fragile."""
        turned_by: dict[DecisionPoint, Move] = {}
        first: Mapping[str, float] | None = None
        results: dict[Move, Mapping[str, float] | None] = {}
        for point in points if weights is not None else ():
            for move in _moves_that_turn(graph, day, readings, point):
                if move not in results:
                    results[move] = _weights_after(graph, day, readings, move)
                if results[move] != weights:
                    turned_by[point] = move
                    first = results[move] if first is None else first
                    break
        return cls(turned_by, first)


def _moves_that_turn(
    graph: Graph, day: last_day.Day, readings: LastDayReadings, point: DecisionPoint
) -> Iterator[Move]:
    """The moves that turn this one point: its outcome differs, whether or not the weights do."""
    if not isinstance(point, n.Compare):
        yield from _reordering(graph, day, readings, point)
        return
    outcome = day.outcomes[graph.condition_number[point]]
    sides = [side for side in (point.left, point.right) if isinstance(side, n.Reading)]
    for symbol in dict.fromkeys(side.symbol for side in sides):
        for direction in (UP, DOWN):
            moved = MovedReadings(readings, symbol, direction, {})
            left, right = last_day.operand(point.left, moved), last_day.operand(point.right, moved)
            if last_day.COMPARE[point.operator](left, right) is not outcome:
                yield symbol, direction


# A filter's candidates in the order of their rank, "top 2" of five (the fifth is unknown and has no rank):
#
#     0.9   0.7   |   0.6   0.2        nan
#     winners         losers           left out
#           last_in   first_out
#
# Moving one symbol moves every candidate that is made of it. If that is a single one, the set of winners changes
# exactly if a winner falls behind `first_out` or a loser passes `last_in`: two comparisons. If there are several, they
# may change places among themselves, and all are ranked again. Ranks are (value, place), so that equal values are told
# apart as `best` does it: by who is listed first. Signs are turned for "top", so that less is always better.
def _reordering(graph: Graph, day: last_day.Day, readings: LastDayReadings, index: int) -> Iterator[Move]:
    """The moves that change which candidates a filter picks."""
    node, competition = graph.nodes[index], last_day.competing(graph, index, day, readings)
    if not isinstance(node, n.Filter) or competition is None:
        return
    members, values = competition
    winners = set(last_day.best(values, node.select, node.k))
    places: dict[str, list[int]] = {}
    for place, child in enumerate(members):
        if not math.isnan(values[place]):
            for symbol in readings.held_by(child):
                places.setdefault(symbol, []).append(place)
    sign = -1.0 if node.select is n.Select.TOP else 1.0
    rank = [(sign * value, place) for place, value in enumerate(values)]
    last_in = max((rank[place] for place in winners), default=None)
    first_out = min(
        (rank[p] for p, value in enumerate(values) if p not in winners and not math.isnan(value)), default=None
    )
    if last_in is None or first_out is None:
        return
    for symbol, touched in places.items():
        for direction in (UP, DOWN):
            moved = MovedReadings(readings, symbol, direction, {})
            after = {place: last_day.child_value(graph, node.measure, members[place], moved) for place in touched}
            if len(after) == 1:
                ((place, value),) = after.items()
                turned = (sign * value, place) > first_out if place in winners else (sign * value, place) < last_in
            else:
                again = [after.get(place, value) for place, value in enumerate(values)]
                turned = set(last_day.best(again, node.select, node.k)) != winners
            if turned:
                yield symbol, direction


def _weights_after(
    graph: Graph, day: last_day.Day, readings: LastDayReadings, move: Move
) -> Mapping[str, float] | None:
    """The weights had one symbol closed a little higher or lower.

    A copy of the day in which only conditions and nodes that the symbol can turn are settled again, children first. A
    weighting by inverse risk keeps its shares, unless a member has become unknown.
    """
    symbol, direction = move
    bit = graph.bit(symbol)
    tried = day.copy()
    moved = MovedReadings(readings, symbol, direction, {})
    tried.settle(graph, moved, (i for i, mask in enumerate(graph.condition_masks) if mask & bit), ())
    for index, mask in enumerate(graph.node_masks):
        if mask & bit:
            keeps_shares = isinstance(graph.nodes[index], n.InverseWeighted) and day.picks[index] is not None
            if not keeps_shares or any(tried.picks[child] is None for child in graph.children[index]):
                tried.settle(graph, moved, (), (index,))
    return last_day.weights(graph, tried)
