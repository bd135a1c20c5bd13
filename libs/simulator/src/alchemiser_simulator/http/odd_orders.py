"""Orders of the account that no ticket can be: several legs, options, what another program may have sent.

They are kept as the JSON that clients see; they never fill, and a cancellation ends them.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue

from alchemiser_simulator.exchange.exchange import Exchange
from alchemiser_simulator.exchange.orders import OPEN_STATUSES, Status
from alchemiser_simulator.exchange.refusals import unprocessable
from alchemiser_simulator.http.bodies import aware
from alchemiser_simulator.market.sessions import stamp

type OddOrder = dict[str, JsonValue]

# Any other status is that of an open order: Alpaca has more of them than this exchange, and may add to them. No set,
# for what is given as a status need not be a text.
_ENDED = [status.value for status in Status if status not in OPEN_STATUSES]


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


def all_odd_orders(exchange: Exchange) -> list[OddOrder]:
    """All of them, in the order in which they were put in."""
    return [_read(text) for text in exchange.books.head.odd_orders.values()]


def is_open(order: OddOrder) -> bool:
    """Whether it may still be filled, as a list of open orders has it."""
    return order["status"] not in _ENDED


def submitted_at(order: OddOrder) -> datetime | None:
    """When it was submitted, aware; None if it tells no such time."""
    for given in (order["submitted_at"], order["created_at"]):
        if isinstance(given, str):
            with contextlib.suppress(ValueError):
                return aware(datetime.fromisoformat(given))
    return None


def odd_order(exchange: Exchange, *, identity: str = "", client_order_id: str = "") -> OddOrder | None:
    """The one with that id, of either kind; None if there is none."""
    for order in all_odd_orders(exchange):
        if order["id"] == identity or (client_order_id and order["client_order_id"] == client_order_id):
            return order
    return None


def cancel_odd_order(exchange: Exchange, order: OddOrder) -> None:
    """Cancel an open one. Raises Refusal."""
    if not is_open(order):
        raise unprocessable(f'order is already in "{order["status"]}" state')
    ended = {**order, "status": "canceled", "canceled_at": stamp(exchange.now)}
    exchange.put_odd_order(str(order["id"]), json.dumps(ended))


def _read(text: str) -> OddOrder:
    order: OddOrder = json.loads(text)
    return order
