"""A tree laid out flat for the interpreters: nodes children-first and numbered, and what each must measure."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.indicators import Key
from alchemiser_strategy.engine.loading import bars_to_load
from alchemiser_strategy.engine.metrics import Measure, measure

_PRICE = measure("current-price")

type SeriesKey = tuple[Measure, int]
"""A measure of a portfolio's own simulated series, the portfolio by number."""


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """The nodes of one tree, each once however often it is used. Numbers are indices into `nodes` or `conditions`.

    Invariants: what a node rests on has a smaller number, so one pass upward settles everything and one pass downward
    hands out every weight, at any depth; the root is the last.
    """

    nodes: tuple[n.Portfolio, ...]
    """Children before parents; the root is the last."""
    conditions: tuple[n.Condition, ...]
    """Parts before wholes."""
    number: dict[n.Portfolio, int]
    condition_number: dict[n.Condition, int]
    children: tuple[tuple[int, ...], ...]
    """The portfolios that each node is made of."""
    rests_on: tuple[tuple[int, ...], ...]
    """The same and, for a filter over a filter, its pool."""
    readings: frozenset[Key]
    """Every measure of a symbol that conditions and rankings may look at."""
    series: tuple[int, ...]
    """Portfolios that are ranked or weighted by their own value series, children-first."""
    simulated: frozenset[int]
    """`series` and everything below: where every past day's holdings matter."""
    symbols: tuple[str, ...]
    """Every symbol that is read or can be held, sorted."""
    condition_masks: tuple[int, ...]
    """For each condition the symbols it reads, one bit each."""
    node_masks: tuple[int, ...]
    """For each node the symbols whose last close can change what it picks, itself or below."""
    bars: Mapping[str, int]
    """Bars to load of each symbol, by symbol: the longest chain of windows that it is part of."""

    @property
    def root(self) -> int:
        """The root's number."""
        return len(self.nodes) - 1

    def bit(self, symbol: str) -> int:
        """The symbol's bit in the masks."""
        return 1 << bisect_left(self.symbols, symbol)


# What `lay_out` makes of   (if (> (rsi "SPY" 10) 79) [A] [(filter (rsi 9) (select-top 1) [B (if … [C] [A])])])
#
#     nodes      0 A   1 B   2 C   3 if … C A   4 filter B, 3   5 if (> …) A, 4     children before parents
#     children   ()    ()    ()    (2, 0)       (1, 3)          (0, 4)              A is one node that is used twice
#     readings   the prices of A, B and C, rsi(SPY, 10), rsi(B, 9)                  measures of symbols
#     series     3                   a portfolio that is ranked: its value has to be simulated
#     simulated  0, 2, 3             what that simulation needs on every past day
def lay_out(root: n.Portfolio) -> Graph:
    """Number the nodes of a tree. Cost grows with the number of different nodes, not with how often they are used."""
    order = list(_children_first(root))
    number = {node: index for index, node in enumerate(order)}
    conditions = list(_parts_first([node.condition for node in order if isinstance(node, n.Choice)]))
    readings, series = _measured(order, conditions, number)
    children = tuple(tuple(number[child] for child in n.children_of(node)) for node in order)
    rests_on = tuple(
        (*below, number[node.pool]) if isinstance(node, n.Filter) and node.pool is not None else below
        for node, below in zip(order, children, strict=True)
    )
    alphabet = tuple(sorted({symbol for _, symbol in readings}))
    condition_masks, node_masks = _masks(order, number, conditions, alphabet)
    return Graph(
        nodes=tuple(order),
        conditions=tuple(conditions),
        number=number,
        condition_number={item: index for index, item in enumerate(conditions)},
        children=children,
        rests_on=rests_on,
        readings=frozenset(readings),
        series=tuple(sorted(series)),
        simulated=_below(series, rests_on),
        symbols=alphabet,
        condition_masks=condition_masks,
        node_masks=node_masks,
        bars=bars_to_load(order, children, rests_on, conditions),
    )


