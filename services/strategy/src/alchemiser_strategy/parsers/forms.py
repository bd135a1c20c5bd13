"""The operators of symphony text: each takes a finished form's items and returns what they mean, or a Complaint."""

from collections.abc import Callable
from difflib import get_close_matches

from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.engine.metrics import METRICS, UNPUBLISHED, Windows
from alchemiser_strategy.parsers import notes
from alchemiser_strategy.parsers.tokens import number, unescape
from alchemiser_strategy.parsers.values import (
    CONDITIONS,
    OPERANDS,
    PORTFOLIOS,
    Complaint,
    Options,
    Ranking,
    Script,
    Selection,
    Value,
    Vector,
    described,
)

type Items = tuple[Value, ...]

USAGE: dict[str, str] = {
    "defsymphony": '(defsymphony "name" {options} body)',
    "asset": '(asset "SYMBOL" "label")',
    "cash": "(cash)",
    "group": '(group "name" [body])',
    "if": "(if condition [then…] [else…])",
    "and": "(and condition…)",
    "or": "(or condition…)",
    "not": "(not condition)",
    "weight-equal": "(weight-equal [child…])",
    "weight-specified": "(weight-specified weight child weight child …)",
    "weight-inverse-volatility": "(weight-inverse-volatility window [child…])",
    "weight-inverse": "(weight-inverse (metric {:window N}) [child…])",
    "filter": "(filter (metric {:window N}) (select-top K) [child…])",
    "select-top": "(select-top K), or (select-top K :listed) to break ties by the order listed",
    "select-bottom": "(select-bottom K), or (select-bottom K :listed)",
    **{sign.value: f"({sign} left right), each an indicator or a number" for sign in n.Operator},
    **{name: f'({name} "SYMBOL" {{:option N}})' for name in METRICS},
}


