"""Both interpreters read a tree alike: random trees over random bars, with ties, late listings and gaps."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alchemiser_strategy.bars import Bars, Floats
from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.engine.explain import explain
from alchemiser_strategy.engine.history import history
from alchemiser_strategy.engine.nodes import Condition, Portfolio, Symphony
from alchemiser_strategy.strategy import TreeStrategy
from unit.strategy.cases import sessions
from unit.strategy.reference import Plan, Reference

SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
SCALE_FREE = ("rsi", "cumulative-return", "stdev-return", "moving-average-return", "max-drawdown", "rsi-volatility")
IN_PRICES = ("current-price", "moving-average-price", "exponential-moving-average-price", "stdev-price")
metrics = st.tuples(st.sampled_from([*SCALE_FREE, *IN_PRICES]), st.integers(2, 9))
symbols = st.sampled_from(SYMBOLS)
comparisons = st.tuples(
    st.just("compare"),
    st.sampled_from([">", "<", ">=", "<=", "=", "!="]),
    metrics,
    symbols,
    st.one_of(symbols, st.sampled_from([0.0, 1.0, 50.0, 100.0])),
)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.just("not"), inner),
    ),
    max_leaves=3,
)


def _over(inner: st.SearchStrategy[Plan], ranked: Any = metrics) -> st.SearchStrategy[Plan]:
    several = st.lists(inner, min_size=1, max_size=4)
    return st.one_of(
        st.tuples(st.just("equal"), several),
        st.tuples(st.just("specified"), several),
        st.tuples(st.just("inverse"), st.integers(2, 5), several),
        st.tuples(st.just("if"), conditions, inner, inner),
        st.tuples(st.just("filter"), ranked, st.sampled_from(["top", "bottom"]), st.integers(1, 3), several),
    )


def _holds(plan: object) -> bool:
    """Whether a plan names an asset: nothing but cash is no strategy."""
    return isinstance(plan, (tuple, list)) and (plan[:1] == ("asset",) or any(map(_holds, plan)))


assets = st.tuples(st.just("asset"), symbols)
leaves = st.one_of(assets, assets, assets, st.just(("cash",)))
portfolios = st.recursive(leaves, _over, max_leaves=9).filter(_holds)


def build(plan: Plan) -> Symphony:
    builder = Builder()
    return builder.symphony("random", _portfolio(builder, plan))


def _portfolio(b: Builder, plan: Plan) -> Portfolio:
    match plan:
        case ("asset", symbol):
            return b.asset(symbol)
        case ("cash",):
            return b.cash()
        case ("equal", children):
            return b.weight_equal([_portfolio(b, child) for child in children])
        case ("specified", children):
            return b.weight_specified(range(1, len(children) + 1), [_portfolio(b, child) for child in children])
        case ("inverse", window, children):
            return b.weight_inverse_volatility(window, [_portfolio(b, child) for child in children])
        case ("if", condition, then, otherwise):
            return b.if_(_condition(b, condition), _portfolio(b, then), _portfolio(b, otherwise))
        case ("filter", (name, window), select, k, children):
            return b.filter_(name, window, select, k, [_portfolio(b, child) for child in children])
    raise AssertionError(plan)


def _condition(b: Builder, plan: Plan) -> Condition:
    match plan:
        case ("compare", operator, (name, window), left, right):
            other = b.indicator(name, right, window) if isinstance(right, str) else b.number(right)
            return b.compare(operator, b.indicator(name, left, window), other)
        case ("and", parts):
            return b.and_([_condition(b, part) for part in parts])
        case ("or", parts):
            return b.or_([_condition(b, part) for part in parts])
        case ("not", part):
            return b.not_(_condition(b, part))
    raise AssertionError(plan)


def closes_of(seed: int, days: int, late: list[int], gap: int) -> Floats:
    """Coarse walks, so that equal values and unchanged closes are common."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(-2, 3, (days, len(SYMBOLS)))
    closes = np.maximum(20.0 + np.cumsum(steps, axis=0), 1.0)
    for column, first in enumerate(late):
        closes[:first, column] = np.nan
    if gap:
        closes[gap % days, gap % len(SYMBOLS)] = np.nan
    return closes


markets = st.builds(
    closes_of,
    seed=st.integers(0, 10_000),
    days=st.integers(1, 40),
    late=st.lists(st.sampled_from([0, 0, 3, 12, 45]), min_size=4, max_size=4),
    gap=st.sampled_from([0, 0, 0, 7, 18, 25]),
)
thorough = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def market(closes: Floats, names: tuple[str, ...] = SYMBOLS) -> Bars:
    return Bars(sessions(len(closes)), names, closes)


@thorough
@given(portfolios, markets)
def test_explain_and_history_agree_on_every_day_bit_for_bit(plan: Plan, closes: Floats) -> None:
    symphony, bars = build(plan), market(closes)
    past = history(symphony, bars)
    for day in range(bars.days):
        today = explain(symphony, bars.until(day + 1))
        row = {s: float(w) for s, w in zip(past.symbols, past.weights[day], strict=True) if w > 0}
        assert (today.weights is not None) == bool(past.known[day]), f"day {day}: known by one interpreter only"
        assert (today.weights or {}) == row, f"day {day}"
        assert today.weights is not None or today.explanation.unknown, "an unknown result must say what was missing"


