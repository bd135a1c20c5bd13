"""A strategy that came from a file: the symphony, where it came from and how much of it was repetition."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.parsers.tokens import CLOSERS, OPENERS

MAX_CHARACTERS = 64 * 1024 * 1024
"""Twenty times the largest symphony known."""
MAX_DEPTH = 1_000
"""Brackets inside brackets, in either form; the deepest known file has 288."""
MAX_WARNINGS = 100
"""So that a file with a mistake on every line does not fill the screen."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ParsedSymphony(n.Symphony):
    """A symphony with its source. Of the `stated` nodes of the text `distinct` remain, as equal ones are one."""

    source: str
    warnings: tuple[str, ...]
    """What is allowed but probably not meant, each with its place."""
    distinct: int


def finished(
    builder: Builder,
    source: str,
    name: str,
    root: n.Portfolio,
    frequency: str | None,
    threshold: float | None,
    warnings: Sequence[str],
) -> ParsedSymphony:
    """The symphony with its counts. Raises StrategyError if the options contradict each other."""
    made = builder.symphony(name, root, frequency=frequency, threshold=threshold)
    stated, distinct = counted(root)
    return ParsedSymphony(
        made.name, root, made.rebalance, made.labels, stated, source=source, warnings=tuple(warnings), distinct=distinct
    )


def name_from(source: str) -> str:
    """What a strategy without a name is called: its file's name without the extension."""
    return PurePath(source).stem or source


def nesting(tokens: Iterable[str]) -> int:
    """How many brackets are open at the deepest place; tokens that are no brackets do not count."""
    depth = deepest = 0
    for token in tokens:
        if token in OPENERS:
            depth += 1
            deepest = max(deepest, depth)
        elif token in CLOSERS:
            depth -= 1
    return deepest


def too_deep(depth: int) -> str:
    """What to say of a text nested that deep."""
    return f"brackets are nested {depth} deep; a symphony may nest {MAX_DEPTH} at most"


def parts(node: n.Node) -> tuple[n.Node, ...]:
    """The nodes that a node is made of: portfolios, conditions and operands."""
    match node:
        case n.Choice(condition, then, otherwise):
            return (condition, then, otherwise)
        case n.Compare(_, left, right):
            return (left, right)
        case n.Negation(part) | n.Filter(pool=n.Filter() as part):
            return (part,)
        case n.AllOf(inside) | n.AnyOf(inside) | n.Weighted(_, inside) | n.InverseWeighted(_, inside):
            return inside
        case n.Filter():
            return node.children
        case _:
            return ()


def counted(root: n.Node) -> tuple[int, int]:
    """How many nodes the tree has if every use counts, and how many different ones.

    Parts first, without recursion: a node stays on the stack until the sizes of all its parts are known.
    """
    size: dict[n.Node, int] = {}
    todo = [root]
    while todo:
        node = todo[-1]
        missing = [] if node in size else [part for part in parts(node) if part not in size]
        if missing:
            todo += missing
            continue
        todo.pop()
        if node not in size:
            size[node] = 1 + sum(size[part] for part in parts(node))
    return size[root], len(size)
