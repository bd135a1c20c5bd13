"""What orders look like, wherever they show."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import cast

from support.liar.endpoints import ORDERS, Endpoint
from support.liar.telling import Ask, Fields, Kind, Tell, Telling, added
from support.liar.transport import Answer, Asked, Json, page, refusal
from support.liar.world import OURS


def _doubled(order: Fields) -> Json:
    return str(Decimal(str(order["qty"])) * 2)


def _full(order: Fields, **status: Json) -> Fields:
    price = order["filled_avg_price"] or order["limit_price"]
    return {**order, "filled_qty": order["qty"], "filled_avg_price": price, **status}


def _empty(order: Fields, **status: Json) -> Fields:
    return {**order, "filled_qty": "0", "filled_avg_price": None, **status}


def _part(order: Fields, share: float, **status: Json) -> Fields:
    part = (Decimal(str(order["qty"])) * Decimal(f"{share * 0.9:.3f}")).quantize(Decimal("0.000001"))
    return {**order, "filled_qty": str(part), **status} if part > 0 else _empty(order, **status)


def _is_filled(order: Fields) -> Decimal:
    return Decimal(str(order["filled_qty"]))


def _is_open(order: Fields) -> bool:
    return order["status"] in {"new", "accepted", "pending_new", "partially_filled", "pending_cancel"}


_ODD = ("calculated", "held", "suspended", "stopped", "pending_review", "accepted_for_bidding", "never_heard_of")


def _odd(share: float) -> str:
    return _ODD[int(share * len(_ODD)) % len(_ODD)]


type Patch = Callable[[Fields, float], Fields | None]
"""An order as it is and a share, to the order as it is told; None: nothing to lie about."""

_STATES: dict[str, Patch] = {
    "filled, with nothing filled": lambda order, _: _empty(order, status="filled"),
    "filled, with a part filled": lambda order, share: _part(order, share, status="filled"),
    "as it was at first": lambda order, _: _empty(order, status="new") if _is_filled(order) > 0 else None,
    "cancelled with nothing filled": lambda order, _: (
        _empty(order, status="canceled") if not _is_open(order) and _is_filled(order) > 0 else None
    ),
    "expired with nothing filled": lambda order, _: (
        _empty(order, status="expired") if not _is_open(order) and _is_filled(order) > 0 else None
    ),
    "less filled than before": lambda order, share: (
        {**order, "filled_qty": str(_is_filled(order) * Decimal(f"{share * 0.9:.3f}"))}
        if _is_filled(order) > 0
        else None
    ),
    "less than nothing filled": lambda order, _: {**order, "filled_qty": "-100"},
    "an odd status": lambda order, share: {**order, "status": _odd(share)},
    "an odd status, nothing filled": lambda order, share: _empty(order, status=_odd(share)),
    "an odd status, a part filled": lambda order, share: _part(order, share, status=_odd(share)),
    "pending cancel for good": lambda order, _: {**order, "status": "pending_cancel"},
}
_ENDS: dict[str, Patch] = {
    f"called {word}": partial(
        lambda order, _, status: {**order, "status": status} if _is_open(order) else None, status=word
    )
    for word in ("canceled", "rejected", "expired")
}
_OVERSTATED: dict[str, Patch] = {
    "filled in full": lambda order, _: _full(order, status="filled"),
    "an odd status, filled in full": lambda order, share: _full(order, status=_odd(share)),
    "cancelled, filled in full": lambda order, _: _full(order, status="canceled") if not _is_open(order) else None,
}
_MALFORMED: dict[str, Patch] = {
    **{
        f"{name} null": partial(lambda order, _, name: {**order, name: None}, name=name)
        for name in ("id", "client_order_id", "symbol", "side", "status", "qty", "filled_qty")
    },
    "another symbol": lambda order, _: {**order, "symbol": "ZZZ"},
    "the other side": lambda order, _: {**order, "side": "buy" if order["side"] == "sell" else "sell"},
    "another quantity": lambda order, _: {**order, "qty": _doubled(order)},
    "another limit": lambda order, _: {**order, "limit_price": "1.23"},
    "a number no number": lambda order, _: {**order, "filled_qty": "a few"},
}


def _restated(telling: Telling, asked: Asked, ask: Ask, *, patch: Patch) -> Answer:
    """Orders of ours in one symbol, wherever they show."""
    answer = ask(asked)
    if answer.status != 200 or telling.lie.symbol.encode() not in answer.body:
        return answer
    content = answer.json
    orders = cast("list[Fields]", content if isinstance(content, list) else [content])
    made = [_patched(order, telling, patch) for order in orders]
    changed = [new for new in made if new is not None]
    if not changed or not telling.due:
        return answer
    telling.note()
    shown: list[Json] = [new if new is not None else old for new, old in zip(made, orders, strict=True)]
    return answer.saying(shown if isinstance(content, list) else shown[0])


def _patched(order: Fields | None, telling: Telling, patch: Patch) -> Fields | None:
    if order is None:
        return None  # another lie put it there
    mine = str(order.get("client_order_id")).startswith(OURS) and order.get("symbol") == telling.lie.symbol
    if not mine or order.get("qty") is None:
        return None
    try:
        return patch(order, telling.lie.share)
    except ArithmeticError:
        return None  # another lie made it no number


def _absent(telling: Telling, asked: Asked, ask: Ask, *, status: int) -> Answer:
    """The list lacks it, the look-up does not find it."""
    answer = ask(asked)
    if answer.status != 200 or telling.lie.symbol.encode() not in answer.body:
        return answer
    content, symbol = answer.json, telling.lie.symbol
    if isinstance(content, list):
        left = [order for order in cast("list[Fields]", content) if not order or order.get("symbol") != symbol]
        if len(left) == len(content) or not telling.due:
            return answer
        telling.note()
        return answer.saying(cast("Json", left))
    if cast("Fields", content).get("symbol") != symbol or not telling.due:
        return answer
    telling.note()
    return page(404) if status == 0 else refusal(404, 40410000, "order not found")


def _states(patches: Mapping[str, Patch]) -> dict[str, Tell]:
    return {name: partial(_restated, patch=patch) for name, patch in patches.items()}


_ODD_ORDER: Fields = {
    "id": "11111111-0000-5000-8000-000000000001",
    "client_order_id": "a-multi-leg-order",
    "symbol": "",
    "side": "",
    "status": "new",
    "order_class": "mleg",
    "qty": "1",
    "filled_qty": "0",
    "legs": [],
}


ORDER_LIES: dict[str, Kind] = {
    "order state": Kind(
        (*ORDERS, Endpoint.SUBMIT), _states(_STATES), hides={"fills": "orders"}, weight=12, together=True
    ),
    "order overstated": Kind(
        (*ORDERS, Endpoint.SUBMIT), _states(_OVERSTATED), hides={"fills": "orders"}, weight=4, together=True
    ),
    "open order called cancelled": Kind(  # the two are drawn beside the others: `ended`
        (Endpoint.LISTED,), _states({"once": _ENDS["called canceled"]}), passing=True, weight=0
    ),
    "open order called ended": Kind((Endpoint.LISTED,), _states(_ENDS), weight=0),
    "order malformed": Kind((*ORDERS, Endpoint.SUBMIT), _states(_MALFORMED), hides={"fills": "orders"}, weight=4),
    "order absent": Kind(
        ORDERS,
        {"JSON": partial(_absent, status=404), "HTML": partial(_absent, status=0)},
        hides={"fills": "orders"},
        passing=True,
        weight=8,
        together=True,
    ),
    "odd order listed": Kind(
        (Endpoint.LISTED, Endpoint.OPEN),
        {"of several legs": partial(added, element=_ODD_ORDER), "null": partial(added, element=None)},
        weight=2,
    ),
}
