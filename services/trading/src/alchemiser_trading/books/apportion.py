"""A whole in parts that add up to it to the last digit the broker reports. Pure."""

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal

from alchemiser_common.shares import REPORTED_STEP


def apportioned[K](whole: Decimal, weights: Mapping[K, Decimal]) -> dict[K, Decimal]:
    """`whole` (shares or USD, of either sign) in proportion to weights that are not negative.

    Rounded toward nothing; the largest, the first of equals, takes what that leaves. Without any weight all are zero.
    """
    total = sum(weights.values(), Decimal(0))
    if total <= 0:
        return dict.fromkeys(weights, Decimal(0))
    parts = {
        key: (whole * weight / total).quantize(REPORTED_STEP, rounding=ROUND_DOWN) for key, weight in weights.items()
    }
    largest = max(weights, key=lambda key: weights[key])
    parts[largest] += whole - sum(parts.values(), Decimal(0))
    return parts
