"""Positions, account, prices, and what else is told in figures and words."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import cast

from support.liar.endpoints import Endpoint
from support.liar.telling import Ask, Fields, Kind, Tell, Telling, added
from support.liar.transport import Answer, Asked, Json


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
    "an option": partial(added, element=_holding("AAPL251219C00200000", asset_class="us_option")),
    "a coin": partial(added, element=_holding("BTCUSD", asset_class="crypto")),
    "a short": partial(
        added, element=_holding("SSS", side="short", qty="-10", qty_available="-10", market_value="-50")
    ),
    "a worthless one": partial(added, element=_holding("WWW", current_price=None, market_value=None)),
    "nothing that can be read": partial(added, element={"what": "is this"}),
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


FIGURES: dict[str, Kind] = {
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
