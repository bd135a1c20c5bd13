"""What a strategy decides by, as one hash: another hash is another strategy, whatever it is called."""

import hashlib
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.graph import Graph
from alchemiser_strategy.strategy import Strategy, TreeStrategy


def rules_of(strategy: Strategy) -> str:
    """SHA-256 (hex). Of a tree it covers structure and rebalancing rule, and not what its parts are called.

    Of a Python class it covers every source file of the package, or the one file, that the class is defined in. What
    that imports from elsewhere it does not see: a release of such a package should raise the strategy's own version.
    """
    if isinstance(strategy, TreeStrategy):
        return _of_tree(strategy.graph, strategy.symphony.rebalance)
    return _of_sources(_sources(type(strategy).__module__))


# A node's text names its children by their numbers, and children come before parents: equal trees are laid out alike,
# so equal texts are equal trees, at a cost that grows with the different nodes only. Floats are written exactly (hex).
def _of_tree(graph: Graph, rebalance: n.Rebalance) -> str:
    digest = hashlib.sha256()
    for item in graph.conditions:
        digest.update(f"{_condition(graph, item)}\n".encode())
    for index, node in enumerate(graph.nodes):
        digest.update(f"{_portfolio(graph, index, node)}\n".encode())
    digest.update(f"{rebalance.frequency.value} {rebalance.threshold!r}\n".encode())
    return digest.hexdigest()


def _condition(graph: Graph, item: n.Condition) -> str:
    if isinstance(item, n.Compare):
        return f"{item.operator.value} {_operand(item.left)} {_operand(item.right)}"
    parts = (item.part,) if isinstance(item, n.Negation) else item.parts
    return f"{type(item).__name__} {[graph.condition_number[part] for part in parts]}"


def _operand(side: n.Operand) -> str:
    return side.value.hex() if isinstance(side, n.Number) else f"{side.measure} of {side.symbol}"


def _portfolio(graph: Graph, index: int, node: n.Portfolio) -> str:
    below = list(graph.children[index])
    match node:
        case n.Asset():
            return f"asset {node.symbol}"
        case n.Cash():
            return "cash"
        case n.Choice():
            return f"if {graph.condition_number[node.condition]} {below}"
        case n.Weighted():
            return f"weights {[share.hex() for share in node.shares]} {below}"
        case n.InverseWeighted():
            return f"inverse {n.measured_by(node)} {below}"
        case n.Filter():
            pool = None if node.pool is None else graph.number[node.pool]
            return f"{node.select.value} {node.k} by {node.measure} {node.ties.value} {below} of {pool}"


def _sources(module: str) -> list[Path]:
    """The source files of a module's package, or of the module alone; of a class made by hand there is none."""
    top = module.partition(".")[0]
    known = sys.modules.get(top)
    spec = getattr(known, "__spec__", None) or (None if known is not None else find_spec(top))
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    if folders:
        return sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    file = getattr(sys.modules.get(module), "__file__", None)
    return [Path(file)] if file else []


def _of_sources(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name} ".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
