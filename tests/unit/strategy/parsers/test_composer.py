"""Every step of Composer's JSON export, as the form of the text that it is."""

import json

import pytest

from alchemiser_common.json_value import Json
from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.parsers import ParsedSymphony, parse_composer, parse_symphony
from unit.strategy.parsers.composer_steps import (
    OVER_79,
    QQQ_OVER_SPY,
    SPY_RSI,
    A,
    B,
    C,
    Step,
    asked,
    asset,
    choice,
    otherwise,
    step,
)


def read(tree: Json) -> ParsedSymphony:
    return parse_composer(json.dumps(tree), "x.json")


def same(tree: Json, text: str) -> bool:
    """Whether an export and a text are the same node."""
    builder = Builder()
    return parse_composer(json.dumps(tree), builder=builder).root is parse_symphony(text, builder=builder).root


IF_RSI = '(if (> (rsi "SPY" {:window 10}) 79) [(asset "A")] [(asset "B")])'


def test_a_root_has_name_and_schedule() -> None:
    whole = read(step("root", A, name="Mine", rebalance="weekly", id="x", description=""))
    assert (whole.name, whole.rebalance.frequency, whole.source) == ("Mine", n.Frequency.WEEKLY, "x.json")
    assert whole.labels == {whole.root: "A Fund"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, n.Rebalance()),
        ({"rebalance": None, "rebalance-corridor-width": None}, n.Rebalance()),
        ({"rebalance": "daily", "rebalance-corridor-width": 0.0}, n.Rebalance()),
        ({"rebalance": "annually"}, n.Rebalance(n.Frequency.YEARLY)),
        ({"rebalance": "none", "rebalance-corridor-width": 0.05}, n.Rebalance(threshold=0.05)),
        ({"rebalance": "none", "rebalance-corridor-width": "0.1"}, n.Rebalance(threshold=0.1)),
    ],
)
def test_rebalancing(fields: Step, expected: n.Rebalance) -> None:
    assert read({**step("root", A), **fields}).rebalance == expected


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (A, '(asset "A")'),
        (asset("EQUITIES::BRK/B//USD", children=[]), '(asset "BRK.B")'),
        (step("root", A, B), '(weight-equal [(asset "A") (asset "B")])'),
        (step("group", step("wt-cash-equal", A, B), name="g"), '(weight-equal [(asset "A") (asset "B")])'),
        (
            step("wt-cash-specified", {**A, "weight": {"num": "60", "den": 100}},
                 {**B, "weight": {"num": 40, "den": "100"}}),
            '(weight-specified 0.6 (asset "A") 0.4 (asset "B"))',
        ),
        (step("wt-inverse-vol", A, B, window_days="21"), '(weight-inverse-volatility 21 [(asset "A") (asset "B")])'),
        (
            step("filter", A, B, C, sort_by_fn="moving-average-return", sort_by_window_days="20",
                 select_fn="top", select_n="2"),
            '(filter (moving-average-return {:window 20}) (select-top 2) [(asset "A") (asset "B") (asset "C")])',
        ),
        (
            {
                **step("filter", A, B, sort_by_fn="standard-deviation-return", select_fn="bottom", select_n=1),
                "sort-by-fn-params": {"window": 5}, "select?": True, "sort-by?": True,
            },
            '(filter (stdev-return {:window 5}) (select-bottom 1) [(asset "A") (asset "B")])',
        ),
        (choice(asked(A)), IF_RSI),
        (choice(asked(A, lhs_fn_params={}, lhs_window_days="10")), IF_RSI),
        (choice(asked(A, lhs_fn_params=None, lhs_window_days=10, rhs_val=79.0)), IF_RSI),
        (choice({key: value for key, value in asked(A).items() if key != "rhs-fixed-value?"}), IF_RSI),
        (
            choice({**asked(A, rhs_fn="moving-average-price", rhs_val="QQQ", rhs_window_days="200",
                            lhs_fn="current-price", comparator="lte", lhs_fn_params={}, lhs_window_days=""),
                    "rhs-fixed-value?": False}),
            '(if (<= (current-price "SPY") (moving-average-price "QQQ" {:window 200})) [(asset "A")] [(asset "B")])',
        ),
        (
            choice(asked(A, lhs_fn="percentage-price-oscillator",
                         lhs_fn_params={"short-window": "5", "long-window": 26, "window": None})),
            IF_RSI.replace("rsi", "percentage-price-oscillator").replace(":window 10", ":short-window 5"),
        ),
        (
            step("if", asked(A), asked(B, comparator="lt", rhs_val=20), otherwise(C)),
            '(if (> (rsi "SPY" 10) 79) (asset "A") (if (< (rsi "SPY" 10) 20) (asset "B") (asset "C")))',
        ),
        (step("if", otherwise(B), asked(A)), IF_RSI),
    ],
)  # fmt: skip
def test_steps_are_the_forms_of_the_text(tree: Json, text: str) -> None:
    assert same(tree, text)


