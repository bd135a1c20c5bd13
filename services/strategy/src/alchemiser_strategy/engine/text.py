"""Nodes as people read them: one line for a condition, a ranking or a portfolio. Never recurses."""

from collections.abc import Mapping

from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.metrics import Measure

_WIDEST = 6
"""How many members of a list are spelled out."""


def reading(measure: Measure, symbol: str) -> str:
    """A measure of a symbol as explanations say it: ``rsi(TQQQ, 10)``."""
    return f"{measure.metric.name}({', '.join([symbol, *map(str, measure.windows)])})"


def operand(node: n.Operand) -> str:
    """A side of a comparison: a reading, or a number without trailing zeros."""
    return f"{node.value:g}" if isinstance(node, n.Number) else reading(node.measure, node.symbol)


def comparison(node: n.Compare) -> str:
    """A comparison as explanations say it: ``rsi(TQQQ, 10) > 79``."""
    return f"{operand(node.left)} {node.operator.value} {operand(node.right)}"


def condition(node: n.Condition) -> str:
    """A whole condition with its ands and ors."""
    out: list[str] = []
    todo: list[n.Condition | str] = [node]
    while todo:
        item = todo.pop()
        match item:
            case str():
                out.append(item)
            case n.Compare():
                out.append(comparison(item))
            case n.Negation():
                todo += [")", item.part, "not ("]
            case n.AllOf() | n.AnyOf():
                joint = " and " if isinstance(item, n.AllOf) else " or "
                todo.append(")")
                for position, part in enumerate(reversed(item.parts)):
                    todo += [joint, part] if position else [part]
                todo.append("(")
    return "".join(out)


def ranking(node: n.Filter) -> str:
    """``top 3 by moving-average-return(90)``."""
    return f"{node.select.value} {node.k} by {node.measure}"


def portfolio(node: n.Portfolio, labels: Mapping[n.Portfolio, str] | None = None) -> str:
    """A portfolio in a few words: its label if it has one, otherwise what it is."""
    if isinstance(node, n.Asset | n.Cash):
        return node.symbol if isinstance(node, n.Asset) else "cash"
    if labels and node in labels:
        return labels[node]
    match node:
        case n.Choice():
            return f"if {condition(node.condition)} …"
        case n.Filter():
            return f"{ranking(node)} of {_members(node.children)}"
        case n.InverseWeighted():
            return f"inverse {node.measure} of {_members(node.children)}"
        case n.Weighted():
            return f"weights of {_members(node.children)}"


def _members(children: tuple[n.Portfolio, ...]) -> str:
    names = [portfolio(child) if isinstance(child, n.Asset | n.Cash) else "(…)" for child in children[:_WIDEST]]
    return ", ".join(names) + (" …" if len(children) > _WIDEST else "")
