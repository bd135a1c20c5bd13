"""Why today's weights are what they are: the path through the tree, what was compared and ranked, what was unknown."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alchemiser_common.messages.decision import (
    WEIGHT_TOLERANCE,
    Candidate,
    ConditionStep,
    Explanation,
    ExplanationStep,
    RankingStep,
    UnknownReading,
)
from alchemiser_common.messages.snapshot import TargetWeight
from alchemiser_strategy.bars import Bars
from alchemiser_strategy.engine import last_day, text
from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.all_days import Evaluation
from alchemiser_strategy.engine.fragility import DecisionPoint, Fragility, Move, description
from alchemiser_strategy.engine.graph import Graph, lay_out, price_of
from alchemiser_strategy.engine.indicators import LastDay
from alchemiser_strategy.engine.metrics import Measure
from alchemiser_strategy.engine.readings import LastDayReadings


@dataclass(frozen=True, slots=True)
class Verdict:
    """A tree's weights of one day by symbol (sorted, each above 0, sum 1 with cash), or None if unknown, and why.

    Invariant: without weights the explanation names at least one unknown reading.
    """

    weights: Mapping[str, float] | None
    explanation: Explanation


def explain(symphony: n.Symphony, bars: Bars) -> Verdict:
    """What a strategy holds after the last of the bars, and why; it ignores how the strategy rebalances."""
    return explained(lay_out(symphony.root), LastDay(bars), symphony.labels)


def explained(graph: Graph, last: LastDay, labels: Mapping[n.Portfolio, str]) -> Verdict:
    """The same for a tree that is already laid out, with readings that several trees share."""
    last.prepare(graph.readings)
    simulated = Evaluation.of(graph, last.bars, graph.simulated) if graph.series else None
    readings = LastDayReadings(graph, last, simulated, {})
    day = last_day.evaluated(graph, readings)
    return _Explainer(graph, day, readings, labels).verdict()


@dataclass(frozen=True, slots=True, eq=False)
class _Explainer:
    """Walks the path of a day that is already evaluated and says what was met on it."""

    graph: Graph
    day: last_day.Day
    readings: LastDayReadings
    labels: Mapping[n.Portfolio, str]

    def verdict(self) -> Verdict:
        """The weights, and every comparison, ranking and unknown reading on the path to them."""
        weights = last_day.weights(self.graph, self.day)
        points: list[DecisionPoint] = []
        unknown: dict[UnknownReading, None] = {}
        unsettled: dict[UnknownReading, None] = {}
        for index in self._path():
            points += self._points(index)
            unknown.update(dict.fromkeys(self._unknown(index)))
            unsettled.update(dict.fromkeys(self._unsettled(index)))
        fragility = Fragility.of(self.graph, self.day, self.readings, weights, points)
        steps = tuple(self._step(point, fragility.turned_by.get(point)) for point in points)
        return Verdict(
            weights,
            Explanation(
                summary=_summary(weights, tuple(unknown)),
                steps=steps,
                unknown=tuple(unknown),
                unsettled=tuple(unsettled),
                otherwise=targets(fragility.otherwise),
            ),
        )

    def _path(self) -> Iterator[int]:
        """The nodes that the day's result rests on, in reading order, each once."""
        seen: set[int] = set()
        todo = [self.graph.root]
        while todo:
            index = todo.pop()
            if index in seen:
                continue
            seen.add(index)
            yield index
            todo += reversed(self._followed(index))

    def _followed(self, index: int) -> list[int]:
        """What a node's result rests on: the branch taken, the winners, or every member.

        If a member is unknown a weighting is too, and only the unknown members say why.
        """
        node, members, picks = self.graph.nodes[index], self.graph.children[index], self.day.picks
        if isinstance(node, n.Choice):
            outcome = self.day.outcomes[self.graph.condition_number[node.condition]]
            return [] if outcome is None else [members[0 if outcome else 1]]
        if isinstance(node, n.Filter):
            pool = [] if node.pool is None else [self.graph.number[node.pool]]
            return pool + [child for child, _ in picks[index] or ()]
        return [child for child in members if picks[index] is not None or picks[child] is None]

    def _points(self, index: int) -> list[DecisionPoint]:
        """The comparisons with a known outcome that a node met, or the node itself if it ranks."""
        node = self.graph.nodes[index]
        if isinstance(node, n.Choice):
            return [item for item in self._met(node.condition) if self._judged(item) is not None]
        return [index] if isinstance(node, n.Filter) else []

    def _judged(self, item: n.Condition) -> bool | None:
        return self.day.outcomes[self.graph.condition_number[item]]

    def _met(self, condition: n.Condition) -> list[n.Compare]:
        """The comparisons that settled a condition, in the order they were tried.

        Of "a and b and c" with a true and b false those are a and b: the first part that is not true settles an
        "and", the first that is not false an "or", also if it is unknown.
        """
        met: list[n.Compare] = []
        todo = [condition]
        while todo:
            item = todo.pop()
            if isinstance(item, n.Compare):
                met.append(item)
                continue
            tried: list[n.Condition] = []
            for part in n.parts_of(item):
                tried.append(part)
                if not isinstance(item, n.Negation) and self._judged(part) is not isinstance(item, n.AllOf):
                    break
            todo += reversed(tried)
        return met

    def _step(self, point: DecisionPoint, move: Move | None) -> ExplanationStep:
        turned_by = description(move) if move else ""
        if isinstance(point, n.Compare):
            left, right = last_day.operand(point.left, self.readings), last_day.operand(point.right, self.readings)
            return ConditionStep(
                text=text.comparison(point),
                left=left,
                right=right,
                holds=self._judged(point) is True,
                margin=left - right,
                fragile=move is not None,
                turned_by=turned_by,
            )
        node = self.graph.nodes[point]
        members, values = last_day.competing(self.graph, point, self.day, self.readings) or ([], [])
        chosen = {child for child, _ in self.day.picks[point] or ()}
        return RankingStep(
            text=text.ranking(node) if isinstance(node, n.Filter) else "",
            candidates=tuple(
                Candidate(
                    name=text.portfolio(self.graph.nodes[child], self.labels),
                    value=None if math.isnan(value) else value,
                    chosen=child in chosen,
                )
                for child, value in zip(members, values, strict=True)
            ),
            fragile=move is not None,
            turned_by=turned_by,
        )

    def _unknown(self, index: int) -> Iterator[UnknownReading]:
        """The values that a node on the path needs and that have too few bars."""
        node = self.graph.nodes[index]
        if isinstance(node, n.Asset):
            yield from self._missing(*price_of(node.symbol))
        elif isinstance(node, n.Choice):
            if self._judged(node.condition) is None:
                for item in self._met(node.condition):
                    for side in (item.left, item.right):
                        if isinstance(side, n.Reading):
                            yield from self._missing(side.measure, side.symbol)
        else:
            what = n.measured_by(node)
            for child in self.graph.children[index]:
                member = self.graph.nodes[child]
                if what is not None and isinstance(member, n.Asset):
                    yield from self._missing(what, member.symbol)
                elif what is not None:
                    yield from self._missing_series(what, child)

    def _unsettled(self, index: int) -> Iterator[UnknownReading]:
        """The values that a node on the path rests on and that still feel what their recursion was begun with."""
        node = self.graph.nodes[index]
        if isinstance(node, n.Choice):
            for item in self._met(node.condition):
                for side in (item.left, item.right):
                    if isinstance(side, n.Reading):
                        yield from self._young(side.measure, side.symbol)
        elif (what := n.measured_by(node)) is not None and what.metric.settled is not None:
            for child in self.graph.children[index]:
                member = self.graph.nodes[child]
                if isinstance(member, n.Asset):
                    yield from self._young(what, member.symbol)
                elif not math.isnan(self.readings.portfolio((what, child))):
                    name = text.portfolio(member, self.labels)
                    yield from _few_bars(what, name, self.readings.streak(child))

    def _young(self, what: Measure, symbol: str) -> Iterator[UnknownReading]:
        if what.metric.settled is not None and not math.isnan(self.readings.symbol((what, symbol))):
            yield from _few_bars(what, symbol, self.readings.last.bars.streak(symbol))

    def _missing(self, what: Measure, symbol: str) -> Iterator[UnknownReading]:
        if math.isnan(self.readings.symbol((what, symbol))):
            had = self.readings.last.bars.streak(symbol)
            yield UnknownReading(symbol=symbol, indicator=str(what), bars_had=had, bars_needed=what.bars_needed)

    def _missing_series(self, what: Measure, child: int) -> Iterator[UnknownReading]:
        unknown_today = self.day.picks[child] is None
        if unknown_today or math.isnan(self.readings.portfolio((what, child))):
            yield UnknownReading(
                symbol=text.portfolio(self.graph.nodes[child], self.labels),
                indicator=str(what),
                bars_had=self.readings.streak(child),
                bars_needed=what.bars_needed,
            )


def _few_bars(what: Measure, symbol: str, had: int) -> Iterator[UnknownReading]:
    if had < what.bars_wanted:
        yield UnknownReading(symbol=symbol, indicator=str(what), bars_had=had, bars_needed=what.bars_wanted)


def targets(weights: Mapping[str, float] | None) -> tuple[TargetWeight, ...]:
    """Weights as a message carries them, by symbol; nothing of a symbol is no target."""
    held = sorted((weights or {}).items())
    return tuple(TargetWeight(symbol=symbol, weight=min(weight, 1.0)) for symbol, weight in held if weight > 0)


def _summary(weights: Mapping[str, float] | None, unknown: tuple[UnknownReading, ...]) -> str:
    if weights is not None:
        held = [f"{symbol} {weight:.1%}" for symbol, weight in weights.items()]
        cash = 1.0 - math.fsum(weights.values())
        return ", ".join([*held, f"cash {cash:.1%}"] if cash > WEIGHT_TOLERANCE else held)
    first = unknown[0]
    return f"no signal: {first.indicator} of {first.symbol} has {first.bars_had} of {first.bars_needed} bars"
