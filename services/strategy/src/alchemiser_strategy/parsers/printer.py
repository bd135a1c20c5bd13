"""A tree back to symphony text. Reading the text gives the same nodes, unless it is nested too deep for a reader."""

import math
from collections.abc import Iterator, Mapping, Sequence

from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.metrics import VOLATILITY, Measure
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers.document import MAX_CHARACTERS

_DEEPEST_INDENT = 60
_ESCAPES = {ord('"'): '\\"', ord("\\"): "\\\\", ord("\n"): "\\n", ord("\t"): "\\t", ord("\r"): "\\r"}
_GOLDEN = (math.sqrt(5) - 1) / 2
_HAIR = 1e-10
"""So little that the weights still sum to 1, as a reader sees it, and so much that there are enough multiples."""

type _Piece = str | tuple[n.Node, int]
"""Text, or a node with the depth that it is printed at."""


def to_symphony(tree: n.Symphony | n.Portfolio) -> str:
    """Symphony text: a whole ``(defsymphony …)`` with its labels, or the body alone for a portfolio.

    Shared parts are written out wherever they are used. Raises StrategyError if that takes more text than a symphony
    may have, or if the tree has something that the text form cannot say.
    """
    if isinstance(tree, n.Symphony):
        rebalance = f":rebalance-frequency :{tree.rebalance.frequency.value}"
        if tree.rebalance.threshold is not None:
            rebalance = f":rebalance-threshold {tree.rebalance.threshold!r}"
        head = f'(defsymphony {_string(tree.name)}\n {{:asset-class "EQUITIES", {rebalance}}}\n '
        return "".join(_bounded(_texts([head, (tree.root, 1), ")\n"], tree.labels)))
    return "".join(_bounded(_texts([(tree, 0), "\n"], {})))


def _bounded(texts: Iterator[str]) -> Iterator[str]:
    length = 0
    for text in texts:
        length += len(text)
        if length > MAX_CHARACTERS:
            raise StrategyError(f"the tree takes more than {MAX_CHARACTERS} characters; its shared parts are too many")
        yield text


def _texts(pieces: Sequence[_Piece], labels: Mapping[n.Portfolio, str]) -> Iterator[str]:
    """The pieces as text, in order. Without recursion: a node is replaced by its own pieces on the stack."""
    todo = list(reversed(pieces))
    while todo:
        piece = todo.pop()
        if isinstance(piece, str):
            yield piece
            continue
        node, depth = piece
        match node:
            case n.Number(value):
                yield _number(value)
            case n.Reading(measure, symbol):
                yield f"({measure.metric.name} {_string(symbol)}{_windows(measure)})"
            case n.Compare() | n.AllOf() | n.AnyOf() | n.Negation():
                todo += reversed(_condition(node, depth))
            case n.Cash():
                yield "(cash)"
            case n.Asset(symbol):
                label = labels.get(node)
                yield f"(asset {_string(symbol)} {'nil' if label is None else _string(label)})"
            case _ if (label := labels.get(node)) is not None:
                todo += reversed([f"(group {_string(label)}", *_vector(depth, _portfolio(node, depth + 2)), ")"])
            case _:
                todo += reversed(_portfolio(node, depth))


def _condition(node: n.Condition, depth: int) -> list[_Piece]:
    match node:
        case n.Compare(operator, left, right):
            return [f"({operator.value} ", (left, depth), " ", (right, depth), ")"]
        case n.Negation(part):
            return ["(not ", (part, depth), ")"]
        case n.AllOf(parts) | n.AnyOf(parts):
            inside = [piece for part in parts for piece in (_line(depth), (part, depth + 1))]
            return ["(and" if isinstance(node, n.AllOf) else "(or", *inside, ")"]


def _portfolio(node: n.Portfolio, depth: int) -> list[_Piece]:
    match node:
        case n.Choice(condition, then, otherwise):
            branches = [*_vector(depth, [(then, depth + 2)]), *_vector(depth, [(otherwise, depth + 2)])]
            return ["(if ", (condition, depth + 1), *branches, ")"]
        case n.Weighted(shares, children):
            weights = _weights(shares)
            if weights is None:
                return ["(weight-equal", *_vector(depth, _members(children, depth)), ")"]
            parts = [
                piece
                for weight, child in zip(weights, children, strict=True)
                for piece in (f"{_line(depth)}{weight} ", (child, depth + 1))
            ]
            return ["(weight-specified", *parts, ")"]
        case n.InverseWeighted(measure, children):
            head = f"(weight-inverse ({measure.metric.name}{_windows(measure)})"
            if measure.metric is VOLATILITY:
                head = f"(weight-inverse-volatility {measure.windows[0]}"
            return [head, *_vector(depth, _members(children, depth)), ")"]
        case n.Filter(measure, select, k, ties, children, pool):
            listed = "" if ties is n.Ties.ALPHABETICAL else " :listed"
            head = f"(filter ({measure.metric.name}{_windows(measure)}) (select-{select.value} {k}{listed})"
            candidates = children if pool is None else (pool,)
            return [head, *_vector(depth, _members(candidates, depth)), ")"]
        case n.Asset() | n.Cash():
            return [(node, depth)]


def _members(children: Sequence[n.Portfolio], depth: int) -> list[_Piece]:
    lines: list[_Piece] = [piece for child in children for piece in (_line(depth + 1), (child, depth + 2))]
    return lines[1:]


def _vector(depth: int, inside: Sequence[_Piece]) -> list[_Piece]:
    return [f"{_line(depth)}[", *inside, "]"]


def _line(depth: int) -> str:
    """A new line inside the form at `depth`. Very deep forms are indented no further, or text would grow as depth²."""
    return "\n" + " " * (min(depth, _DEEPEST_INDENT) + 1)


def _windows(measure: Measure) -> str:
    options = zip(measure.metric.options, measure.windows, strict=True)
    pairs = ", ".join(f":{option.name} {window}" for option, window in options)
    return f" {{{pairs}}}" if pairs else ""


def _string(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _weights(shares: tuple[float, ...]) -> list[str] | None:
    """Weights that are normalised to exactly these shares; None if they are all the same.

    Shares do not always sum to 1 in floating point, so they are not always their own weights. Percentages serve for
    what people write; otherwise some multiple of the shares does, and multiples a hair above 1 are tried that the
    golden ratio spreads evenly.
    """
    if shares == (1.0 / len(shares),) * len(shares):
        return None
    short = [f"{100 * share:.12g}" for share in shares]
    if _normalised(short) == shares:
        return short
    for attempt in range(100_000):
        scale = 1.0 + attempt * _GOLDEN % 1.0 * _HAIR
        weights = [repr(share * scale) for share in shares]
        if _normalised(weights) == shares:
            return weights
    raise StrategyError(f"no weights are normalised to the shares {shares}")


def _normalised(weights: Sequence[str]) -> tuple[float, ...]:
    numbers = [float(weight) for weight in weights]
    total = math.fsum(numbers)
    return tuple(number / total for number in numbers)
