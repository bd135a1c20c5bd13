"""A third, slow interpreter of the language: recursive, one day at a time, nothing shared and nothing clever."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from unit.strategy import arithmetic

type Plan = tuple[Any, ...]
"""A tree as nested tuples; `builder_of` in the interpreters' test makes nodes of the same."""
type Weights = dict[str, float]

OPERATORS = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


class Reference:
    """What a tree holds on a day, from closes by symbol (lists; NaN only before a symbol's first day)."""

    def __init__(self, prices: Mapping[str, Sequence[float]]) -> None:
        self._prices = prices

    def weights(self, plan: Plan, day: int) -> Weights | None:
        """Weights after the close of `day`; None if unknown."""
        match plan:
            case ("asset", symbol):
                return None if math.isnan(self._prices[symbol][day]) else {symbol: 1.0}
            case ("cash",):
                return {}
            case ("equal", children):
                return self._mixed([1.0] * len(children), children, day)
            case ("specified", children):
                return self._mixed(list(range(1, len(children) + 1)), children, day)
            case ("inverse", window, children):
                if len(children) == 1:
                    return self.weights(children[0], day)
                risks = [self._measured("stdev-return", window, child, day) for child in children]
                if any(map(math.isnan, risks)):
                    return None
                shares = [float(risk == 0) for risk in risks] if 0.0 in risks else [1 / risk for risk in risks]
                return self._mixed(shares, children, day)
            case ("if", condition, then, otherwise):
                holds = self.holds(condition, day)
                return None if holds is None else self.weights(then if holds else otherwise, day)
            case ("filter", (metric, window), select, k, children):
                return self._filtered(metric, window, select, k, children, day)
        raise AssertionError(plan)

    def holds(self, plan: Plan, day: int) -> bool | None:
        match plan:
            case ("compare", operator, (metric, window), left, right):
                a = self._value(metric, left, window, day)
                b = self._value(metric, right, window, day) if isinstance(right, str) else right
                return None if math.isnan(a) or math.isnan(b) else OPERATORS[operator](a, b)
            case ("not", part):
                outcome = self.holds(part, day)
                return None if outcome is None else not outcome
            case (word, parts):
                for part in parts:
                    outcome = self.holds(part, day)
                    if outcome is not (word == "and"):
                        return outcome
                return bool(word == "and")
        raise AssertionError(plan)

    def _value(self, metric: str, symbol: str, window: int, day: int) -> float:
        closes = [close for close in self._prices[symbol][: day + 1] if not math.isnan(close)]
        windows = [] if metric == "current-price" else [window]
        return arithmetic.value(metric, closes, *windows) if closes else math.nan

    def _measured(self, metric: str, window: int, plan: Plan, day: int) -> float:
        plan = _unwrapped(plan)
        if plan[0] == "asset":
            return self._value(metric, plan[1], window, day)
        if self.weights(plan, day) is None:
            return math.nan
        levels: list[float] = []
        streak = 0
        for today in range(day + 1):
            yesterday = self.weights(plan, today - 1) if streak else None
            if yesterday is not None:
                growth = sum(w * self._prices[s][today] / self._prices[s][today - 1] for s, w in yesterday.items())
                levels.append(levels[-1] * (growth + 1.0 - sum(yesterday.values())))
                streak += 1
            elif levels or self.weights(plan, today) is not None:
                levels.append(levels[-1] if levels else 1.0)
                streak = int(self.weights(plan, today) is not None)
        windows = [] if metric == "current-price" else [window]
        value = arithmetic.value(metric, levels, *windows)
        # Too few bars since the last gap are as good as none.
        return math.nan if math.isnan(arithmetic.value(metric, levels[len(levels) - streak :], *windows)) else value

    def _mixed(self, shares: Sequence[float], children: Sequence[Plan], day: int) -> Weights | None:
        mixed: Weights = {}
        for share, child in zip(shares, children, strict=True):
            inner = self.weights(child, day)
            if inner is None:
                return None
            for symbol, weight in inner.items() if share else ():
                mixed[symbol] = mixed.get(symbol, 0.0) + weight * share / sum(shares)
        return mixed

    def _filtered(
        self, metric: str, window: int, select: str, k: int, children: Sequence[Plan], day: int
    ) -> Weights | None:
        children = [_unwrapped(child) for child in children]
        once = [
            child for i, child in enumerate(children) if child[0] not in {"asset", "cash"} or child not in children[:i]
        ]
        once.sort(key=_first)
        values = [(self._measured(metric, window, child, day), child) for child in once]
        known = [(v, child) for v, child in values if not math.isnan(v) and self.weights(child, day) is not None]
        known.sort(key=lambda pair: pair[0], reverse=select == "top")
        winners = [child for _, child in known[:k]]
        return self._mixed([1.0] * len(winners), winners, day) if winners else None


def _first(plan: Plan) -> str:
    """The symbol that ties are broken by."""
    match plan:
        case ("asset", symbol):
            return str(symbol)
        case ("cash",):
            return "cash"
        case ("if", _, then, _):
            return _first(then)
        case ("filter", *_, children):
            return min(map(_first, children))
    return _first(plan[-1][0])


def _unwrapped(plan: Plan) -> Plan:
    """A list of one is its one member."""
    while plan[0] in {"equal", "specified", "inverse"} and len(plan[-1]) == 1:
        plan = plan[-1][0]
    return plan
