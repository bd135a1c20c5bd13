"""What the parts of a symphony's text turn into before they are nodes, and the complaint about a part that is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass

from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.metrics import Windows
from alchemiser_strategy.errors import StrategyError

PORTFOLIOS = (n.Asset, n.Cash, n.Choice, n.Weighted, n.InverseWeighted, n.Filter)
CONDITIONS = (n.Compare, n.AllOf, n.AnyOf, n.Negation)
OPERANDS = (n.Reading, n.Number)


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """``[a b …]``: portfolios, the only lists of the language."""

    items: tuple[n.Portfolio, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """``{:key value …}``; values as they are written, keys without their colon."""

    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """``(rsi {:window 10})``: a metric of whatever it is asked about."""

    metric: str
    windows: Windows


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """``(select-top 3)``, or ``(select-top 3 :listed)`` where the order listed breaks ties (an extension)."""

    end: str
    count: int | str
    ties: n.Ties


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """``(defsymphony …)``: a whole symphony; frequency and threshold are None where it does not name them."""

    name: str
    root: n.Portfolio
    frequency: str | None
    threshold: float | None


type Value = str | Vector | Options | Ranking | Selection | Script | n.Node
"""A plain token, or what a bracketed form has become."""


class Complaint(StrategyError):
    """Raised when a form is wrong; `item` is the number of the item at fault, the operator being 0, or None for all."""

    def __init__(self, message: str, item: int | None = None) -> None:
        super().__init__(message)
        self.item = item


_IN_WORDS: Mapping[type, str] = {
    Vector: "a vector",
    Options: "a map",
    Script: "(defsymphony …)",
    **dict.fromkeys(OPERANDS, "an indicator"),
    **dict.fromkeys(CONDITIONS, "a condition"),
    **dict.fromkeys(PORTFOLIOS, "a portfolio"),
}


def described(value: Value) -> str:
    """A value as messages show it, in a few words."""
    match value:
        case str():
            return value if len(value) <= 40 else f"{value[:37]}..."
        case Ranking():
            return f"({value.metric} …) without a symbol"
        case Selection():
            return f"(select-{value.end} {value.count})"
        case _:
            return _IN_WORDS[type(value)]
