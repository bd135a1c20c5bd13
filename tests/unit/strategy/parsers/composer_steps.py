"""Composer's steps for tests, in the shape of its exports."""

import json

from alchemiser_common.json_value import Json

type Step = dict[str, Json]


def asset(ticker: str, **fields: Json) -> Step:
    return {"step": "asset", "id": "1", "ticker": ticker, "name": f"{ticker} Fund", "exchange": "ARCX", **fields}


def step(kind: str, /, *children: Step, **fields: Json) -> Step:
    return {"step": kind, "children": [*children], **{key.replace("_", "-"): value for key, value in fields.items()}}


def asked(*children: Step, **fields: Json) -> Step:
    """An if-child in the form of older exports."""
    usual: Step = {
        "is-else-condition?": False,
        "lhs-fn": "relative-strength-index",
        "lhs-fn-params": {"window": 10},
        "lhs-window-days": "99",
        "lhs-val": "SPY",
        "comparator": "gt",
        "rhs-val": "79",
        "rhs-fixed-value?": True,
    }
    return {**step("if-child", *children), **usual, **{key.replace("_", "-"): value for key, value in fields.items()}}


def otherwise(*children: Step) -> Step:
    return {**step("if-child", *children), "is-else-condition?": True}


def choice(child: Step) -> Step:
    return step("if", child, otherwise(asset("B")))


A, B, C = asset("A"), asset("B"), asset("C")
SPY_RSI: Step = {"fn": "relative-strength-index", "ticker": "SPY", "params": {"window": 10}}
OVER_79: Step = {"condition-type": "binary", "comparator": "gt", "lhs": SPY_RSI, "rhs": {"constant": "79"}}
QQQ_OVER_SPY: Step = {**OVER_79, "lhs": {**SPY_RSI, "ticker": "QQQ"}, "rhs": SPY_RSI}

_WORDS = ("step", "rebalance", "comparator", "lhs-fn", "rhs-fn", "sort-by-fn", "select-fn", "fn", "operator")
"""Fields whose values Composer writes as keywords in EDN."""


def edn(value: Json, *, word: bool = False) -> str:
    """A tree of steps as Composer writes it in EDN."""
    match value:
        case dict():
            pairs = (f":{key} {edn(item, word=key in _WORDS)}" for key, item in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list():
            return f"[{' '.join(map(edn, value))}]"
        case str() if word:
            return f":{value}"
        case None:
            return "nil"
        case _:
            return json.dumps(value)
