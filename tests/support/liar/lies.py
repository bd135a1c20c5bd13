"""What a broker can lie about: one table of kinds, each with its variants.

A lie stands between a request and its true answer. It may answer in the exchange's stead, change what it says, keep an
answer back, or hold the request for a while. Kinds that hide the same thing from two sources never meet in one
scenario: if order list, look-up and positions all deny a fill, nobody can know of it.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import cast

import requests

from support.liar.transport import Answer, Asked, Json, page, refusal
from support.liar.world import OURS, World

_ENDED = 0.08
"""The part of the seeds in which an open order is called ended."""

type Fields = dict[str, Json]
type Ask = Callable[[Asked], Answer]


class Endpoint(StrEnum):
    """What a request is about."""

    CLOCK = "clock"
    CALENDAR = "calendar"
    ACCOUNT = "account"
    ACTIVITIES = "activities"
    POSITIONS = "positions"
    ASSET = "asset"
    LISTED = "day's orders"
    OPEN = "open orders"
    LOOK_UP = "look-up"
    ORDER = "order by id"
    SUBMIT = "submit"
    CANCEL = "cancel"
    QUOTES = "quotes"
    TRADES = "trades"
    SNAPSHOTS = "snapshots"
    BARS = "bars"
    OTHER = "other"


_PATHS = {
    "/v2/clock": Endpoint.CLOCK,
    "/v2/calendar": Endpoint.CALENDAR,
    "/v2/account": Endpoint.ACCOUNT,
    "/v2/positions": Endpoint.POSITIONS,
    "/v2/orders:by_client_order_id": Endpoint.LOOK_UP,
    "/v2/stocks/quotes/latest": Endpoint.QUOTES,
    "/v2/stocks/trades/latest": Endpoint.TRADES,
    "/v2/stocks/snapshots": Endpoint.SNAPSHOTS,
    "/v2/stocks/bars": Endpoint.BARS,
}
_ORDERS = (Endpoint.LISTED, Endpoint.OPEN, Endpoint.LOOK_UP, Endpoint.ORDER)
_READS = (
    *_ORDERS,
    Endpoint.CLOCK,
    Endpoint.CALENDAR,
    Endpoint.ACCOUNT,
    Endpoint.ACTIVITIES,
    Endpoint.POSITIONS,
    Endpoint.ASSET,
    Endpoint.QUOTES,
    Endpoint.TRADES,
    Endpoint.SNAPSHOTS,
    Endpoint.BARS,
    Endpoint.CANCEL,
)


def endpoint(asked: Asked) -> Endpoint:
    """Which one a request goes to."""
    if asked.path == "/v2/orders":
        if asked.method == "POST":
            return Endpoint.SUBMIT
        return Endpoint.OPEN if asked.query.get("status", "open") == "open" else Endpoint.LISTED
    if asked.path.startswith("/v2/orders/"):
        return Endpoint.CANCEL if asked.method == "DELETE" else Endpoint.ORDER
    if asked.path.startswith("/v2/assets"):
        return Endpoint.ASSET
    if asked.path.startswith("/v2/account/activities"):
        return Endpoint.ACTIVITIES
    return _PATHS.get(asked.path, Endpoint.OTHER)


@dataclass(frozen=True, slots=True)
class Lie:
    """One lie of a scenario, fully drawn: the same lie in the same world is told the same way."""

    kind: str
    variant: str
    at: tuple[Endpoint, ...]
    skip: int
    """So many requests that it fits are told truly first."""
    times: int | None
    """So often it is told; None: until lies stop."""
    symbol: str
    share: float
    """Of a quantity or a span, as the kind needs it: 0 to 1."""

    def __str__(self) -> str:
        often = "for good" if self.times is None else f"{self.times}x"
        where = "/".join(place.value for place in self.at)
        return f"{self.kind}: {self.variant} at {where} after {self.skip}, {often}, {self.symbol} {self.share:.2f}"


@dataclass(slots=True)
class Telling:
    """A lie while it is told."""

    lie: Lie
    world: World
    seen: int = 0
    told: int = 0
    over: bool = False
    notes: list[str] = field(default_factory=list)

    def note(self, what: str = "") -> None:
        """It was told now."""
        self.told += 1
        self.notes.append(what or f"{self.lie.kind}: {self.lie.variant}")

    @property
    def spent(self) -> bool:
        """Whether it will not be told any more."""
        return self.over or (self.lie.times is not None and self.told >= self.lie.times)

    @property
    def due(self) -> bool:
        """Whether it is its turn, for a request that it fits; counts that request."""
        if self.spent:
            return False
        self.seen += 1
        return self.seen > self.lie.skip


type Tell = Callable[[Telling, Asked, Ask], Answer]


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table."""

    at: tuple[Endpoint, ...]
    variants: Mapping[str, Tell]
    hides: Mapping[str, str] = field(default_factory=dict)
    """What it may hide, and in which source: another source of the same must stay true."""
    passing: bool = False
    """Whether a run must end as if nothing had been, once it is over."""
    weight: int = 2
    together: bool = False
    """Whether it is told at all its endpoints, not at one of them."""


