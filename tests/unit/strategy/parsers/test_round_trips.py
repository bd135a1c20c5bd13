"""What is printed reads back as the same nodes, and both forms of one strategy are the same nodes."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers import parse_composer, parse_symphony, printer, to_symphony
from alchemiser_strategy.registry import built_in_strategies
from alchemiser_strategy.strategy import TreeStrategy
from unit.strategy.parsers.trees import PLANS, Plan, built, exported


@settings(max_examples=150, deadline=None)
@given(PLANS)
def test_a_tree_survives_being_printed(plan: Plan) -> None:
    builder = Builder()
    root = built(plan, builder)
    assert parse_symphony(to_symphony(root), builder=builder).root is root


@settings(max_examples=120, deadline=None)
@given(PLANS)
def test_an_export_and_its_text_are_the_same_strategy(plan: Plan) -> None:
    builder = Builder()
    whole = parse_composer(json.dumps(exported(plan)), builder=builder)
    assert whole.root is built(plan, builder)
    again = parse_symphony(to_symphony(whole), builder=builder)
    assert again.root is whole.root
    assert (again.stated, again.distinct) == (whole.stated, whole.distinct)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=40))
def test_any_weights_survive_being_printed(weights: list[float]) -> None:
    builder = Builder()
    root = builder.weight_specified(weights, [builder.asset(f"A{at}") for at in range(len(weights))])
    assert parse_symphony(to_symphony(root), builder=builder).root is root


def test_weights_that_people_write_are_printed_as_percentages() -> None:
    text = '(weight-specified 60 (asset "A" nil) 15.5 (asset "B" nil) 24.5 (asset "C" nil))'
    assert to_symphony(parse_symphony(text).root).split() == text.split()


@pytest.mark.parametrize("options", [":rebalance-frequency :quarterly", ":rebalance-threshold 0.05"])
def test_a_whole_symphony_keeps_name_schedule_and_labels(options: str) -> None:
    text = (
        '(defsymphony "A \\"name\\"" {' + options + "}"
        ' (group "first" [(if (and (not (> (rsi "S") 1)) (< 1e300 -.5)) [(asset "A" "Alpha")]'
        ' [(group "x" [(asset "B")])])]))'
    )
    one = parse_symphony(text)
    two = parse_symphony(to_symphony(one))
    assert (two.name, two.rebalance, to_symphony(two)) == (one.name, one.rebalance, to_symphony(one))
    assert sorted(two.labels.values()) == ["Alpha", "first", "x"]


def test_a_filter_over_a_filter_and_every_window_survive() -> None:
    builder = Builder()
    pool = builder.filter_("rsi", 10, "top", 3, [builder.asset(symbol) for symbol in "DBCA"])
    root = builder.filter_("percentage-price-oscillator-signal", {"smooth-window": 5}, "bottom", 1, [pool])
    assert parse_symphony(to_symphony(root), builder=builder).root is root


def test_the_extensions_survive() -> None:
    builder = Builder()
    assets = [builder.asset(symbol) for symbol in "BA"]
    for root in (
        builder.weight_inverse("max-drawdown", 10, assets),
        builder.filter_("rsi", 10, "top", 1, assets, ties=n.Ties.LISTED),
        builder.weight_equal([*assets, builder.cash()]),
    ):
        assert parse_symphony(to_symphony(root), builder=builder).root is root


@pytest.mark.parametrize("name", sorted(built_in_strategies()))
def test_a_built_in_strategy_can_be_written_down_and_read_back(name: str) -> None:
    strategy = built_in_strategies()[name]()
    assert isinstance(strategy, TreeStrategy)
    once = parse_symphony(to_symphony(strategy.symphony))
    twice = parse_symphony(to_symphony(once))
    assert to_symphony(twice) == to_symphony(strategy.symphony)
    assert TreeStrategy(once).universe == strategy.universe


def test_sharing_that_text_cannot_hold_is_an_error_and_not_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printer, "MAX_CHARACTERS", 1_000_000)
    builder = Builder()
    root: n.Portfolio = builder.asset("A")
    for _ in range(200):
        root = builder.weight_equal([root, root])
    with pytest.raises(StrategyError, match="its shared parts are too many"):
        to_symphony(root)


def test_a_deep_tree_survives_being_printed() -> None:
    builder = Builder()
    root: n.Portfolio = builder.asset("A")
    for level in range(490):
        root = builder.if_(builder.compare(">", builder.number(level), builder.number(1)), root, builder.asset("B"))
    assert parse_symphony(to_symphony(root), builder=builder).root is root


def test_numbers_are_exact() -> None:
    builder = Builder()
    for value in (0.1, 1 / 3, 1e16, 123456789012345680.0, 5e-324, math.nextafter(70, 71), -2.5):
        condition = builder.compare(">", builder.indicator("rsi", "S"), builder.number(value))
        root = builder.if_(condition, builder.asset("A"), builder.asset("B"))
        assert parse_symphony(to_symphony(root), builder=builder).root is root
