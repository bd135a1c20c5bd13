"""What an account is worth and may spend. Pure arithmetic on a ledger and prices."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from alchemiser_simulator.exchange.books import Books
from alchemiser_simulator.exchange.orders import ZERO, Ledger
from alchemiser_simulator.market.market import Market


def market_value(ledger: Ledger, market: Market, now: datetime) -> Decimal:
    """USD value of all holdings at last prices; a holding that has none counts at cost."""
    value = ZERO
    for symbol, holding in ledger.holdings.items():
        price = market.last_price(symbol, now)
        value += holding.cost if price is None else holding.qty * price
    return value


# Initial margin under Regulation T ties up value / m of the equity, the rest may be spent m times over:
#
#     m x (equity - value / m)  =  m x (cash + value) - value  =  m x cash + (m - 1) x value
#
# With m = 1 this is cash. The last form needs no division, so no digit is lost.
def spending_power(ledger: Ledger, value: Decimal, multiplier: int) -> Decimal:
    """USD that buys may cost with holdings worth `value` USD and no order open; never below zero."""
    return max(multiplier * ledger.cash + (multiplier - 1) * value, ZERO)


def buying_power(books: Books, market: Market, multiplier: int) -> Decimal:
    """USD that new buys may cost: the lesser of the booked and the reported ledger's power, less open reservations.

    The lesser, because a fault can show fills late: money spent is gone at once, money earned counts once it shows.
    """
    head = books.head
    ledgers = [head.ledger] if head.ledger is head.reported else [head.ledger, head.reported]
    power = min(spending_power(ledger, market_value(ledger, market, head.now), multiplier) for ledger in ledgers)
    return max(power - books.reserved, ZERO)