class Forms:
    """Turns forms into nodes, children first. `notes` collects what is allowed but probably not meant.

    Every method raises Complaint with the item at fault, or StrategyError from the builder.
    """

    def __init__(self, builder: Builder) -> None:
        self._build = builder
        self.notes: list[str] = []
        self._operators: dict[str, Callable[[Items], Value]] = {
            "defsymphony": self._script,
            "asset": self._asset,
            "cash": self._cash,
            "group": self._group,
            "if": self._if,
            "and": lambda items: self._build.and_(self._conditions(items, 1)),
            "or": lambda items: self._build.or_(self._conditions(items, 1)),
            "not": lambda items: self._build.not_(self._conditions(_sized(items, 2), 1)[0]),
            "weight-equal": lambda items: self._build.weight_equal(_children(_sized(items, 2), 1)),
            "weight-specified": self._specified,
            "weight-inverse-volatility": self._inverse_volatility,
            "weight-inverse": self._inverse,
            "filter": self._filter,
            "select-top": self._select,
            "select-bottom": self._select,
            "unimplemented": self._unimplemented,
            **{sign.value: self._compare for sign in n.Operator},
            **dict.fromkeys(METRICS, self._metric),
        }

    def list_(self, items: Items) -> Value:
        """``( … )``: an operator with its arguments."""
        if not items:
            raise Complaint("the list is empty; expected an operator and its arguments")
        head = items[0]
        if not isinstance(head, str):
            raise Complaint(f"a list starts with {described(head)}; expected an operator", 0)
        operator = self._operators.get(head)
        if operator is None:
            if head in UNPUBLISHED:
                raise Complaint(UNPUBLISHED[head], 0)
            near = get_close_matches(head, USAGE, 1)
            expected = f"did you mean {near[0]}?" if near else f"expected one of {' '.join(USAGE)}"
            raise Complaint(f"unknown operator {described(head)}; {expected}", 0)
        return operator(items)

    @staticmethod
    def vector(items: Items) -> Value:
        """``[ … ]``: portfolios; the language has no other lists."""
        return Vector(tuple(_portfolio(items, at) for at in range(len(items))))

    @staticmethod
    def options(items: Items) -> Value:
        """``{ … }``: keywords and plain values in turn."""
        if len(items) % 2:
            raise Complaint("a map has a key without a value; expected {:key value …}", len(items) - 1)
        values: dict[str, str] = {}
        for at in range(0, len(items), 2):
            key, value = items[at], items[at + 1]
            if not isinstance(key, str) or len(key) < 2 or key[0] != ":":
                raise Complaint(f"a map has the key {described(key)}; expected a keyword such as :window", at)
            if not isinstance(value, str):
                raise Complaint(f"option {key} is {described(value)}; expected a number, string or keyword", at + 1)
            if key[1:] in values:
                raise Complaint(f"option {key} is given twice", at)
            values[key[1:]] = value
        return Options(values)

    # --- portfolios

    def _script(self, items: Items) -> Value:
        _sized(items, 4)
        name, options = _string(items, 1, "the symphony's name"), items[2]
        if not isinstance(options, Options):
            raise Complaint(f"found {described(options)}; expected a map of options", 2)
        frequency: str | None = None
        threshold: float | None = None
        for key, value in options.values.items():
            match key:
                case "asset-class":
                    if value != '"EQUITIES"':
                        raise Complaint(f'asset class is {described(value)}; expected "EQUITIES"', 2)
                case "rebalance-frequency":
                    frequency = value.removeprefix(":")
                    if not frequency.isalpha():
                        raise Complaint(f"rebalance frequency is {described(value)}; expected :daily or the like", 2)
                case "rebalance-threshold":
                    threshold = number(value)
                    if threshold is None:
                        raise Complaint(f"rebalance threshold is {described(value)}; expected a number", 2)
                case _:
                    known = ":asset-class, :rebalance-frequency, :rebalance-threshold"
                    raise Complaint(f"unknown option :{key}; expected one of {known}", 2)
        return Script(name, _portfolio(items, 3), frequency, threshold)

    def _asset(self, items: Items) -> Value:
        _sized(items, 2, 3)
        label = None if len(items) == 2 or items[2] == "nil" else _string(items, 2, "a label or nil")
        return self._build.asset(_string(items, 1, "a symbol"), label)

    def _cash(self, items: Items) -> Value:
        _sized(items, 1)
        return self._build.cash()

    def _group(self, items: Items) -> Value:
        if len(items) < 3:
            raise _arity(items)
        name = _string(items, 1, "the group's name")
        bodies = [_children(items, at) for at in range(2, len(items))]
        if len(bodies) > 1:
            self.notes.append(f"group {name!r} has {len(bodies)} bodies; only the last one counts")
        return self._build.group(name, bodies[-1])

    def _if(self, items: Items) -> Value:
        if len(items) == 3:  # the builder says why an else is needed
            self._build.if_(self._conditions(items[:2], 1)[0], _children(items, 2), None)
        _sized(items, 4)
        condition = self._conditions(items[:2], 1)[0]
        return self._build.if_(condition, _children(items, 2), _children(items, 3))

    def _specified(self, items: Items) -> Value:
        if len(items) < 3 or len(items) % 2 == 0:
            raise _arity(items)
        weights = [_number(items, at, "a weight") for at in range(1, len(items), 2)]
        children = [_portfolio(items, at) for at in range(2, len(items), 2)]
        self.notes += notes.on_weights(weights)
        return self._build.weight_specified(weights, children)

    def _inverse_volatility(self, items: Items) -> Value:
        _sized(items, 3)
        return self._build.weight_inverse_volatility(_count(items, 1), _children(items, 2))

    def _inverse(self, items: Items) -> Value:
        _sized(items, 3)
        ranking = _ranking(items, 1)
        return self._build.weight_inverse(ranking.metric, ranking.windows, _children(items, 2))

    def _filter(self, items: Items) -> Value:
        _sized(items, 4)
        ranking, selection, children = _ranking(items, 1), items[2], _children(items, 3)
        if not isinstance(selection, Selection):
            raise Complaint(f"found {described(selection)}; expected (select-top K) or (select-bottom K)", 2)
        made = self._build.filter_(
            ranking.metric, ranking.windows, selection.end, selection.count, children, ties=selection.ties
        )
        self.notes += notes.on_filter(made, children)
        return made

    @staticmethod
    def _select(items: Items) -> Value:
        _sized(items, 2, 3)
        if len(items) == 3 and items[2] != ":listed":
            raise Complaint(f"found {described(items[2])}; expected :listed or nothing", 2)
        ties = n.Ties.ALPHABETICAL if len(items) == 2 else n.Ties.LISTED
        return Selection(str(items[0]).removeprefix("select-"), _count(items, 1), ties)

    # --- conditions and operands

    def _compare(self, items: Items) -> Value:
        _sized(items, 3)
        return self._build.compare(str(items[0]), self._operand(items, 1), self._operand(items, 2))

    def _metric(self, items: Items) -> Value:
        """``(rsi "SPY" {:window 10})``, or without the symbol in a filter; ``10`` alone is a window as well.

        Old exports write a filter's window as ``(rsi "10")``; no symbol is a number.
        """
        metric = str(items[0])
        if len(items) == 2 and _quoted(items[1]) and str(items[1])[1:-1].isdecimal():
            return Ranking(metric, _windows(items, 1))
        symbol = _string(items, 1, "a symbol") if len(items) > 1 and _quoted(items[1]) else None
        rest = 1 if symbol is None else 2
        if len(items) > rest + 1:
            raise _arity(items)
        if len(items) == 2 and isinstance(items[1], str) and symbol is None and number(items[1]) is None:
            raise Complaint(f'found {described(items[1])}; expected a symbol in "quotes" or {{:window N}}', 1)
        windows = None if len(items) == rest else _windows(items, rest)
        return Ranking(metric, windows) if symbol is None else self._build.indicator(metric, symbol, windows)

    @staticmethod
    def _unimplemented(items: Items) -> Value:
        what = described(items[1]) if len(items) > 1 else "something"
        raise Complaint(f"the export left out {what}, which this text form cannot express; expected an indicator")

    def _operand(self, items: Items, at: int) -> n.Operand:
        item = items[at]
        if isinstance(item, OPERANDS):
            return item
        if isinstance(item, str) and (value := number(item)) is not None:
            return self._build.number(value)
        raise Complaint(f"found {described(item)}; expected an indicator or a number", at)

    @staticmethod
    def _conditions(items: Items, start: int) -> list[n.Condition]:
        parts: list[n.Condition] = []
        for at in range(start, len(items)):
            part = items[at]
            if not isinstance(part, CONDITIONS):
                raise Complaint(f"found {described(part)}; expected a condition such as (> a b)", at)
            parts.append(part)
        return parts


