"""Orders of the account that no ticket can be: several legs, options, what another program may have sent.

They are kept as the JSON that clients see; they never fill, and a cancellation ends them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue

from alchemiser_simulator.exchange.exchange import Exchange
from alchemiser_simulator.exchange.orders import OPEN_STATUSES
from alchemiser_simulator.exchange.refusals import unprocessable
from alchemiser_simulator.http.bodies import OrdersQuery, symbols_of
from alchemiser_simulator.market.sessions import stamp

type OddOrder = dict[str, JsonValue]

_OPEN = frozenset({status.value for status in OPEN_STATUSES} | {"held", "calculated", "suspended", "pending_replace"})


def odd_order_json(identity: str, given: Mapping[str, JsonValue], now: datetime) -> OddOrder:
    """A new order of two option legs, as Alpaca shows one, with the given fields in the place of its own."""
    legs: list[JsonValue] = [
        {
            "id": f"{identity[:-1]}{number}",
            "symbol": symbol,
            "side": side,
            "qty": "1",
            "ratio_qty": "1",
            "status": "new",
        }
        for number, (symbol, side) in enumerate((("AAPL251219C00200000", "buy"), ("AAPL251219C00210000", "sell")))
    ]
    order: OddOrder = {
        "id": identity,
        "client_order_id": f"odd-{identity[:8]}",
        "created_at": stamp(now),
        "updated_at": stamp(now),
        "submitted_at": stamp(now),
        "asset_id": None,
        "symbol": "",
        "asset_class": "",
        "qty": "1",
        "notional": None,
        "filled_qty": "0",
        "filled_avg_price": None,
        "order_class": "mleg",
        "order_type": "limit",
        "type": "limit",
        "side": "",
        "time_in_force": "day",
        "limit_price": "1.2",
        "status": "new",
        "extended_hours": False,
        "legs": legs,
    }
    return {**order, **given, "id": identity}


def odd_orders(exchange: Exchange, query: OrdersQuery) -> list[OddOrder]:
    """Those that a list with that status and those symbols shows."""
    wanted = symbols_of(query.symbols)
    return [
        order
        for order in map(_read, exchange.books.head.odd_orders.values())
        if (query.status == "all" or (order["status"] in _OPEN) == (query.status == "open"))
        and (not wanted or order["symbol"] in wanted)
    ]


def odd_order(exchange: Exchange, *, identity: str = "", client_order_id: str = "") -> OddOrder | None:
    """The one with that id, of either kind; None if there is none."""
    for order in map(_read, exchange.books.head.odd_orders.values()):
        if order["id"] == identity or (client_order_id and order["client_order_id"] == client_order_id):
            return order
    return None


def cancel_odd_order(exchange: Exchange, order: OddOrder) -> None:
    """Cancel an open one. Raises Refusal."""
    if order["status"] not in _OPEN:
        raise unprocessable(f'order is already in "{order["status"]}" state')
    ended = {**order, "status": "canceled", "canceled_at": stamp(exchange.now)}
    exchange.put_odd_order(str(order["id"]), json.dumps(ended))


def _read(text: str) -> OddOrder:
    order: OddOrder = json.loads(text)
    return order