@thorough
@given(portfolios, markets)
def test_weights_are_fractions_that_sum_to_one_or_the_day_is_unknown(plan: Plan, closes: Floats) -> None:
    past = history(build(plan), market(closes))
    assert (past.weights >= 0).all()
    held = past.weights.sum(axis=1)
    assert (held <= past.known + 1e-12).all()
    assert _mentions(plan, {"cash"}) or np.allclose(held, past.known, rtol=0, atol=1e-12)


@thorough
@given(portfolios, markets, st.permutations(range(len(SYMBOLS))), st.sampled_from([2.0**-20, 0.5, 2.0**30]))
def test_the_unit_of_prices_and_the_order_of_symbols_change_nothing(
    plan: Plan, closes: Floats, order: list[int], factor: float
) -> None:
    symphony = build(plan)
    if _mentions(plan, set(IN_PRICES)) and _mentions(plan, {0.0, 1.0, 50.0, 100.0, "filter"}):
        factor = 1.0  # a price against a number, or against a portfolio's level of 1: there the unit does matter
    before = history(symphony, market(closes))
    after = history(symphony, market(closes[:, order] * factor, tuple(SYMBOLS[column] for column in order)))
    assert np.array_equal(before.known, after.known)
    assert np.array_equal(before.weights, after.weights)


@thorough
@given(portfolios, markets, st.lists(st.sampled_from([0.25, 1.0, 8.0]), min_size=4, max_size=4))
def test_each_symbol_may_have_its_own_unit_where_only_scale_free_metrics_are_used(
    plan: Plan, closes: Floats, factors: list[float]
) -> None:
    if _mentions(plan, set(IN_PRICES)):
        return
    before, after = history(build(plan), market(closes)), history(build(plan), market(closes * factors))
    assert np.array_equal(before.weights, after.weights)


def _mentions(plan: object, words: set[Any]) -> bool:
    todo = [plan]
    while todo:
        item = todo.pop()
        if isinstance(item, (tuple, list)):
            todo += item
        elif not isinstance(item, int) and item in words:
            return True
    return False


def _funnels(plan: object) -> bool:
    """Whether a filter's only child is a filter: the reference has no such rule."""
    todo = [plan]
    while todo:
        item = todo.pop()
        if isinstance(item, tuple) and item[0] == "filter" and len(item[-1]) == 1:
            return True
        if isinstance(item, (tuple, list)):
            todo += item
    return False


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(portfolios.filter(lambda plan: not _funnels(plan)), st.integers(0, 10_000), st.integers(4, 26))
def test_both_agree_with_a_slow_and_simple_interpreter(plan: Plan, seed: int, days: int) -> None:
    rng = np.random.default_rng(seed)
    closes = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (days, len(SYMBOLS))), axis=0))
    closes[: seed % 7, seed % len(SYMBOLS)] = np.nan
    reference = Reference({symbol: closes[:, k].tolist() for k, symbol in enumerate(SYMBOLS)})
    past = history(build(plan), market(closes))
    for day in range(0, days, 3):
        expected = reference.weights(plan, day)
        row = {s: float(w) for s, w in zip(past.symbols, past.weights[day], strict=True) if w > 0}
        assert row == pytest.approx(expected or {}, abs=1e-9), f"day {day}"


scale_free = st.recursive(
    leaves, lambda inner: _over(inner, st.tuples(st.sampled_from(SCALE_FREE), st.integers(2, 9))), max_leaves=9
).filter(_holds)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(scale_free, st.integers(0, 10_000))
def test_the_bars_that_a_tree_asks_for_decide_what_all_of_history_decides(plan: Plan, seed: int) -> None:
    """A symbol's column begins where its need begins, each at another day; ranked portfolios are simulated as far."""
    rng = np.random.default_rng(seed)
    closes = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (900, len(SYMBOLS))), axis=0))
    strategy = TreeStrategy(build(plan))
    needed = strategy.universe
    assert max(needed.values()) < 900, "the whole history must be longer, or nothing is compared"
    loaded = closes.copy()
    for column, symbol in enumerate(SYMBOLS):
        loaded[: 900 - needed.get(symbol, 0), column] = np.nan
    whole, part = (explain(strategy.symphony, market(each)) for each in (closes, loaded[900 - max(needed.values()) :]))
    assert part.weights == pytest.approx(whole.weights, abs=1e-12)
    assert part.explanation.summary == whole.explanation.summary
    assert not part.explanation.unsettled


@pytest.mark.parametrize("depth", [5000])
def test_a_tree_of_depth_5000_is_evaluated_by_both(depth: int) -> None:
    b = Builder()
    node = b.asset("AAA")
    for level in range(depth):
        condition = b.compare(">", b.indicator("rsi", "BBB", 2 + level % 9), b.number(level % 100))
        node = b.if_(condition, b.asset("CCC"), node)
    symphony, bars = b.symphony("deep", node), market(closes_of(1, 30, [0, 0, 0, 0], 0))
    past, today = history(symphony, bars), explain(symphony, bars)
    assert dict(zip(past.symbols, past.weights[-1], strict=True))[next(iter(today.weights or {}))] == 1.0
