"""What a strategy may say but probably does not mean."""

from collections.abc import Sequence

from alchemiser_strategy.engine import nodes as n


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
    """Notes on specified weights, as they were listed."""
    return ["weight-specified has a weight of zero; its child is left out"] if 0.0 in weights else []
