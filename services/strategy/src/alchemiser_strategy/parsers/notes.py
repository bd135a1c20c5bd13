"""What a strategy may say but probably does not mean."""

import math
from collections.abc import Sequence

from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.errors import StrategyError

EMPTY = "empty block: its share stays in cash"
_WHOLES = (1.0, 100.0)
"""What written weights sum to: fractions, or percentages."""
_OFF = 0.005
"""How far the sum may be off, as a fraction: what rounded weights leave, and a forgotten child does not."""
_EXACT = 1e-9
"""Rounding of the sum itself."""


def on_filter(made: n.Portfolio, listed: Sequence[n.Portfolio]) -> list[str]:
    """Notes on a filter as it was built from the candidates that were listed."""
    notes: list[str] = []
    if isinstance(made, n.Filter) and made.pool is None:
        if len(made.children) < len(listed):
            notes.append("filter lists an asset more than once; it competes once")
        if made.k >= len(made.children):
            notes.append(f"filter select-{made.select.value} {made.k} keeps all {len(made.children)} candidates")
        if made.measure.metric.in_prices and any(not isinstance(child, n.Asset) for child in made.children):
            name = made.measure.metric.name
            notes.append(f"filter ranks portfolios by {name}, and what they are worth depends on where history begins")
    return notes


def on_weights(weights: Sequence[float]) -> list[str]:
    """Notes on specified weights, as they were listed.

    Raises StrategyError with the sum if it is neither 1 nor 100 within 0.5 %: a child is missing or a weight mistyped,
    and what the others were to have is not known.
    """
    notes = ["weight-specified has a weight of zero; its child is left out"] if 0.0 in weights else []
    if all(math.isfinite(weight) and weight >= 0 for weight in weights):  # others are the builder's to refuse
        total = math.fsum(weights)
        off = min(abs(total / whole - 1.0) for whole in _WHOLES)
        if off > _OFF + _EXACT:
            raise StrategyError(f"weight-specified has weights that sum to {total:.6g}; they must sum to 1 or to 100")
        if off > _EXACT:
            notes.append(f"weight-specified has weights that sum to {total:.6g}; each is divided by that sum")
    return notes