# Errors, silence, nonsense


def _error(telling: Telling, asked: Asked, ask: Ask, *, status: int, form: str) -> Answer:
    if not telling.due:
        return ask(asked)
    telling.note()
    if form == "HTML":
        return page(status)
    return Answer(status, b"") if form == "empty" else refusal(status, status * 100_000, "the broker says no")


def _lost(telling: Telling, asked: Asked, ask: Ask, *, carried_out: bool) -> Answer:
    if not telling.due:
        return ask(asked)
    telling.note()
    if carried_out:
        ask(asked)
    telling.world.advance(2.0)
    raise requests.ReadTimeout("no answer")


def _slow(telling: Telling, asked: Asked, ask: Ask) -> Answer:
    if not telling.due:
        return ask(asked)
    telling.note()
    answer = ask(asked)
    telling.world.advance(4 + 12 * telling.lie.share)
    return answer


def _nonsense(telling: Telling, asked: Asked, ask: Ask, *, body: bytes) -> Answer:
    if not telling.due:
        return ask(asked)
    telling.note()
    return replace(ask(asked), status=200, body=body)


_STATUSES = (400, 401, 403, 404, 408, 409, 422, 429, 451, 500, 502, 503, 504)


def _errors() -> dict[str, Tell]:
    return {
        f"{status} {form}": partial(_error, status=status, form=form)
        for status in _STATUSES
        for form in ("JSON", "HTML", "empty")
    }


# Orders on their way


def _taken(telling: Telling, asked: Asked, ask: Ask, *, answer: Answer) -> Answer:
    """The exchange takes it, and we hear something else."""
    if not telling.due:
        return ask(asked)
    telling.note()
    ask(asked)
    return answer


def _held(telling: Telling, asked: Asked, ask: Ask, *, shortest: float, longest: float) -> Answer:
    """It stays in the network and arrives later; its client gives up waiting."""
    if not telling.due:
        return ask(asked)
    world, seconds = telling.world, shortest + (longest - shortest) * telling.lie.share
    telling.note(f"held for {seconds:.0f} s")
    name = str(asked.json.get("client_order_id", asked.path))
    world.in_flight[name] = asked

    def arrive() -> None:
        world.in_flight.pop(name, None)
        try:
            status = ask(asked).status
        except requests.RequestException:
            status = 0
        world.tell(f"   {asked.method} {name} arrives: {status}")

    world.after(seconds, arrive)
    world.advance(2.0)
    raise requests.ReadTimeout("no answer")


def _swallowed(telling: Telling, asked: Asked, ask: Ask) -> Answer:
    if not telling.due:
        return ask(asked)
    telling.note()
    return Answer(204, b"")


