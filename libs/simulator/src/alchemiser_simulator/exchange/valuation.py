"""What an account is worth and may spend. Pure arithmetic on a ledger and prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from alchemiser_simulator.exchange.books import Books
from alchemiser_simulator.exchange.marks import Mark
from alchemiser_simulator.exchange.orders import ZERO, Ledger
from alchemiser_simulator.market.market import Market


@dataclass(frozen=True, slots=True)
class Values:
    """USD values of holdings: what is held long, what is short (zero or less), and how much of each is stock."""

    long: Decimal
    short: Decimal
    long_stock: Decimal
    short_stock: Decimal

    @property
    def net(self) -> Decimal:
        """What all holdings add to the equity."""
        return self.long + self.short


def values(ledger: Ledger, market: Market, marks: Mapping[str, Mark], now: datetime) -> Values:
    """Values of all holdings: as marked, else at last prices; a holding that has neither counts at cost."""
    long = short = long_stock = short_stock = ZERO
    for symbol, holding in ledger.holdings.items():
        mark = marks.get(symbol)
        if mark is None:
            price = market.last_price(symbol, now)
            value = holding.cost if price is None else holding.qty * price
        else:
            value = mark.value(holding.qty)
        stock = mark is None or mark.asset_class == "us_equity"
        if value >= 0:
            long += value
            long_stock += value if stock else ZERO
        else:
            short += value
            short_stock += value if stock else ZERO
    return Values(long, short, long_stock, short_stock)


# Initial margin under Regulation T ties up value / m of the equity for stock, held long or short, and the rest may be
# spent m times over; what is no stock is paid in full and lends nothing:
#
#     m x (cash + long + short) - (long - short)        `short` is below zero
#
# With m = 1 and nothing short this is cash. It needs no division, so no digit is lost.
def spending_power(ledger: Ledger, held: Values, multiplier: int) -> Decimal:
    """USD that buys may cost with those holdings and no order open; never below zero."""
    stock, gross = held.long_stock + held.short_stock, held.long_stock - held.short_stock
    return max(multiplier * (ledger.cash + stock) - gross, ZERO)


def buying_power(books: Books, market: Market, multiplier: int) -> Decimal:
    """USD that new buys may cost: the lesser of the booked and the reported ledger's power, less open reservations and
    what the broker withholds.

    The lesser, because a fault can show fills late: money spent is gone at once, money earned counts once it shows.
    """
    head = books.head
    ledgers = [head.ledger] if head.ledger is head.reported else [head.ledger, head.reported]
    power = min(spending_power(one, values(one, market, head.marks, head.now), multiplier) for one in ledgers)
    return max(power - books.reserved - head.withheld, ZERO)
