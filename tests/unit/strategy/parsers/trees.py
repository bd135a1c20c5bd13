"""Random strategies for tests, as plain descriptions that become nodes or Composer's JSON."""

import math
from dataclasses import dataclass

from hypothesis import strategies as st

from alchemiser_common.json_value import Json
from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.engine.metrics import METRICS
from unit.strategy.parsers.composer_steps import Step, asset, otherwise, step

SYMBOLS = ("SPY", "QQQ", "TLT", "GLD", "BRK/B", "BF.B", "UVXY")
_WINDOWS = st.integers(2, 300)
_NAMES = st.text(max_size=12) | st.sampled_from(
    ['a "quoted" \\ name', "line\nbreak\ttab", "(](;,{", "\x00\x1f", "日本 😀"]
)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-100, 100).map(float)
_WEIGHTS = st.floats(0, 1e6, allow_subnormal=False) | st.integers(0, 100).map(float)


@dataclass(frozen=True)
class Read:
    metric: str
    symbol: str
    window: int


@dataclass(frozen=True)
class Ask:
    """A comparison, or with parts all, any or none of them."""

    kind: str
    left: "Read | float"
    right: "Read | float"
    parts: "tuple[Ask, ...]" = ()


@dataclass(frozen=True)
class Plan:
    """A portfolio: what `kind` needs of the rest is set."""

    kind: str
    children: "tuple[Plan, ...]" = ()
    symbol: str = ""
    name: str = ""
    ask: Ask | None = None
    weights: tuple[float, ...] = ()
    metric: str = "rsi"
    window: int = 10
    end: str = "top"
    count: int = 1


_METRICS = st.sampled_from([name for name, metric in METRICS.items() if len(metric.options) < 2])
_READS = st.builds(Read, _METRICS, st.sampled_from(SYMBOLS), _WINDOWS)
_SIDES = _READS | _NUMBERS
_COMPARISONS = st.builds(Ask, st.sampled_from([">", "<", ">=", "<=", "="]), _SIDES, _SIDES)
ASKS = st.recursive(
    _COMPARISONS,
    lambda inner: st.builds(
        Ask, st.sampled_from(["all", "any"]), _NUMBERS, _NUMBERS, st.lists(inner, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=4,
)
_ASSETS = st.builds(Plan, st.just("asset"), symbol=st.sampled_from(SYMBOLS), name=_NAMES)


def _specified(parts: list[tuple[Plan, float]]) -> Plan:
    """Of written weights the sum is 100, or 1: none is written otherwise."""
    weights = [weight for _, weight in parts]
    total = math.fsum(weights)
    percent = [100 * weight / total for weight in weights] if total else [100 / len(parts)] * len(parts)
    return Plan("specified", tuple(child for child, _ in parts), weights=tuple(percent))


def _wider(inner: st.SearchStrategy[Plan]) -> st.SearchStrategy[Plan]:
    children = st.lists(inner, min_size=1, max_size=4).map(tuple)
    weighted = st.lists(st.tuples(inner, _WEIGHTS), min_size=1, max_size=4)
    return st.one_of(
        st.builds(Plan, st.just("group"), children, name=_NAMES),
        st.builds(Plan, st.just("equal"), children),
        st.builds(Plan, st.just("inverse"), children, window=_WINDOWS),
        st.builds(Plan, st.just("if"), st.tuples(inner, inner), ask=ASKS),
        weighted.map(_specified),
        st.builds(
            Plan, st.just("filter"), children, metric=_METRICS, window=_WINDOWS,
            end=st.sampled_from(["top", "bottom"]), count=st.integers(1, 5),
        ),
    )  # fmt: skip


PLANS = st.recursive(_ASSETS, _wider, max_leaves=15)


def built(plan: Plan, builder: Builder) -> n.Portfolio:
    """The nodes of a plan."""
    children = [built(child, builder) for child in plan.children]
    match plan.kind:
        case "asset":
            return builder.asset(plan.symbol, plan.name)
        case "group":
            return builder.group(plan.name, children)
        case "equal":
            return builder.weight_equal(children)
        case "inverse":
            return builder.weight_inverse_volatility(plan.window, children)
        case "specified":
            return builder.weight_specified(plan.weights, children)
        case "filter":
            return builder.filter_(plan.metric, plan.window, plan.end, plan.count, children)
        case _:
            assert plan.ask is not None
            return builder.if_(asked(plan.ask, builder), children[0], children[1])


def asked(ask: Ask, builder: Builder) -> n.Condition:
    """The condition of an ask."""

    def side(of: Read | float) -> n.Operand:
        return builder.indicator(of.metric, of.symbol, of.window) if isinstance(of, Read) else builder.number(of)

    if not ask.parts:
        return builder.compare(ask.kind, side(ask.left), side(ask.right))
    parts = [asked(part, builder) for part in ask.parts]
    return builder.and_(parts) if ask.kind == "all" else builder.or_(parts)


def exported(plan: Plan) -> Step:
    """The plan as Composer would export it."""
    children = [exported(child) for child in plan.children]
    match plan.kind:
        case "asset":
            return {**asset(plan.symbol), "name": plan.name}
        case "group":
            return step("group", *children, name=plan.name)
        case "equal":
            return step("wt-cash-equal", *children)
        case "inverse":
            return step("wt-inverse-vol", *children, window_days=str(plan.window))
        case "specified":
            shares: list[Json] = [{"num": repr(weight), "den": 1} for weight in plan.weights]
            return step(
                "wt-cash-specified", *({**c, "weight": share} for c, share in zip(children, shares, strict=True))
            )
        case "filter":
            ranked: Step = {"sort-by-fn": plan.metric, "sort-by-fn-params": {"window": plan.window}}
            return {**step("filter", *children), **ranked, "select-fn": plan.end, "select-n": plan.count}
        case _:
            assert plan.ask is not None
            return step("if", {**step("if-child", children[0]), "condition": _block(plan.ask)}, otherwise(children[1]))


def _block(ask: Ask) -> Step:
    if ask.parts:
        return {"condition-type": "compound", "operator": ask.kind, "conditions": [_block(part) for part in ask.parts]}

    def side(of: Read | float) -> Step:
        if isinstance(of, Read):
            return {"fn": of.metric, "ticker": of.symbol, "params": {"window": of.window}}
        return {"constant": of}

    name = {">": "gt", "<": "lt", ">=": "gte", "<=": "lte", "=": "eq"}[ask.kind]
    return {"condition-type": "binary", "comparator": name, "lhs": side(ask.left), "rhs": side(ask.right)}