def price_of(symbol: str) -> Key:
    """What an asset needs in order to be held: a last close."""
    return (_PRICE, symbol)


def _children_first(root: n.Portfolio) -> Iterator[n.Portfolio]:
    """Every node once, after all that it rests on, in reading order.

    A node is put on the stack twice: to open it, which puts its children on top, and to close it after them.
    """
    seen: set[n.Portfolio] = set()
    todo: list[tuple[n.Portfolio, bool]] = [(root, False)]
    while todo:
        node, done = todo.pop()
        if done:
            yield node
        elif node not in seen:
            seen.add(node)
            todo.append((node, True))
            below = n.children_of(node)
            if isinstance(node, n.Filter) and node.pool is not None:
                below = (node.pool, *below)
            todo += [(child, False) for child in reversed(below) if child not in seen]


def _parts_first(roots: list[n.Condition]) -> Iterator[n.Condition]:
    seen: set[n.Condition] = set()
    todo = [(item, False) for item in reversed(roots)]
    while todo:
        item, done = todo.pop()
        if done:
            yield item
        elif item not in seen:
            seen.add(item)
            todo.append((item, True))
            todo += [(part, False) for part in reversed(n.parts_of(item)) if part not in seen]


def _measured(
    order: list[n.Portfolio], conditions: list[n.Condition], number: dict[n.Portfolio, int]
) -> tuple[set[Key], set[int]]:
    """Every measure of a symbol that may be looked at, and the portfolios that have to be simulated, by number."""
    operands = {side for item in conditions if isinstance(item, n.Compare) for side in (item.left, item.right)}
    readings: set[Key] = {(side.measure, side.symbol) for side in operands if isinstance(side, n.Reading)}
    series: set[int] = set()
    for node in order:
        if isinstance(node, n.Asset):
            readings.add(price_of(node.symbol))
        what = n.measured_by(node)
        if what is not None:
            readings |= {(what, child.symbol) for child in n.children_of(node) if isinstance(child, n.Asset)}
            series |= {number[child] for child in n.children_of(node) if not isinstance(child, n.Asset)}
    return readings, series


def _below(starts: set[int], rests_on: tuple[tuple[int, ...], ...]) -> frozenset[int]:
    """Some nodes and all that they rest on."""
    inside = set(starts)
    for index in range(len(rests_on) - 1, -1, -1):
        if index in inside:
            inside.update(rests_on[index])
    return frozenset(inside)


def _masks(
    order: list[n.Portfolio], number: dict[n.Portfolio, int], conditions: list[n.Condition], alphabet: tuple[str, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """For each condition the symbols it reads, and for each node those whose last close can change what it picks.

    One bit a symbol. Fixed shares do not depend on a last close, so a weighting hands up only what turns its children;
    a filter ranks by everything that its candidates may hold.
    """
    bit = {symbol: 1 << place for place, symbol in enumerate(alphabet)}
    read: dict[n.Condition, int] = {}
    for item in conditions:
        mask = 0
        if isinstance(item, n.Compare):
            for side in (item.left, item.right):
                mask |= bit[side.symbol] if isinstance(side, n.Reading) else 0
        for part in n.parts_of(item):
            mask |= read[part]
        read[item] = mask
    held, turned = [0] * len(order), [0] * len(order)
    for index, node in enumerate(order):
        for child in n.children_of(node):
            held[index] |= held[number[child]]
            turned[index] |= turned[number[child]]
        if isinstance(node, n.Asset):
            held[index] = bit[node.symbol]
        elif isinstance(node, n.Choice):
            turned[index] |= read[node.condition]
        elif isinstance(node, n.Filter):
            turned[index] |= held[index] | (turned[number[node.pool]] if node.pool is not None else 0)
    return tuple(read.values()), tuple(turned)
