"""The builder makes one node of equal content, keeps the language's meaning, and refuses what has none."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from alchemiser_common.errors import PermanentError
from alchemiser_strategy.engine import text
from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.engine.explain import explain
from alchemiser_strategy.engine.graph import lay_out
from alchemiser_strategy.engine.history import history
from alchemiser_strategy.engine.nodes import Condition, Portfolio, Ties
from alchemiser_strategy.errors import StrategyError
from unit.strategy.cases import bars_of

RISING, FALLING, FLAT = np.linspace(10, 20, 80), np.linspace(20, 10, 80), np.full(80, 15.0)
BARS = bars_of({"A": RISING, "B": FALLING, "C": FLAT})


def hot(b: Builder) -> Condition:
    return b.compare(">", b.indicator("rsi", "A"), b.number(70))


def held(b: Builder, root: Portfolio) -> dict[str, float]:
    symphony = b.symphony("test", root)
    weights = explain(symphony, BARS).weights
    past = history(symphony, BARS)
    assert weights == {s: w for s, w in zip(past.symbols, past.weights[-1], strict=True) if w > 0}
    return dict(weights or {})


def test_equal_content_is_one_node_whatever_it_is_called() -> None:
    b = Builder()
    one = b.group("one", [b.if_(hot(b), b.asset("A", "Apple"), [b.asset("B"), b.asset("C")])])
    two = b.weight_equal([b.group("two", [b.if_(hot(b), b.asset("A"), [b.asset("B", "Bee"), b.asset("C")])])])
    assert one is two
    symphony = b.symphony("both", b.weight_equal([one, two]))
    assert len(lay_out(symphony.root).nodes) == 6
    assert symphony.labels[one] == "one"
    assert symphony.stated > 10


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (lambda b: b.weight_equal([b.asset("A"), b.asset("A"), b.asset("B")]), {"A": 2 / 3, "B": 1 / 3}),
        (lambda b: b.weight_specified([60, 40], [b.asset("A"), b.asset("B")]), {"A": 0.6, "B": 0.4}),
        (lambda b: b.weight_specified([0.6, 0.2], [b.asset("A"), b.asset("B")]), {"A": 0.75, "B": 0.25}),
        (lambda b: b.weight_specified([0, 5], [b.asset("A"), b.asset("B")]), {"B": 1.0}),
        (lambda b: b.filter_("rsi", 5, "top", 9, [b.asset("A"), b.asset("B")]), {"A": 0.5, "B": 0.5}),
        (lambda b: b.filter_("rsi", 5, "top", 1, [b.asset("A"), b.asset("B")]), {"A": 1.0}),
        (lambda b: b.filter_("rsi", 5, "bottom", 2, [b.asset("B"), b.asset("B"), b.asset("C")]), {"B": 0.5, "C": 0.5}),
        (
            lambda b: b.filter_(
                "rsi", 5, "bottom", 1, [b.filter_("rsi", 5, "top", 2, [b.asset("A"), b.asset("B"), b.asset("C")])]
            ),
            {"C": 1.0},
        ),
        (lambda b: b.weight_inverse_volatility(10, [b.asset("A"), b.asset("C")]), {"C": 1.0}),
        (lambda b: b.weight_inverse_volatility(10, [b.asset("A")]), {"A": 1.0}),
        (lambda b: b.if_(b.not_(hot(b)), b.asset("A"), b.asset("B")), {"B": 1.0}),
        (
            lambda b: b.if_(b.compare("=", b.indicator("rsi", "A", 9), b.number(100)), b.asset("A"), b.asset("B")),
            {"A": 1.0},
        ),
        (
            lambda b: b.if_(b.compare("=", b.indicator("rsi", "C", 9), b.number(50)), b.asset("A"), b.asset("B")),
            {"A": 1.0},
        ),
        (
            lambda b: b.if_(
                b.compare(">", b.indicator("current-price", "C"), b.indicator("moving-average-price", "C", 37)),
                b.asset("A"),
                b.asset("B"),
            ),
            {"B": 1.0},
        ),
        (lambda b: b.asset("EQUITIES::A//USD"), {"A": 1.0}),
    ],
)
def test_golden_vectors(tree: Callable[[Builder], Portfolio], expected: dict[str, float]) -> None:
    b = Builder()
    assert held(b, tree(b)) == pytest.approx(expected, abs=1e-15)


def test_ties_go_to_the_alphabet_unless_the_rule_lists_its_own_order() -> None:
    b = Builder()
    twins = bars_of({"B": RISING, "A": RISING})
    alphabetical = b.filter_("rsi", 5, "top", 1, [b.asset("B"), b.asset("A")])
    listed = b.filter_("rsi", 5, "top", 1, [b.asset("B"), b.asset("A")], ties=Ties.LISTED)
    assert explain(b.symphony("x", alphabetical), twins).weights == {"A": 1.0}
    assert explain(b.symphony("x", listed), twins).weights == {"B": 1.0}


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (lambda b: b.indicator("rsi", "A", 0), "rsi window is 0; it must be a whole number from 1 to 10000"),
        (lambda b: b.indicator("rsi", "A", -3), "rsi window is -3"),
        (lambda b: b.indicator("rsi", "A", 10**12), "rsi window is 1000000000000"),
        (lambda b: b.indicator("rsi", "A", "ten"), "rsi window is 'ten'"),
        (lambda b: b.indicator("rsi", "A", "1.5"), "rsi window is '1.5'"),
        (lambda b: b.indicator("stdev-return", "A", 1), "at least 2"),
        (lambda b: b.indicator("rsii", "A", 3), "unknown metric 'rsii'; known metrics: cumulative-return,"),
        (lambda b: b.indicator("rsi", "A", {"length": 3}), "rsi has no option 'length'; its options: window"),
        (lambda b: b.asset("not a ticker"), "symbol 'not a ticker' is no ticker"),
        (lambda b: b.number(float("nan")), "not finite"),
        (lambda b: b.compare("=>", b.number(1), b.number(2)), "unknown comparison '=>'"),
        (lambda b: b.if_(hot(b), b.asset("A"), None), "no else branch"),
        (lambda b: b.if_(hot(b), b.asset("A"), []), "no else branch"),
        (lambda b: b.weight_equal([]), "weight-equal is empty"),
        (lambda b: b.group("nothing", []), "group 'nothing' is empty"),
        (lambda b: b.weight_specified([1, -1], [b.asset("A"), b.asset("B")]), "weight -1"),
        (lambda b: b.weight_specified([0, 0], [b.asset("A"), b.asset("B")]), "sum to 0"),
        (lambda b: b.weight_specified([1], [b.asset("A"), b.asset("B")]), "1 weights for 2 children"),
        (lambda b: b.weight_inverse("rsi", 5, [b.asset("A"), b.asset("B")]), "no measure of risk"),
        (lambda b: b.filter_("rsi", 5, "top", 0, [b.asset("A")]), "select-top is 0"),
        (lambda b: b.filter_("rsi", 5, "middle", 1, [b.asset("A")]), "'middle'"),
        (lambda b: b.filter_("rsi", 5, "top", 1, []), "no candidates"),
        (lambda b: b.and_([]), "and is empty"),
        (lambda b: b.symphony("x", b.asset("A"), frequency="hourly"), "unknown rebalance frequency 'hourly'"),
        (lambda b: b.symphony("x", b.asset("A"), threshold=1.5), "threshold is 1.5"),
        (lambda b: b.symphony("x", b.asset("A"), threshold=0.1, frequency="daily"), "not both"),
    ],
)
def test_what_means_nothing_is_refused_and_the_reason_is_clear(
    broken: Callable[[Builder], Any], complaint: str
) -> None:
    with pytest.raises(StrategyError) as caught:
        broken(Builder())
    assert complaint in str(caught.value)
    assert isinstance(caught.value, PermanentError)


def test_parts_of_two_builders_do_not_mix() -> None:
    with pytest.raises(StrategyError, match="made by another builder"):
        Builder().weight_equal([Builder().asset("A"), Builder().asset("B")])


def test_windows_may_be_text_and_have_defaults() -> None:
    b = Builder()
    assert b.indicator("rsi", "A", "14") is b.indicator("rsi", "A")
    ppo = b.indicator("percentage-price-oscillator", "A", {"short-window": 12, "long-window": "26"})
    assert ppo is b.indicator("percentage-price-oscillator", "A")


def test_a_deep_tree_can_be_built_shared_and_printed() -> None:
    b = Builder()

    def deep() -> tuple[Portfolio, Condition]:
        node, condition = b.asset("A"), hot(b)
        for level in range(5000):
            condition = b.or_([b.not_(condition), b.compare("<", b.indicator("rsi", "B"), b.number(level))])
            node = b.if_(condition if level == 4999 else hot(b), b.asset("C"), b.weight_equal([node, b.asset("B")]))
        return node, condition

    first, second = deep(), deep()
    assert first[0] is second[0]
    assert text.condition(first[1]).count("not (") == 5000