def _other_order(telling: Telling, asked: Asked, ask: Ask, *, change: Fields) -> Answer:
    """The order is taken, and the answer shows another one."""
    if not telling.due:
        return ask(asked)
    answer = ask(asked)
    order = answer.json if answer.status == 200 else None
    if not isinstance(order, dict):
        return answer
    telling.note()
    strangers = [
        found
        for found in telling.world.exchange.venue.exchange.books.orders.values()
        if not found.client_order_id.startswith(OURS)
    ]
    identity = str(strangers[0].id) if strangers else "00000000-0000-5000-8000-000000000001"
    made = {"id": identity} if change.get("id") == "another" else {}
    return answer.saying({**order, **change, **made})


# What orders look like


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


_ANOTHER: Fields = {
    "id": "another",
    "client_order_id": "somebody-else-2",
    "symbol": "ZZZ",
    "side": "buy",
    "qty": "7",
    "filled_qty": "7",
    "filled_avg_price": "10",
    "status": "filled",
}


def _added(telling: Telling, asked: Asked, ask: Ask, *, element: Json) -> Answer:
    """A list with one element more."""
    answer = ask(asked)
    content = answer.json if answer.status == 200 else None
    if not isinstance(content, list) or not telling.due:
        return answer
    telling.note()
    return answer.saying([*content, element])


# Positions, account, prices


def _changed(telling: Telling, asked: Asked, ask: Ask, *, change: Callable[[Json, Telling], Json]) -> Answer:
    """A parsed answer, restated as a whole. A change that changes nothing is no lie."""
    answer = ask(asked)
    if answer.status != 200:
        return answer
    try:
        content = change(answer.json, telling)
    except (ArithmeticError, KeyError, TypeError, AttributeError):
        return answer  # another lie left nothing to change
    if content == answer.json or not telling.due:
        return answer
    telling.note()
    return answer.saying(content)


def _position(content: Json, telling: Telling, **factors: Json) -> Json:
    """One position's fields: a factor as text `x1.5`, or the value itself."""
    return [
        _scaled(item, factors) if item["symbol"] == telling.lie.symbol else item
        for item in cast("list[Fields]", content)
    ]


def _scaled(fields: Fields, factors: Mapping[str, Json]) -> Fields:
    def value(name: str, factor: Json) -> Json:
        if not (isinstance(factor, str) and factor.startswith("x")):
            return factor
        exact = Decimal(str(fields[name])) * Decimal(factor[1:])
        return format(exact.quantize(Decimal("0.000000001")), "f")

    return {**fields, **{name: value(name, factor) for name, factor in factors.items()}}


def _fields(content: Json, _: Telling, **factors: Json) -> Json:
    return _scaled(cast("Fields", content), factors)


def _without(content: Json, telling: Telling) -> Json:
    return cast("Json", [item for item in cast("list[Fields]", content) if item["symbol"] != telling.lie.symbol])


def _holding(symbol: str, **fields: Json) -> Json:
    return {
        "symbol": symbol,
        "asset_class": "us_equity",
        "side": "long",
        "qty": "10",
        "qty_available": "10",
        "avg_entry_price": "5",
        "market_value": "50",
        "cost_basis": "50",
        "current_price": "5",
        **fields,
    }


def _tellings(changes: Mapping[str, Callable[[Json, Telling], Json]]) -> dict[str, Tell]:
    return {name: partial(_changed, change=change) for name, change in changes.items()}


