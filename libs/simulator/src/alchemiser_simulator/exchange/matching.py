"""When and at what price an order trades. Pure: an order, a session's path and a span of seconds in; a match out.

An order trades at the far side of the quote. Only a resting limit that the quote has just reached trades at its own
price: the quote passed through it within that second.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal

import numpy as np

from alchemiser_simulator.exchange.orders import SHARE_STEP, ZERO, Order, Side
from alchemiser_simulator.market.intraday import DayBar, QuotePath, displayed_size


@dataclass(frozen=True, slots=True)
class Match:
    """`qty` shares trade at `price` in that second of the session."""

    second: int
    price: Decimal
    qty: Decimal


def reached(order: Order, path: QuotePath, first: int, last: int) -> int | None:
    """The first second of the session in [first, last] whose quote the order can trade with; None if there is none."""
    if first > last:
        return None
    limit = order.ticket.limit_price
    if limit is None:
        return first
    # Compared in whole ticks, exactly; a limit between two ticks is rounded so that it never trades beyond itself.
    ticks = limit / path.tick
    if order.ticket.side is Side.BUY:
        hits = path.ask[first : last + 1] <= int(ticks.to_integral_value(ROUND_FLOOR))
    else:
        hits = path.bid[first : last + 1] >= int(ticks.to_integral_value(ROUND_CEILING))
    index = int(np.argmax(hits))
    return first + index if hits[index] else None


def far_side(order: Order, path: QuotePath, second: int) -> Decimal:
    """The price in USD that an order takes: the ask for a buy, the bid for a sale."""
    side = path.ask if order.ticket.side is Side.BUY else path.bid
    return path.price(int(side[second]))


def quantity(order: Order, price: Decimal, bar: DayBar, second: int, depth_factor: Decimal | None) -> Decimal:
    """Shares that trade in one match at `price` USD: what is left, cut by a fault's fraction of the ordered quantity
    and by `depth_factor` times the displayed size (None: any size is there).
    """
    left = order.remaining(price)
    qty = left
    fraction = order.quirks.fill_fraction
    if fraction is not None:
        whole = order.ticket.qty if order.ticket.qty is not None else (order.ticket.notional or ZERO) / price
        part = (whole * fraction).quantize(SHARE_STEP, ROUND_DOWN)
        # Whole shares fill by whole shares, and by one at least: by none the order would never fill.
        if whole == whole.to_integral_value() and whole > 1:
            part = max(part.quantize(Decimal(1), ROUND_DOWN), Decimal(1))
        qty = min(qty, part)
    if depth_factor is not None:
        side = "ask" if order.ticket.side is Side.BUY else "bid"
        qty = min(qty, displayed_size(bar, second, side) * depth_factor)
    return qty


def exhausted(order: Order) -> bool:
    """A fault allowed this order no further match."""
    return order.quirks.max_fills is not None and order.fills >= order.quirks.max_fills


# Which price? A resting buy has the limit 10.00, and the ask falls towards it:
#
#     second    41       42       43
#     ask     10.04    10.02     9.97
#                           \_ the ask passed 10.00 within second 43, and whoever first asked 10.00 met this order:
#                              it trades at 10.00, not at the 9.97 that stands when the second is over.
#
# Everyone else takes the quote as it stands, which is the limit or better: an order that has just arrived (it came to
# the quote, not the quote to it), an order at the opening bell (prices jump over night and pass through nothing), and
# an order that could have traded the second before (it waited for a fault's interval or for more shares to be shown,
# not for the price). So no fill is ever worse than the limit, and only a quote on the move gives exactly the limit.
def find(
    order: Order, path: QuotePath, bar: DayBar, span: tuple[int, int], *, arriving: bool, depth_factor: Decimal | None
) -> Match | None:
    """The order's next match in `span`, two seconds of the session, both included; None if it does not trade there.
    `path` and `bar` are of that session and the order's symbol. `arriving`: the order is new at the first second.
    """
    if exhausted(order):
        return None
    first, last = span
    second = reached(order, path, first, last)
    if second is None:
        return None
    price = far_side(order, path, second)
    limit, at_the_bell = order.ticket.limit_price, second == 0
    if limit is not None and not arriving and not at_the_bell and reached(order, path, second - 1, second - 1) is None:
        price = limit
    qty = quantity(order, price, bar, second, depth_factor)
    return Match(second, price, qty) if qty > 0 else None