def _arity(items: Items) -> Complaint:
    given = len(items) - 1
    return Complaint(f"has {given} argument{'s' * (given != 1)}; expected {USAGE[str(items[0])]}")


def _sized(items: Items, least: int, most: int = 0) -> Items:
    if not least <= len(items) <= (most or least):
        raise _arity(items)
    return items


def _portfolio(items: Items, at: int) -> n.Portfolio:
    item = items[at]
    if not isinstance(item, PORTFOLIOS):
        raise Complaint(f"found {described(item)}; expected a portfolio such as an asset, group, if or filter", at)
    return item


def _ranking(items: Items, at: int) -> Ranking:
    item = items[at]
    if not isinstance(item, Ranking):
        raise Complaint(f"found {described(item)}; expected a metric such as (rsi {{:window 10}})", at)
    return item


def _children(items: Items, at: int) -> tuple[n.Portfolio, ...]:
    """A vector of portfolios; one portfolio may stand without brackets."""
    item = items[at]
    return item.items if isinstance(item, Vector) else (_portfolio(items, at),)


def _quoted(item: Value) -> bool:
    return isinstance(item, str) and item[0] == '"'


def _string(items: Items, at: int, what: str) -> str:
    item = items[at]
    if not isinstance(item, str) or item[0] != '"':
        raise Complaint(f'found {described(item)}; expected {what} in "quotes"', at)
    try:
        return unescape(item)
    except KeyError as unknown:
        raise Complaint(
            f'string has the escape \\{unknown.args[0]}; expected \\\\ \\" \\n \\t \\r or \\uXXXX', at
        ) from None


def _number(items: Items, at: int, what: str) -> float:
    item = items[at]
    value = number(item) if isinstance(item, str) else None
    if value is None:
        raise Complaint(f"found {described(item)}; expected {what}", at)
    return value


def _count(items: Items, at: int) -> int | str:
    return _whole(items[at], at)


def _windows(items: Items, at: int) -> Windows:
    item = items[at]
    if isinstance(item, Options):
        return {key: _whole(value, at) for key, value in item.values.items()}
    return _whole(item, at)


def _whole(item: Value, at: int) -> int | str:
    """A count, also as ``"14"`` or ``1e3``. A number that is not whole stays text: the builder says what is wrong."""
    bare = item.strip('"') if isinstance(item, str) else ""
    value = number(bare)
    if value is None:
        raise Complaint(f"found {described(item)}; expected a whole number", at)
    return int(value) if value.is_integer() else bare
