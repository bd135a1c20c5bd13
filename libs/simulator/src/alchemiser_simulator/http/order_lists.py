"""Which of the account's orders a list shows, and in which order: odd ones among the others, by the same filters.

In: an exchange and a query. Out: the orders of the list. Must not render them: reading an order counts for some faults.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pydantic import JsonValue

from alchemiser_simulator.exchange.exchange import Exchange
from alchemiser_simulator.exchange.orders import Order
from alchemiser_simulator.http.bodies import OrdersQuery, symbols_of
from alchemiser_simulator.http.odd_orders import OddOrder, all_odd_orders, is_open, submitted_at

type Listed = Order | OddOrder
type _Place = tuple[datetime, bool, int]

_UNKNOWN = datetime.min.replace(tzinfo=UTC)


def listed_orders(exchange: Exchange, query: OrdersQuery) -> list[Listed]:
    """Orders that pass every filter given, by the time they were submitted, newest first unless asked otherwise. An odd
    one comes after the others of its moment; one without a time is the oldest and passes no filter of time.
    """
    found = sorted(
        [*_orders(exchange, query), *_odd_orders(exchange, query)],
        key=lambda placed: placed[0],
        reverse=query.direction == "desc",
    )
    return [order for _, order in found[: query.limit]]


def _orders(exchange: Exchange, query: OrdersQuery) -> Iterator[tuple[_Place, Listed]]:
    books = exchange.books
    for order in books.open_orders if query.status == "open" else books.orders.values():
        ticket, submitted = order.ticket, order.created_at
        if _passes(query, is_open=order.is_open, symbol=ticket.symbol, side=ticket.side.value, submitted=submitted):
            yield (submitted, False, order.sequence), order


def _odd_orders(exchange: Exchange, query: OrdersQuery) -> Iterator[tuple[_Place, Listed]]:
    for number, order in enumerate(all_odd_orders(exchange)):
        submitted = submitted_at(order)
        if _passes(query, is_open=is_open(order), symbol=order["symbol"], side=order["side"], submitted=submitted):
            yield (submitted or _UNKNOWN, True, number), order


def _passes(
    query: OrdersQuery, *, is_open: bool, symbol: JsonValue, side: JsonValue, submitted: datetime | None
) -> bool:
    if query.status != "all" and is_open != (query.status == "open"):
        return False
    if query.side is not None and side != query.side.value:
        return False
    wanted = symbols_of(query.symbols)
    if wanted and symbol not in wanted:
        return False
    if query.after is not None and (submitted is None or submitted <= query.after):
        return False
    return query.until is None or (submitted is not None and submitted < query.until)
