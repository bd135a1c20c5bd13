"""Which comparisons and rankings a move of 0.1 % in one symbol's last close would turn, and what would follow.

Only what the moved symbol touches is evaluated again. Shares by inverse volatility stay as they are: a weight that
glides with the price is no change of mind.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alchemiser_strategy.engine import last_day
from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.graph import Graph
from alchemiser_strategy.engine.indicators import MOVE
from alchemiser_strategy.engine.readings import DOWN, UP, AsTheyAre, Moved

type Point = n.Compare | int
"""A place on the path where the day could have gone another way: a comparison, or a filter by number."""
type Push = tuple[str, int]
"""A symbol and the direction its last close is moved in."""


def described(push: Push) -> str:
    """``SPY -0.1 %``."""
    symbol, direction = push
    return f"{symbol} {'+' if direction == UP else '-'}{MOVE:.1%}".replace("%", " %")


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """The fragile points with the move that turns each, and the weights behind the first (None if there are none)."""

    turned_by: Mapping[Point, Push]
    otherwise: Mapping[str, float] | None

    @classmethod
    def of(
        cls,
        graph: Graph,
        day: last_day.Day,
        readings: AsTheyAre,
        weights: Mapping[str, float] | None,
        points: Sequence[Point],
    ) -> "Outlook":
        """Try every small move that turns a point of the path."""
        turned_by: dict[Point, Push] = {}
        first: Mapping[str, float] | None = None
        results: dict[Push, Mapping[str, float] | None] = {}
        for point in points if weights is not None else ():
            for push in _turning(graph, day, readings, point):
                if push not in results:
                    results[push] = _after(graph, day, readings, push)
                if results[push] != weights:
                    turned_by[point] = push
                    first = first or results[push]
                    break
        return cls(turned_by, first)


def _turning(graph: Graph, day: last_day.Day, readings: AsTheyAre, point: Point) -> Iterator[Push]:
    """The moves that turn this one point."""
    if not isinstance(point, n.Compare):
        yield from _reordering(graph, day, readings, point)
        return
    outcome = day.outcomes[graph.condition_number[point]]
    sides = [side for side in (point.left, point.right) if isinstance(side, n.Reading)]
    for symbol in dict.fromkeys(side.symbol for side in sides):
        for direction in (UP, DOWN):
            moved = Moved(readings, symbol, direction, {})
            left, right = last_day.operand(point.left, moved), last_day.operand(point.right, moved)
            if last_day.COMPARE[point.operator](left, right) is not outcome:
                yield symbol, direction


def _reordering(graph: Graph, day: last_day.Day, readings: AsTheyAre, index: int) -> Iterator[Push]:
    node, field = graph.nodes[index], last_day.competing(graph, index, day, readings)
    if not isinstance(node, n.Filter) or field is None:
        return
    members, values = field
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
            moved = Moved(readings, symbol, direction, {})
            after = {place: last_day.child_value(graph, node.measure, members[place], moved) for place in touched}
            if len(after) == 1:
                ((place, value),) = after.items()
                turned = (sign * value, place) > first_out if place in winners else (sign * value, place) < last_in
            else:
                again = [after.get(place, value) for place, value in enumerate(values)]
                turned = set(last_day.best(again, node.select, node.k)) != winners
            if turned:
                yield symbol, direction


def _after(graph: Graph, day: last_day.Day, readings: AsTheyAre, push: Push) -> Mapping[str, float] | None:
    """The weights had one symbol closed a little higher or lower."""
    symbol, direction = push
    bit = graph.bit(symbol)
    tried = day.copy()
    moved = Moved(readings, symbol, direction, {})
    tried.settle(graph, moved, (i for i, mask in enumerate(graph.condition_masks) if mask & bit), ())
    for index, mask in enumerate(graph.node_masks):
        if mask & bit:
            gliding = isinstance(graph.nodes[index], n.InverseWeighted) and day.picks[index] is not None
            if not gliding or any(tried.picks[child] is None for child in graph.children[index]):
                tried.settle(graph, moved, (), (index,))
    return last_day.weights(graph, tried)
