"""Requests as they reach the gateway: read once and given again, what they are about, and run at once.

In: ASGI scopes and bodies. Out: facts that fault rules match on. Must never touch the exchange.
"""

from __future__ import annotations

import json
import re
from collections.abc import Coroutine
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from starlette.types import Message, Receive, Scope

from alchemiser_simulator.control.faults import Facts
from alchemiser_simulator.exchange.books import Books
from alchemiser_simulator.http.bodies import symbols_of

ID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}")


def facts_of(scope: Scope, body: bytes, books: Books) -> Facts:
    """Method, path, and the order, symbols and side a request is about, as far as it tells."""
    method, path = str(scope["method"]), str(scope["path"])
    written = bytes(scope["query_string"]).decode("latin-1")
    query = parse_qs(written)
    named = query.get("client_order_id", [None])[0]
    found = ID.search(path)
    identity = UUID(found.group()) if found else books.by_client_id.get(named or "")
    order = books.orders.get(identity) if identity is not None else None
    if order is not None:
        symbols, side = frozenset({order.ticket.symbol}), order.ticket.side.value
        return Facts(method, path, symbols, side, order.client_order_id, written)
    about = symbols_of(query.get("symbols", [None])[0])
    if path.startswith("/v2/positions/"):
        about = [path.rsplit("/", 1)[1]]
    values = _object(body)
    about = [str(values["symbol"])] if "symbol" in values else about
    given = values.get("client_order_id", named)
    return Facts(
        method,
        path,
        frozenset(about),
        str(values["side"]) if "side" in values else None,
        None if given is None else str(given),
        written,
    )


def _object(body: bytes) -> dict[str, object]:
    """The fields of a JSON object; none if the body is something else."""
    try:
        values = json.loads(body) if body else None
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def run_now[T](request: Coroutine[Any, Any, T]) -> T:
    """Run a request to its end at once: the routes wait for nothing but their body, which is there."""
    try:
        request.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    request.close()
    raise RuntimeError("a request that was to run at once waits for something")


async def body_of(receive: Receive) -> bytes:
    """The whole body of a request."""
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = bool(message.get("more_body", False))
    return b"".join(parts)


def replayed(body: bytes, receive: Receive | None = None) -> Receive:
    """Gives a body that has been read once more, and then what comes after it: without `receive` the client's end."""
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive() if receive is not None else {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def swallow(_: Message) -> None:
    """An answer nobody will hear."""
