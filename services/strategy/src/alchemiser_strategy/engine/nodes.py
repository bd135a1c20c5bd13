"""The nodes of a strategy: immutable, typed, compared by identity. Only `builder` makes them, one for each content."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from alchemiser_strategy.engine.metrics import Measure


class Operator(StrEnum):
    """A comparison, strict as written: no tolerance."""

    GREATER = ">"
    LESS = "<"
    GREATER_EQUAL = ">="
    LESS_EQUAL = "<="
    EQUAL = "="
    NOT_EQUAL = "!="


class Select(StrEnum):
    """Which end of a ranking a filter keeps."""

    TOP = "top"
    BOTTOM = "bottom"


class Ties(StrEnum):
    """Who goes first among equals: by the candidates' first symbols, or as listed."""

    ALPHABETICAL = "alphabetical"
    LISTED = "listed"


class Frequency(StrEnum):
    """How often holdings go back to target: on the first session of the period."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Number:
    """A constant operand, finite."""

    value: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reading:
    """A measure of one symbol's closes, in the measure's unit (USD, percent, or 0 to 100)."""

    measure: Measure
    symbol: str


type Operand = Reading | Number


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Compare:
    """Left against right, as exact doubles."""

    operator: Operator
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AllOf:
    """True if every one of at least two parts is; parts after the first false one do not matter, known or not."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AnyOf:
    """True if some of at least two parts is; parts after the first true one do not matter, known or not."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Negation:
    """True if the part is false."""

    part: "Condition"


type Condition = Compare | AllOf | AnyOf | Negation


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Asset:
    """All weight in one symbol."""

    symbol: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Cash:
    """No symbol at all: its share stays in cash, which is always known, earns nothing and has no risk."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Choice:
    """One of two portfolios; the other one does not matter, known or not."""

    condition: Condition
    then: "Portfolio"
    otherwise: "Portfolio"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Weighted:
    """At least two children with fixed shares above 0 that sum to 1 (to rounding), in the children's order."""

    shares: tuple[float, ...]
    children: tuple["Portfolio", ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class InverseWeighted:
    """Shares of at least two children, proportional to 1 / a measure of risk; children of no risk share everything."""

    measure: Measure
    children: tuple["Portfolio", ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Filter:
    """The k best or worst children by a measure, in equal shares; k is 1 or more, and may exceed the children.

    `children` stand in the order that ties are broken in, an asset only once. With a `pool` only those of them compete
    that the pool, a filter over the same children, has chosen that day.
    """

    measure: Measure
    select: Select
    k: int
    ties: Ties
    children: tuple["Portfolio", ...]
    pool: "Filter | None"


type Portfolio = Asset | Cash | Choice | Weighted | InverseWeighted | Filter
type Node = Portfolio | Condition | Operand


def measured_by(node: Portfolio) -> Measure | None:
    """What a node ranks or weighs its children by."""
    return node.measure if isinstance(node, (Filter, InverseWeighted)) else None


def children_of(node: Portfolio) -> tuple[Portfolio, ...]:
    """The portfolios that a portfolio is made of."""
    match node:
        case Asset() | Cash():
            return ()
        case Choice():
            return (node.then, node.otherwise)
        case _:
            return node.children


def parts_of(item: Condition) -> tuple[Condition, ...]:
    """The conditions that a condition is made of."""
    match item:
        case Compare():
            return ()
        case Negation():
            return (item.part,)
        case _:
            return item.parts


@dataclass(frozen=True, slots=True)
class Rebalance:
    """When holdings return to target: by the calendar, or once a weight is off by more than `threshold`.

    `threshold` is a difference of weights between 0 and 1 (0.05 = five percentage points); with it the frequency is
    daily and plays no part.
    """

    frequency: Frequency = Frequency.DAILY
    threshold: float | None = None

    @property
    def always(self) -> bool:
        """Whether every session goes back to target."""
        return self.threshold is None and self.frequency is Frequency.DAILY


@dataclass(frozen=True, slots=True, eq=False)
class Symphony:
    """A whole strategy: its tree, how it rebalances, and what its parts were called."""

    name: str
    root: Portfolio
    rebalance: Rebalance = Rebalance()
    labels: Mapping[Portfolio, str] = field(default_factory=dict, repr=False)
    """The first name that a group or asset was given; names are for people and identify nothing."""
    stated: int = 0
    """How many nodes the text wrote down, before equal ones became one."""
