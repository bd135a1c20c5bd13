"""A whole in parts that add up to it to the last digit the broker reports. Pure."""

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal

from alchemiser_common.shares import REPORTED_STEP


def apportioned[K](whole: Decimal, weights: Mapping[K, Decimal]) -> dict[K, Decimal]:
    """`whole` (shares or USD, of either sign) in proportion to weights that are not negative.

    Rounded toward nothing; what that leaves goes in smallest steps to those that lost most by it, so that none gets
    more than its weight where the whole is no more than all weights. Without any weight all are zero.
    """
    total = sum(weights.values(), Decimal(0))
    if total <= 0:
        return dict.fromkeys(weights, Decimal(0))
    exact = {key: whole * weight / total for key, weight in weights.items()}
    parts = {key: part.quantize(REPORTED_STEP, rounding=ROUND_DOWN) for key, part in exact.items()}
    left = whole - sum(parts.values(), Decimal(0))
    for key in sorted(weights, key=lambda key: abs(exact[key] - parts[key]), reverse=True):
        step = max(min(left, REPORTED_STEP), -REPORTED_STEP)
        parts[key] += step
        left -= step
    return parts
