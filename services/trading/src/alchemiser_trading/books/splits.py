"""Splits, told by the broker's own figures: as many times the shares, at as much less each. Pure. Shares and USD."""

from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal

from alchemiser_common.messages.snapshot import Position

_SAME_COST = Decimal("0.01")
"""How far the cost may be from that of the books after any split."""
_SIMILAR_COST = Decimal("0.2")
"""The same after one of a whole ratio: books sell the oldest lots first and trade among themselves, brokers do not."""
_SMALLEST = Decimal("0.04")
"""A smaller change of the shares is no split: a purchase of a few shares changes the cost as little."""
_HALVES = Decimal(2)
"""Ratios that need no proof to the percent are multiples of a half, as 3:2 or 2:1, and the reverse of whole ones."""
_CANDIDATES = 3
_ROUNDING = Decimal("0.000001")


def is_split(booked: Decimal, cost: Decimal, position: Position) -> bool:
    """Whether the position is what the booked shares, which cost so much in all, have been split into.

    A purchase raises the cost and a sale lowers it; a split leaves it. What a fraction of a share was paid out in cash
    is lacking in it.
    """
    held, price = position.quantity, position.average_entry_price
    if booked <= 0 or cost <= 0 or held <= 0 or price <= 0:
        return False
    if abs(held / booked - 1) > _SMALLEST and abs(held * price / cost - 1) <= _SAME_COST:
        return True
    by_price = cost / booked / price
    return any(abs(by_price / ratio - 1) <= _SIMILAR_COST for ratio in _plain_ratios(booked, held))


# Ratios are looked for near the one that is seen. From 10.5 shares to 31, a fraction paid out: 31/10.5 = 2.95, so 3,
# and 3 x 10.5 = 31.5 is 31 and a fraction. From 10.5 to 1: 10.5/1 = 10.5, so one for 10 (1.05 is 1 and a fraction) and
# not for 11, which would be less than 1.
def _plain_ratios(booked: Decimal, held: Decimal) -> Iterator[Decimal]:
    """New shares for an old one, of the form n/2 or 1/n, that give what is held, or its whole part."""
    forward = held > booked
    seen = held / booked * _HALVES if forward else booked / held
    nearest = int(seen)
    for number in range(nearest, nearest + _CANDIDATES):
        ratio = number / _HALVES if forward else Decimal(1) / number
        exact = booked * ratio
        whole = (exact + _ROUNDING).to_integral_value(rounding=ROUND_FLOOR)
        if ratio != 1 and (abs(exact - held) <= _ROUNDING or held == whole):
            yield ratio
