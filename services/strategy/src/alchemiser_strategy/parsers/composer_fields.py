"""Reads single fields of Composer's JSON: windows, numbers, metrics, conditions. Children are not looked at here."""

from collections.abc import Mapping

from alchemiser_common.json_value import Json
from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.engine.metrics import METRICS, Windows
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers.tokens import number as number_of

type Fields = Mapping[str, Json]

_NAMES = {metric.composer_name: metric.name for metric in METRICS.values() if metric.composer_name}
"""Metrics that have a name of their own here; that of the text form is understood as well."""
_COMPARATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "eq": "="}
_CLASSES = ("asset-class", "asset_class", "asset-classes", "asset_classes")
_EQUITIES = "EQUITIES"
_ANY_TICKER = "%"
"""Stands for each of `tickers` in turn."""


def shown(value: Json) -> str:
    """A value as messages show it, 40 characters at most."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = "null" if value is None else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def require_equities(fields: Fields) -> None:
    """Raises StrategyError if fields say that they are about another class of assets, and which."""
    for key in _CLASSES:
        stated = fields.get(key)
        for name in stated if isinstance(stated, list) else [stated]:
            if name is not None and name != _EQUITIES:
                raise StrategyError(f"{key} is {shown(name)}; only {_EQUITIES} can be held")


def text(fields: Fields, key: str, expected: str) -> str:
    """A field that must be text. Raises StrategyError with the key, its value and what was expected."""
    value = fields.get(key)
    if not isinstance(value, str):
        raise StrategyError(f"{key} is {shown(value)}; expected {expected}")
    return value


def number(value: Json, what: str) -> float:
    """A number, also as text. Raises StrategyError with `what` and the value if it is none."""
    read = number_of(value.strip()) if isinstance(value, str) else value
    if isinstance(read, bool) or not isinstance(read, int | float):
        raise StrategyError(f"{what} is {shown(value)}; expected a number")
    try:
        return float(read)
    except OverflowError:
        raise StrategyError(f"{what} is {shown(value)}; expected a number of at most 308 digits") from None


def whole(value: Json, what: str) -> int | str:
    """A count, also as text; one that is not whole stays text, and the builder says what is wrong."""
    count = number(value, what)
    return int(count) if count.is_integer() else str(value)


def metric(fields: Fields, key: str) -> str:
    """A metric by the name that the builder knows."""
    name = text(fields, key, "the name of a metric")
    return _NAMES.get(name, name)


def windows(fields: Fields, params: str, days: str) -> Windows:
    """The windows of a metric: an object of options, or in older exports one number of days; None if not given."""
    options, alone = fields.get(params), fields.get(days)
    if options is not None and not isinstance(options, dict):
        raise StrategyError(f"{params} is {shown(options)}; expected an object of windows")
    given = {key: whole(value, f"{params}.{key}") for key, value in (options or {}).items() if _given(value)}
    if given:
        return given
    return whole(alone, days) if _given(alone) else None


def _given(value: Json) -> bool:
    return value is not None and value != ""


class Conditions:
    """Builds the conditions of if-children."""

    def __init__(self, builder: Builder) -> None:
        self._build = builder

    def of(self, child: Fields) -> n.Condition:
        """What an if-child asks: its `condition` if it has one, otherwise the lhs- and rhs-fields of older exports."""
        block = child.get("condition")
        if block is not None:
            return self._block(block)
        left = self._build.indicator(
            metric(child, "lhs-fn"),
            text(child, "lhs-val", "a symbol"),
            windows(child, "lhs-fn-params", "lhs-window-days"),
        )
        return self._build.compare(_sign(child), left, self._right(child))

    def _right(self, child: Fields) -> n.Operand:
        """The right side of an older export: a number if it says so, names no metric, or is written as a number."""
        fixed, value = child.get("rhs-fixed-value?"), child.get("rhs-val")
        if fixed is None:
            fixed = not child.get("rhs-fn") or isinstance(value, int | float)
        if not isinstance(fixed, bool):
            raise StrategyError(f"rhs-fixed-value? is {shown(fixed)}; expected true or false")
        if fixed:
            return self._build.number(number(value, "rhs-val"))
        of = windows(child, "rhs-fn-params", "rhs-window-days")
        return self._build.indicator(metric(child, "rhs-fn"), text(child, "rhs-val", "a symbol"), of)

    def _block(self, whole_block: Json) -> n.Condition:
        """Conditions in conditions, without recursion.

        A compound is put on the stack twice: first its parts go on top of it, then it takes as many made conditions
        from the end of `made` as it has parts and puts one in their place.
        """
        made: list[n.Condition] = []
        todo: list[tuple[Json, bool]] = [(whole_block, False)]
        while todo:
            block, parts_done = todo.pop()
            if not isinstance(block, dict):
                raise StrategyError(f"condition is {shown(block)}; expected an object")
            kind = block.get("condition-type")
            if kind == "binary":
                made.append(self._binary(block, None))
            elif kind == "binary-compound":
                made.append(_joined(self._build, block, [self._binary(block, ticker) for ticker in _tickers(block)]))
            elif kind != "compound":
                known = "binary, binary-compound, compound"
                raise StrategyError(f"condition-type is {shown(kind)}; expected one of {known}")
            elif parts_done:
                count = len(_parts(block))
                made[-count:] = [_joined(self._build, block, made[-count:])]
            else:
                todo += [(block, True), *((part, False) for part in reversed(_parts(block)))]
        return made[0]

    def _binary(self, block: Fields, ticker: str | None) -> n.Condition:
        left, right = (self._side(block, key, ticker) for key in ("lhs", "rhs"))
        return self._build.compare(_sign(block), left, right)

    def _side(self, block: Fields, key: str, ticker: str | None) -> n.Operand:
        """One side of a comparison; `ticker` takes the place of the symbol that stands for any of several."""
        side = block.get(key)
        if not isinstance(side, dict):
            raise StrategyError(f"{key} is {shown(side)}; expected an object with a constant, or fn and ticker")
        if "constant" in side:
            return self._build.number(number(side["constant"], f"{key}.constant"))
        symbol = text(side, "ticker", "a symbol")
        of = windows(side, "params", "window")
        return self._build.indicator(metric(side, "fn"), ticker if ticker and symbol == _ANY_TICKER else symbol, of)


def _sign(fields: Fields) -> str:
    name = fields.get("comparator")
    if not isinstance(name, str) or name not in _COMPARATORS:
        raise StrategyError(f"comparator is {shown(name)}; expected one of {', '.join(_COMPARATORS)}")
    return _COMPARATORS[name]


def _joined(builder: Builder, block: Fields, parts: list[n.Condition]) -> n.Condition:
    match block.get("operator"):
        case "all":
            return builder.and_(parts)
        case "any":
            return builder.or_(parts)
        case other:
            raise StrategyError(f"operator is {shown(other)}; expected any or all")


def _parts(block: Fields) -> list[Json]:
    parts = block.get("conditions")
    if not isinstance(parts, list) or not parts:
        raise StrategyError(f"conditions is {shown(parts)}; expected a list of at least one condition")
    return parts


def _tickers(block: Fields) -> list[str]:
    tickers = block.get("tickers")
    if not isinstance(tickers, list) or not tickers:
        raise StrategyError(f"tickers is {shown(tickers)}; expected a list of at least one symbol")
    return [text({"tickers": ticker}, "tickers", "a list of symbols") for ticker in tickers]
