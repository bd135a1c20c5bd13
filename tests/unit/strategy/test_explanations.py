"""An explanation says what was compared and ranked, what was missing, and what a small move would change."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alchemiser_common.messages.decision import ConditionStep, RankingStep, UnknownReading
from alchemiser_strategy.bars import Bars
from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.engine.explain import explain
from alchemiser_strategy.engine.indicators import MOVE
from alchemiser_strategy.engine.nodes import Symphony
from unit.strategy.cases import bars_of, sessions
from unit.strategy.reference import Plan
from unit.strategy.test_interpreters import SYMBOLS, build, closes_of, portfolios


def pushed(bars: Bars, symbol: str, factor: float) -> Bars:
    closes = bars.closes.copy()
    closes[-1, bars.position[symbol]] *= factor
    return Bars(bars.dates, bars.symbols, closes)


def _glides(plan: object) -> bool:
    todo = [plan]
    while todo:
        item = todo.pop()
        if isinstance(item, (tuple, list)):
            todo += item
        elif item == "inverse":
            return True
    return False


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(portfolios.filter(lambda plan: not _glides(plan)), st.integers(0, 10_000), st.integers(4, 40))
def test_a_decision_is_fragile_exactly_if_some_small_move_of_one_close_changes_it(
    plan: Plan, seed: int, days: int
) -> None:
    noise = 1 + 3e-4 * np.random.default_rng(seed).normal(size=(days, len(SYMBOLS)))
    symphony, bars = build(plan), Bars(sessions(days), SYMBOLS, closes_of(seed, days, [0, 0, 0, 0], 0) * noise)
    verdict = explain(symphony, bars)
    if verdict.weights is None:
        assert not verdict.explanation.fragile
        return
    moves = [pushed(bars, symbol, factor) for symbol in SYMBOLS for factor in (1 + MOVE, 1 - MOVE)]
    others = [moved for bars_ in moves if (moved := explain(symphony, bars_).weights) != verdict.weights]
    assert verdict.explanation.fragile == bool(others)
    otherwise = {item.symbol: item.weight for item in verdict.explanation.otherwise}
    if others and None not in others:
        assert otherwise in others, "what a fragile decision would have become is one of the brute-force outcomes"


def test_a_fragile_step_says_which_move_turns_it_and_what_would_follow() -> None:
    b = Builder()
    condition = b.compare(">", b.indicator("current-price", "AAA"), b.number(100))
    root = b.if_(condition, b.asset("AAA"), b.weight_equal([b.asset("BBB"), b.asset("CCC")]))
    bars = bars_of({"AAA": [99.0, 100.05], "BBB": [1.0, 1.0], "CCC": [1.0, 1.0]})
    explanation = explain(b.symphony("edge", root), bars).explanation
    (step,) = explanation.steps
    assert (step.fragile, step.turned_by) == (True, "AAA -0.1 %")
    assert {item.symbol: item.weight for item in explanation.otherwise} == {"BBB": 0.5, "CCC": 0.5}


def rotation() -> Symphony:
    b = Builder()
    ranking = b.filter_("cumulative-return", 3, "top", 1, [b.asset("AAA"), b.asset("BBB"), b.asset("NEW")])
    condition = b.and_(
        [
            b.compare(">", b.indicator("current-price", "AAA"), b.number(50)),
            b.compare("<", b.indicator("rsi", "BBB", 5), b.number(101)),
        ]
    )
    return b.symphony("rotation", b.if_(condition, b.group("winners", [ranking]), b.asset("BBB")))


def test_the_steps_are_the_path_in_the_strategys_own_words() -> None:
    bars = bars_of(
        {"AAA": [90.0, 95, 98, 100, 102, 104], "BBB": [100.0, 99, 98, 97, 99, 100], "NEW": [np.nan] * 4 + [1, 2]}
    )
    verdict = explain(rotation(), bars)
    assert verdict.weights == {"AAA": 1.0}
    first, second, ranking = verdict.explanation.steps
    assert isinstance(first, ConditionStep)
    assert (first.text, first.left, first.right, first.holds, first.margin) == (
        "current-price(AAA) > 50", 104.0, 50.0, True, 54.0,
    )  # fmt: skip
    assert isinstance(second, ConditionStep)
    assert second.text == "rsi(BBB, 5) < 101"
    assert isinstance(ranking, RankingStep)
    assert ranking.text == "top 1 by cumulative-return(3)"
    assert [(c.name, c.chosen) for c in ranking.candidates] == [("AAA", True), ("BBB", False), ("NEW", False)]
    assert ranking.candidates[0].value == pytest.approx(100 * (104 / 98 - 1))
    assert ranking.candidates[2].value is None
    left_out = UnknownReading(symbol="NEW", indicator="cumulative-return(3)", bars_had=2, bars_needed=4)
    assert verdict.explanation.unknown == (left_out,)


def test_what_is_unknown_is_named_with_the_bars_it_had_and_needs() -> None:
    verdict = explain(rotation(), bars_of({"AAA": [90.0, 95], "BBB": [100.0, 99]}))
    assert verdict.weights is None
    assert verdict.explanation.unknown == (UnknownReading(symbol="BBB", indicator="rsi(5)", bars_had=2, bars_needed=6),)
    assert verdict.explanation.summary == "no signal: rsi(5) of BBB has 2 of 6 bars"


def test_a_ranked_portfolio_is_named_by_its_label_and_measured_by_its_own_returns() -> None:
    b = Builder()
    pair = b.group("pair", [b.weight_equal([b.asset("AAA"), b.asset("BBB")])])
    root = b.filter_("cumulative-return", 2, "top", 1, [pair, b.asset("CCC")])
    bars = bars_of({"AAA": [100.0, 110, 121], "BBB": [100.0, 90, 81], "CCC": [100.0, 99, 99]})
    verdict = explain(b.symphony("pairs", root), bars)
    (step,) = verdict.explanation.steps
    assert isinstance(step, RankingStep)
    assert [c.name for c in step.candidates] == ["pair", "CCC"]
    assert step.candidates[0].value == pytest.approx(0.0, abs=1e-12), "rebalanced daily: +10 % and -10 % cancel"
    assert verdict.weights == {"AAA": 0.5, "BBB": 0.5}
