"""Every day of a graph at once: what each node picks, and the value series of the portfolios that are ranked.

A node keeps no days x symbols matrix, only its members' shares: a mask, or one number a day. What was held at a
close earns the next day's return, rebalanced daily, without costs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from alchemiser_strategy.bars import Bars, Bools, Floats
from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine import ranking
from alchemiser_strategy.engine.formulas import returns_of
from alchemiser_strategy.engine.graph import Graph
from alchemiser_strategy.engine.indicators import Key, measured, values_of_all_days
from alchemiser_strategy.engine.metrics import Measure

type Share = Floats | Bools | float
"""A member's share of its parent: (days,), or the same every day."""

_COMPARE: Mapping[n.Operator, np.ufunc] = {
    n.Operator.GREATER: np.greater,
    n.Operator.LESS: np.less,
    n.Operator.GREATER_EQUAL: np.greater_equal,
    n.Operator.LESS_EQUAL: np.less_equal,
    n.Operator.EQUAL: np.equal,
    n.Operator.NOT_EQUAL: np.not_equal,
}


@dataclass(slots=True, eq=False)
class Evaluation:
    """The days of some nodes of a graph; `of` fills it in. Indices are those of the graph.

    Invariants: whatever is evaluated, its children are too; row t of every array rests on bars up to t alone; on a
    day that a node is known, its shares are 0 or more, sum to 1, and every member with a share is known.
    """

    graph: Graph
    bars: Bars
    known: dict[int, Bools] = field(default_factory=dict)
    """Whether the bars suffice to say what the node picks that day, (days,)."""
    shares: dict[int, tuple[Share, ...]] = field(default_factory=dict)
    """The members' shares, in the children's order; meaningless on days the node is unknown."""
    series: dict[int, tuple[Floats, Floats]] = field(default_factory=dict)
    """Levels (1 at the start) and daily returns (fractions) of the ranked portfolios, (days,) each, NaN where
    unknown."""
    _readings: dict[Key, Floats] = field(default_factory=dict)
    _holds: dict[int, tuple[Bools, Bools]] = field(default_factory=dict)
    _returns: dict[int, tuple[Floats, Bools]] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: Graph, bars: Bars, wanted: Iterable[int] | None = None) -> "Evaluation":
        """Evaluate the wanted nodes (which must include all they rest on); every node if None."""
        evaluation = Evaluation(graph, bars)
        order = range(len(graph.nodes)) if wanted is None else sorted(wanted)
        evaluation._read(order)
        # A node's returns are wanted by its simulated parents only and dropped after the last of them: memory holds
        # few rows of days at a time, however many nodes there are.
        uses = _uses(graph)
        for index in order:
            evaluation._settle(index)
            if index in graph.simulated:
                evaluation._earn(index)
                for child in graph.children[index]:
                    uses[child] -= 1
                    if not uses[child]:
                        evaluation._returns.pop(child, None)
        evaluation._readings.clear()
        evaluation._holds.clear()
        evaluation._returns.clear()
        return evaluation

    def levels(self, node: int) -> tuple[Floats, Floats]:
        """A ranked portfolio's levels (1 at the start) and daily returns (fractions), (days,) each, NaN if unknown."""
        return self.series[node]

    def exposure(self, node: int) -> dict[str, float]:
        """What a portfolio held over the last day: fractions by symbol, decided the day before; {} if unknown."""
        held: dict[str, float] = {}
        if self.bars.days < 2 or not self.known[node][-2]:
            return held
        amounts = {node: 1.0}
        for index in range(node, -1, -1):
            amount = amounts.pop(index, 0.0)
            asset = self.graph.nodes[index]
            if amount and isinstance(asset, n.Asset):
                held[asset.symbol] = amount
            elif amount:
                for child, share in zip(self.graph.children[index], self.shares[index], strict=True):
                    part = share if isinstance(share, float) else float(share[-2])
                    amounts[child] = amounts.get(child, 0.0) + amount * part
            if not amounts:
                break
        return held

    def _read(self, order: Iterable[int]) -> None:
        """Indicator values and conditions of the wanted nodes; what only conditions read is dropped at the end."""
        nodes = [self.graph.nodes[index] for index in order]
        conditions = _with_parts([node.condition for node in nodes if isinstance(node, n.Choice)])
        compared = {
            (side.measure, side.symbol): None
            for item in conditions
            if isinstance(item, n.Compare)
            for side in (item.left, item.right)
            if isinstance(side, n.Reading)
        }
        ranked = {
            (node.measure, child.symbol): None
            for node in nodes
            if isinstance(node, (n.Filter, n.InverseWeighted))
            for child in node.children
            if isinstance(child, n.Asset)
        }
        self._readings = values_of_all_days(self.bars, compared | ranked)
        for index, item in enumerate(self.graph.conditions):
            if item in conditions:
                self._holds[index] = self._judged(item)
        self._readings = {key: self._readings[key] for key in ranked}

    def _judged(self, item: n.Condition) -> tuple[Bools, Bools]:
        """Whether a condition holds, and whether that is known, (days,) each.

        Parts after the one that settles a day do not matter, known or not: of "a and b" a false `a` settles it.
        """
        if isinstance(item, n.Compare):
            sides = [
                side.value if isinstance(side, n.Number) else self._readings[side.measure, side.symbol]
                for side in (item.left, item.right)
            ]
            known = np.ones(self.bars.days, dtype=np.bool_)
            for side in sides:
                if not isinstance(side, float):
                    known &= ~np.isnan(side)
            return np.broadcast_to(_COMPARE[item.operator](*sides), known.shape), known
        number = self.graph.condition_number
        if isinstance(item, n.Negation):
            holds, known = self._holds[number[item.part]]
            return ~holds, known
        every = isinstance(item, n.AllOf)
        holds, known = self._holds[number[item.parts[0]]]
        for part in item.parts[1:]:
            part_holds, part_known = self._holds[number[part]]
            open_ = holds if every else ~holds
            known = known & (~open_ | part_known)
            holds = holds & part_holds if every else holds | part_holds
        return holds, known

    def _settle(self, index: int) -> None:
        """What a node picks each day, and whether it can."""
        node, members = self.graph.nodes[index], self.graph.children[index]
        match node:
            case n.Asset():
                self.known[index], self.shares[index] = ~np.isnan(self.bars.of(node.symbol)), ()
            case n.Cash():
                self.known[index], self.shares[index] = np.ones(self.bars.days, dtype=np.bool_), ()
            case n.Choice():
                holds, outcome_known = self._holds[self.graph.condition_number[node.condition]]
                then, otherwise = (self.known[child] for child in members)
                self.known[index] = outcome_known & np.where(holds, then, otherwise)
                self.shares[index] = (holds, ~holds)
            case n.Weighted():
                self.known[index] = self._all_known(members)
                self.shares[index] = node.shares
            case n.InverseWeighted():
                risks = self._measured(node.measure, members)
                self.known[index] = known = self._all_known(members) & ~np.isnan(risks).any(axis=0)
                self.shares[index] = tuple(np.where(known, ranking.inverse_each_day(risks), 0.0))
            case n.Filter():
                self._rank(index, node)

    def _rank(self, index: int, node: n.Filter) -> None:
        """A filter's winners in equal shares; a day without a candidate of known value is unknown."""
        members = self.graph.children[index]
        values = self._measured(node.measure, members)
        for row, child in enumerate(members):
            if not self.known[child].all():
                values[row, ~self.known[child]] = np.nan
        if node.pool is not None:
            pool = self.graph.number[node.pool]
            for row, share in enumerate(self.shares[pool]):
                values[row, ~(self.known[pool] & (np.asarray(share) > 0))] = np.nan
        chosen = ranking.best_each_day(values, node.select, node.k)
        count = chosen.sum(axis=0)
        self.known[index] = count > 0
        each = 1.0 / np.maximum(count, 1)
        if (count == count[0]).all() and count[0] == 1:
            self.shares[index] = tuple(chosen)
        else:
            self.shares[index] = tuple(chosen * each)

    def _all_known(self, members: Iterable[int]) -> Bools:
        known = np.ones(self.bars.days, dtype=np.bool_)
        for child in members:
            known &= self.known[child]
        return known

    def _measured(self, what: Measure, members: tuple[int, ...]) -> Floats:
        """A measure of every child on every day, (children, days): of an asset's closes or a portfolio's series."""
        out = np.empty((len(members), self.bars.days))
        simulated: list[int] = []
        for row, child in enumerate(members):
            node = self.graph.nodes[child]
            if isinstance(node, n.Asset):
                out[row] = self._readings[what, node.symbol]
            else:
                simulated.append(row)
        if simulated:
            levels, returns = (
                np.stack(rows) for rows in zip(*(self.series[members[row]] for row in simulated), strict=True)
            )
            out[simulated] = measured(what, levels, returns)
        return out

    # What is decided at the close of day t-1 earns the return of day t:
    #
    #     day         t-1                   t
    #     decided     shares[t-1]           shares[t]
    #     earned                            total[t] = sum over members of shares[t-1] * daily[t]
    #     level       L[t-1]                L[t] = L[t-1] * (1 + total[t])
    #
    # A return is valid if the node was known at t-1 and every member with a share then has a valid return on t. A
    # fixed share is the same on every day, so the shift by a day is left out there. Where a return is not valid the
    # level stands still (a return of 0), and the series is NaN: a metric counts its bars anew from there.
    def _earn(self, index: int) -> None:
        """A node's daily returns, and for a ranked portfolio its series."""
        node = self.graph.nodes[index]
        if isinstance(node, n.Asset):
            daily = returns_of(self.bars.of(node.symbol)[None])[0]
            valid = ~np.isnan(daily)
            self._returns[index] = (np.where(valid, daily, 0.0), valid)
            return
        total = np.zeros(self.bars.days)
        valid = np.zeros(self.bars.days, dtype=np.bool_)
        valid[1:] = self.known[index][:-1]
        for child, share in zip(self.graph.children[index], self.shares[index], strict=True):
            daily, earned = self._returns[child]
            if isinstance(share, float):
                total += share * daily
                valid &= earned
            else:
                total[1:] += share[:-1] * daily[1:]
                if not earned[1:].all():
                    valid[1:] &= earned[1:] | (share[:-1] == 0)
        if not valid.all():
            total[~valid] = 0.0
        self._returns[index] = (total, valid)
        if index in self.graph.series:
            level = np.cumprod(1.0 + total)
            # Broken: unknown itself, or held since yesterday without a valid return. The first known day after a break
            # has no return yet, but a level.
            whole = self.known[index].copy()
            whole[1:] &= valid[1:] | ~self.known[index][:-1]
            level[~whole] = np.nan
            self.series[index] = (level, np.where(valid, total, np.nan))


def _uses(graph: Graph) -> list[int]:
    """How many simulated parents need each node's returns, by number."""
    uses = [0] * len(graph.nodes)
    for index in graph.simulated:
        for child in graph.children[index]:
            uses[child] += 1
    return uses


def _with_parts(conditions: list[n.Condition]) -> set[n.Condition]:
    found: set[n.Condition] = set()
    todo = list(conditions)
    while todo:
        item = todo.pop()
        if item not in found:
            found.add(item)
            todo += n.parts_of(item)
    return found