_POSITIONS = _tellings(
    {
        "none at all": lambda _, __: [],
        "one missing": _without,
        "short of the truth": partial(_position, qty="x0.5", qty_available="x0.5", market_value="x0.5"),
        "beyond the truth": partial(_position, qty="x1.5", qty_available="x1.5", market_value="x1.5"),
        "none available": partial(_position, qty_available="0"),
        "price null": partial(_position, current_price=None, market_value=None),
        "price zero": partial(_position, current_price="0", market_value="0"),
        "market value zero": partial(_position, market_value="0"),
        "quantity null": partial(_position, qty=None),
        "available null": partial(_position, qty_available=None),
    }
)
_HOLDINGS: dict[str, Tell] = {
    "an option": partial(_added, element=_holding("AAPL251219C00200000", asset_class="us_option")),
    "a coin": partial(_added, element=_holding("BTCUSD", asset_class="crypto")),
    "a short": partial(
        _added, element=_holding("SSS", side="short", qty="-10", qty_available="-10", market_value="-50")
    ),
    "a worthless one": partial(_added, element=_holding("WWW", current_price=None, market_value=None)),
    "nothing that can be read": partial(_added, element={"what": "is this"}),
}
_ACCOUNT = _tellings(
    {
        "half the cash": partial(_fields, cash="x0.5"),
        "more cash": partial(_fields, cash="x1.5"),
        "no cash": partial(_fields, cash="0"),
        "cash null": partial(_fields, cash=None),
        "half the equity": partial(_fields, equity="x0.5"),
        "more equity": partial(_fields, equity="x1.5"),
        "equity null": partial(_fields, equity=None),
        "last equity null": partial(_fields, last_equity=None),
        "last equity doubled": partial(_fields, last_equity="x2"),
        "no buying power": partial(_fields, buying_power="0"),
        "onboarding": partial(_fields, status="ONBOARDING", cash=None, equity=None),
        "blocked": partial(_fields, account_blocked=True),
        "another account": partial(_fields, id="99999999-0000-5000-8000-000000000009"),
    }
)


def _by_symbol(content: Json, telling: Telling, *, fields: Mapping[str, Json] | None, name: str) -> Json:
    inner = cast("dict[str, Fields]", cast("Fields", content)[name])
    found = inner.get(telling.lie.symbol)
    if found is None:
        return content
    if fields is None:
        return {name: cast("Json", {symbol: item for symbol, item in inner.items() if symbol != telling.lie.symbol})}
    made: Json = {key: _number(value) for key, value in _scaled(found, fields).items()}
    return {name: {**cast("Fields", inner), telling.lie.symbol: made}}


def _number(value: Json) -> Json:
    """Market data are numbers, not text."""
    if not isinstance(value, str):
        return value
    try:
        return round(float(value), 4)
    except ValueError:
        return value


def _prices(name: str, *prices: str) -> dict[str, Tell]:
    scales = {f"{factor} times": dict.fromkeys(prices, f"x{factor}") for factor in ("0.01", "0.7", "1.4", "100")}
    changes: dict[str, Callable[[Json, Telling], Json]] = {
        word: partial(_by_symbol, fields=scale, name=name) for word, scale in scales.items()
    }
    changes |= {
        "a month old": partial(_by_symbol, fields={"t": "2020-05-04T14:00:00Z"}, name=name),
        "ten minutes old": partial(_by_symbol, fields={"t": "2020-06-03T13:35:00Z"}, name=name),
        "of tomorrow": partial(_by_symbol, fields={"t": "2020-06-04T13:45:00Z"}, name=name),
        "missing": partial(_by_symbol, fields=None, name=name),
        "zero": partial(_by_symbol, fields=dict.fromkeys(prices, 0), name=name),
        "null": partial(_by_symbol, fields=dict.fromkeys(prices, None), name=name),
        "all null": lambda _, __: {name: None},
        "one null": lambda content, telling: {
            name: {**cast("Fields", cast("Fields", content)[name]), telling.lie.symbol: None}
        },
    }
    return _tellings(changes)


def _crossed(content: Json, telling: Telling) -> Json:
    inner = cast("dict[str, Fields]", cast("Fields", content)["quotes"])
    return {
        "quotes": cast(
            "Json",
            {
                symbol: {**item, "bp": item["ap"], "ap": item["bp"]} if symbol == telling.lie.symbol else item
                for symbol, item in inner.items()
            },
        )
    }


def _calendar(content: Json, _: Telling) -> Json:
    days = cast("list[Fields]", content)
    return cast("Json", [{**day, "open": day["close"], "close": day["open"]} for day in days])


