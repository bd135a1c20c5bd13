"""Execution quality over many orders: mean cost, cost by symbol and its distribution, in basis points of the mid."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from alchemiser_cli.report.model import OrderRow

MOST_BINS = 40
SHOWN_SHARE = 0.98
"""The histogram's outer bins collect the rest, so that one odd fill does not flatten the picture."""


@dataclass(frozen=True, slots=True)
class SymbolCost:
    """One symbol's orders: the mean weighs each by its notional."""

    symbol: str
    orders: int
    notional: Decimal
    mean_bps: Decimal


@dataclass(frozen=True, slots=True)
class Quality:
    """All measured orders: those with an arrival mid."""

    orders: int
    mean_bps: Decimal
    """Weighted by notional."""
    median_bps: float
    cost: Decimal
    """USD paid beyond the mid."""
    mean_steps: float
    median_seconds: float
    by_symbol: tuple[SymbolCost, ...]
    """The largest notional first."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Orders whose slippage is in [low, high) basis points."""

    low: float
    high: float
    orders: int


def quality(orders: Sequence[OrderRow]) -> Quality | None:
    """What the orders cost; None if none of them was measured against a mid."""
    measured = [(order, order.slippage_bps) for order in orders if order.slippage_bps is not None]
    if not measured:
        return None
    by_symbol: defaultdict[str, list[tuple[OrderRow, Decimal]]] = defaultdict(list)
    for order, bps in measured:
        by_symbol[order.symbol].append((order, bps))
    costs = [
        SymbolCost(symbol, len(mine), sum((order.notional for order, _ in mine), Decimal(0)), _weighted(mine))
        for symbol, mine in by_symbol.items()
    ]
    return Quality(
        orders=len(measured),
        mean_bps=_weighted(measured),
        median_bps=float(np.median([float(bps) for _, bps in measured])),
        cost=sum((order.notional * bps for order, bps in measured), Decimal(0)) / 10_000,
        mean_steps=sum(order.steps for order, _ in measured) / len(measured),
        median_seconds=float(np.median([order.seconds for order, _ in measured])),
        by_symbol=tuple(sorted(costs, key=lambda cost: (-cost.notional, cost.symbol))),
    )


def distribution(orders: Sequence[OrderRow]) -> tuple[Bin, ...]:
    """How many orders had which slippage, in bins of a round width; the outer bins take what lies beyond."""
    values = np.array([float(order.slippage_bps) for order in orders if order.slippage_bps is not None])
    if not len(values):
        return ()
    outside = (1 - SHOWN_SHARE) / 2
    low, high = float(np.quantile(values, outside)), float(np.quantile(values, 1 - outside))
    width = _round_width((high - low) / min(MOST_BINS, max(5.0, len(values) ** 0.5)))
    first, last = np.floor(low / width), np.floor(high / width) + 1
    edges = np.arange(first, last + 1) * width
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), bins=edges)
    return tuple(
        Bin(float(left), float(right), int(number))
        for left, right, number in zip(edges[:-1], edges[1:], counts, strict=True)
    )


def _weighted(orders: Sequence[tuple[OrderRow, Decimal]]) -> Decimal:
    notional = sum((order.notional for order, _ in orders), Decimal(0))
    if not notional:
        return sum((bps for _, bps in orders), Decimal(0)) / len(orders)
    return sum((order.notional * bps for order, bps in orders), Decimal(0)) / notional


def _round_width(width: float) -> float:
    """The next of 1, 2, 2.5 or 5 times a power of ten, at least 0.1."""
    if width <= 0.1:
        return 0.1
    power = 10.0 ** np.floor(np.log10(width))
    return float(next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= width * (1 - 1e-9)))