@pytest.mark.parametrize(("name", "sign"), [("gt", ">"), ("gte", ">="), ("lt", "<"), ("lte", "<="), ("eq", "=")])
def test_comparators(name: str, sign: str) -> None:
    assert same(choice(asked(A, comparator=name)), IF_RSI.replace("(> ", f"({sign} "))


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("relative-strength-index", "rsi"),
        ("rsi", "rsi"),
        ("standard-deviation-return", "stdev-return"),
        ("standard-deviation-price", "stdev-price"),
        *(
            (name, name)
            for name in ("max-drawdown", "cumulative-return", "moving-average-price", "moving-average-return")
        ),
        ("exponential-moving-average-price", "exponential-moving-average-price"),
    ],
)
def test_metrics(name: str, metric: str) -> None:
    assert same(choice(asked(A, lhs_fn=name)), IF_RSI.replace("(rsi", f"({metric}"))


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (OVER_79, '(> (rsi "SPY" {:window 10}) 79)'),
        (QQQ_OVER_SPY, '(> (rsi "QQQ" {:window 10}) (rsi "SPY" {:window 10}))'),
        (
            {"condition-type": "compound", "operator": "all", "conditions": [
                {"condition-type": "compound", "operator": "any", "conditions": [QQQ_OVER_SPY, OVER_79]}, OVER_79]},
            '(and (or (> (rsi "QQQ" 10) (rsi "SPY" 10)) (> (rsi "SPY" 10) 79)) (> (rsi "SPY" 10) 79))',
        ),
        (
            {**OVER_79, "condition-type": "binary-compound", "operator": "any", "tickers": ["SPY", "QQQ"],
             "lhs": {**SPY_RSI, "ticker": "%"}},
            '(or (> (rsi "SPY" {:window 10}) 79) (> (rsi "QQQ" {:window 10}) 79))',
        ),
    ],
)  # fmt: skip
def test_a_condition_block_is_what_counts(condition: Step, text: str) -> None:
    tree = choice(asked(A, condition=condition, comparator="lt", rhs_val="1"))
    assert same(tree, f'(if {text} [(asset "A")] [(asset "B")])')


def test_an_empty_block_is_cash() -> None:
    whole = read(step("wt-cash-equal", A, {"step": "empty", "id": "1"}))
    assert isinstance(whole.root, n.Weighted)
    assert isinstance(whole.root.children[1], n.Cash)
    assert whole.warnings == ("x.json:1:123: $.children[1]: empty block: its share stays in cash",)


def test_warnings_name_the_place_and_the() -> None:
    whole = read(step("root", A, step("filter", B, B, sort_by_fn="rsi", select_fn="top", select_n=3)))
    assert whole.warnings == (
        "x.json:1:114: $.children[1]: filter lists an asset more than once; it competes once",
        "x.json:1:114: $.children[1]: filter select-top 3 keeps all 1 candidates",
    )