KINDS: dict[str, Kind] = {
    "error on a read": Kind(
        _READS, _errors(), passing=True, weight=8
    ),  # a 404 at a look-up is one of `absent`: see `hidden_by`
    "lost answer": Kind(_READS, {"lost": partial(_lost, carried_out=True)}, passing=True, weight=3),
    "slow answer": Kind((*_READS, Endpoint.SUBMIT), {"slow": _slow}, passing=True, weight=2),
    "nonsense": Kind(
        _READS,
        {
            "no JSON": partial(_nonsense, body=b"<<>>"),
            "null": partial(_nonsense, body=b"null"),
            "a text": partial(_nonsense, body=b'"yes"'),
            "an object": partial(_nonsense, body=b'{"odd": true}'),
            "a list of nulls": partial(_nonsense, body=b"[null]"),
        },
        weight=3,
    ),
    "order taken, error told": Kind(
        (Endpoint.SUBMIT,),
        {
            **{
                f"{status} HTML": partial(_taken, answer=page(status)) for status in (400, 403, 404, 429, 500, 502, 504)
            },
            "409": partial(_taken, answer=refusal(409, 0, "conflict")),
            "403 empty": partial(_taken, answer=Answer(403, b"")),
            "200 without JSON": partial(_taken, answer=Answer(200, b"ok")),
            "200 null": partial(_taken, answer=Answer(200, b"null")),
            "lost": partial(_lost, carried_out=True),
        },
        passing=True,
        weight=6,
    ),
    "order not taken": Kind(
        (Endpoint.SUBMIT,),
        {
            **{
                f"{status} {form}": partial(_error, status=status, form=form)
                for status in (429, 500, 503)
                for form in ("JSON", "HTML")
            },
            "lost": partial(_lost, carried_out=False),
            "403 HTML": partial(_error, status=403, form="HTML"),
        },
        passing=True,
        weight=3,
    ),
    "order held": Kind(
        (Endpoint.SUBMIT,),
        {
            "for seconds": partial(_held, shortest=3, longest=40),
            "for minutes": partial(_held, shortest=60, longest=600),
            "past the deadline": partial(_held, shortest=600, longest=1500),
        },
        weight=6,
    ),
    "another order answered": Kind(
        (Endpoint.SUBMIT,),
        {
            "another id": partial(_other_order, change={"id": "another"}),
            "another client id": partial(_other_order, change={"id": "another", "client_order_id": "somebody-else-1"}),
            "another order whole": partial(_other_order, change=_ANOTHER),
            "another symbol": partial(_other_order, change={"symbol": "ZZZ"}),
            "another quantity": partial(_other_order, change={"qty": "1", "filled_qty": "1", "status": "filled"}),
            "another limit": partial(_other_order, change={"limit_price": "0.01"}),
        },
        hides={"fills": "orders"},
        weight=4,
    ),
    "order state": Kind(
        (*_ORDERS, Endpoint.SUBMIT), _states(_STATES), hides={"fills": "orders"}, weight=12, together=True
    ),
    "order overstated": Kind(
        (*_ORDERS, Endpoint.SUBMIT), _states(_OVERSTATED), hides={"fills": "orders"}, weight=4, together=True
    ),
    "open order called cancelled": Kind(  # the two are drawn beside the others: `ended`
        (Endpoint.LISTED,), _states({"once": _ENDS["called canceled"]}), passing=True, weight=0
    ),
    "open order called ended": Kind((Endpoint.LISTED,), _states(_ENDS), weight=0),
    "order malformed": Kind((*_ORDERS, Endpoint.SUBMIT), _states(_MALFORMED), hides={"fills": "orders"}, weight=4),
    "order absent": Kind(
        _ORDERS,
        {"JSON": partial(_absent, status=404), "HTML": partial(_absent, status=0)},
        hides={"fills": "orders"},
        passing=True,
        weight=8,
        together=True,
    ),
    "odd order listed": Kind(
        (Endpoint.LISTED, Endpoint.OPEN),
        {"of several legs": partial(_added, element=_ODD_ORDER), "null": partial(_added, element=None)},
        weight=2,
    ),
    "cancel": Kind(
        (Endpoint.CANCEL,),
        {"swallowed": _swallowed, "held": partial(_held, shortest=3, longest=120)},
        weight=4,
    ),
    "positions": Kind((Endpoint.POSITIONS,), _POSITIONS, hides={"fills": "positions", "worth": "positions"}, weight=8),
    "other holdings": Kind((Endpoint.POSITIONS,), _HOLDINGS, passing=True, weight=3),
    "account": Kind((Endpoint.ACCOUNT,), _ACCOUNT, hides={"worth": "account"}, weight=6),
    "quotes": Kind(
        (Endpoint.QUOTES,),
        {**_prices("quotes", "bp", "ap"), "crossed": partial(_changed, change=_crossed)},
        hides={"price": "quotes"},
        weight=5,
    ),
    "trades": Kind((Endpoint.TRADES,), _prices("trades", "p"), hides={"price": "trades"}, weight=5),
    "clock": Kind(
        (Endpoint.CLOCK,),
        _tellings(
            {
                "an hour ahead": partial(_fields, timestamp="2020-06-03T10:45:00-04:00"),
                "an hour behind": partial(_fields, timestamp="2020-06-03T08:45:00-04:00"),
                "null": partial(_fields, timestamp=None),
            }
        ),
        weight=2,
    ),
    "calendar": Kind(
        (Endpoint.CALENDAR,),
        _tellings({"empty": lambda _, __: [], "closes before it opens": _calendar}),
        weight=2,
    ),
    "asset": Kind(
        (Endpoint.ASSET,),
        _tellings(
            {
                "fractionable null": partial(_fields, fractionable=None),
                "not fractionable": partial(_fields, fractionable=False),
                "not tradable": partial(_fields, tradable=False),
                "inactive": partial(_fields, status="inactive"),
            }
        ),
        weight=2,
    ),
}


def draw(chance: random.Random, symbols: tuple[str, ...], taken: Mapping[str, str]) -> Lie | None:
    """One lie at random; None if what it would hide is hidden in another source already (`taken`: what by source)."""
    name = chance.choices(list(KINDS), [kind.weight for kind in KINDS.values()])[0]
    kind = KINDS[name]
    variant = chance.choice(list(kind.variants))
    at = kind.at if kind.together else (chance.choice(kind.at),)
    if kind.together and chance.random() < 0.4:
        at = (chance.choice(kind.at),)
    skip = min(int(chance.expovariate(0.35)), 30) if chance.random() < 0.6 else 0
    times = chance.choices([1, chance.randint(2, 6), None], [5, 4, 2])[0]
    lie = Lie(name, variant, at, skip, times, chance.choice(symbols), chance.random())
    told_twice = any(taken.get(what, source) != source for what, source in hidden_by(lie).items())
    return None if told_twice else lie


def ended(chance: random.Random, symbols: tuple[str, ...]) -> list[Lie]:
    """Now and then the day's list calls an open order of one symbol ended, with its true fills; look-ups tell."""
    if chance.random() > _ENDED:
        return []
    once = chance.random() < 0.5
    name = "open order called cancelled" if once else "open order called ended"
    variant = chance.choice(list(KINDS[name].variants))
    times = 1 if once else chance.choice([1, 3, None])
    return [Lie(name, variant, KINDS[name].at, chance.randint(0, 3), times, chance.choice(symbols), chance.random())]


def hidden_by(lie: Lie) -> Mapping[str, str]:
    """What a lie hides and where; an error that says `not found` of an order hides it."""
    if (
        lie.kind == "error on a read"
        and lie.variant.startswith("404")
        and set(lie.at) & {Endpoint.LOOK_UP, Endpoint.ORDER}
    ):
        return {"fills": "orders"}
    return KINDS[lie.kind].hides
