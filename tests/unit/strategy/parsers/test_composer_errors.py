"""What is said about an export that makes no sense: source, JSON path, step, expectation."""

import json
import re

import pytest

from alchemiser_common.json_value import Json
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers import parse_composer
from unit.strategy.parsers.composer_steps import OVER_79, A, B, Step, asked, asset, choice, otherwise, step


def complaint(text: str) -> str:
    with pytest.raises(StrategyError) as caught:
        parse_composer(text, "x.json")
    return str(caught.value)


def changed(**fields: Json) -> Step:
    return choice(asked(A, **fields))


@pytest.mark.parametrize(
    ("tree", "where", "words"),
    [
        ([], "$: None", "found a list; expected an object with a step"),
        ("root", "$: None", "found 'root'; expected an object"),
        ({}, "$: None", "unknown step null; expected one of group, if, if-child, filter"),
        (step("root"), "$: root", "children is empty; expected a list of steps"),
        ({"step": "root", "children": {"a": 1}}, "$: root", "children is an object; expected a list"),
        (step("root", step("wt-marketcap", A)), "$.children[0]: wt-marketcap", "unknown step 'wt-marketcap'"),
        (step("root", {"step": "empty"}), "$: root", "names no asset: it would hold nothing but cash"),
        (step("root", A, asset_class="CRYPTO"), "$: root", "asset-class is 'CRYPTO'; only EQUITIES can be held"),
        ({**step("root", A), "asset_classes": ["EQUITIES", "CRYPTO"]}, "$: root", "asset_classes is 'CRYPTO'; only"),
        (step("root", A, asset("CRYPTO::BTC//USD")), "$.children[1]: asset", "is of the asset class CRYPTO; only"),
        (step("wt-cash-specified", {**A, "weight": {"num": 60, "den": 100}}, {**B, "weight": {"num": "4", "den": 100}}),
         "$: wt-cash-specified", "weights that sum to 0.64; they must sum to 1 or to 100"),
        (step("root", step("root", A)), "$.children[0]: root", "unknown step 'root'; expected one of"),
        ({"step": "root", "children": [A, 5]}, "$.children[1]: None", "found 5; expected an object"),
        (step("root", A, rebalance=5), "$: root", "rebalance is 5; expected daily or the like"),
        (step("root", A, rebalance="hourly"), "$: root", "unknown rebalance frequency 'hourly'"),
        (step("root", A, rebalance="none"), "$: root", "expected a rebalance-corridor-width as well"),
        (step("root", A, rebalance_corridor_width="wide"), "$: root", "corridor-width is 'wide'; expected a number"),
        (step("root", A, rebalance="daily", rebalance_corridor_width=0.1), "$: root", "either a rebalance"),
        (step("root", A, rebalance="none", rebalance_corridor_width=5), "$: root", "must be a weight between 0 and 1"),
        (asset("spy"), "$: asset", "symbol 'spy' is no ticker"),
        ({"step": "asset"}, "$: asset", "ticker is null; expected a symbol"),
        (step("wt-cash-specified", A), "$: wt-cash-specified", "children[0].weight is null; expected {num, den}"),
        (step("wt-cash-specified", {**A, "weight": {"num": 1, "den": 0}}), "$: wt-cash-specified", "weight.den is 0.0"),
        (step("wt-cash-specified", {**A, "weight": {"num": -1, "den": 1}}), "$: wt-cash-specified", "0 or more"),
        (step("wt-cash-specified", {**A, "weight": {"num": True, "den": 1}}), "$: wt-cash-specified", "num is True"),
        (step("wt-inverse-vol", A, B), "$: wt-inverse-vol", "window-days is null; expected a number"),
        (step("wt-inverse-vol", A, B, window_days=0), "$: wt-inverse-vol", "must be a whole number from 1"),
        (step("filter", A, B), "$: filter", "sort-by-fn is null; expected the name of a metric"),
        (step("filter", A, sort_by_fn="alpha", select_fn="top", select_n=1), "$: filter", "unknown metric 'alpha'"),
        (step("filter", A, sort_by_fn="rsi", select_fn="best", select_n=1), "$: filter", "must be top or bottom"),
        (step("filter", A, sort_by_fn="rsi", select_fn="top", select_n=0), "$: filter", "filter select-top is 0"),
        (step("filter", A, sort_by_fn="rsi", select_fn="top"), "$: filter", "select-n is null; expected a number"),
        ({**step("filter", A, sort_by_fn="rsi", select_fn="top"), "select?": False}, "$: filter", "select? is false"),
        (step("group", asked(A)), "$: group", "has an if-child; expected it inside an if only"),
        (asked(A), "$: if-child", "found an if-child; expected root or a portfolio"),
        (step("if", A), "$: if", "has a child that is no if-child"),
        (step("if", asked(A)), "$: if", "has 1 conditions, 0 else branches"),
        (step("if", otherwise(A)), "$: if", "has 0 conditions, 1 else branches"),
        (step("if", asked(A), otherwise(B), otherwise(B)), "$: if", "2 else branches"),
        ({**choice(asked(A)), "children": [{**asked(A), "is-else-condition?": "no"}]}, "$.children[0]: if-child",
         "is-else-condition? is 'no'; expected true or false"),
        (changed(comparator="above"), "$.children[0]: if-child", "comparator is 'above'; expected one of gt, gte, lt"),
        (changed(comparator=["gt"]), "$.children[0]: if-child", "comparator is a list; expected one of"),
        (changed(lhs_val="CRYPTO::ETH//USD"), "$.children[0]: if-child", "is of the asset class CRYPTO"),
        (changed(lhs_fn="moving-average-convergence-divergence"), "$.children[0]: if-child", "is not published"),
        (changed(lhs_fn="macd"), "$.children[0]: if-child", "unknown metric 'macd'"),
        (changed(lhs_fn=None), "$.children[0]: if-child", "lhs-fn is null; expected the name of a metric"),
        (changed(lhs_val=7), "$.children[0]: if-child", "lhs-val is 7; expected a symbol"),
        (changed(lhs_fn_params=7), "$.children[0]: if-child", "lhs-fn-params is 7; expected an object of windows"),
        (changed(lhs_fn_params={"window": 0}), "$.children[0]: if-child", "rsi window is 0; it must be a whole number"),
        (changed(lhs_fn_params={"window": 1.5}), "$.children[0]: if-child", "rsi window is '1.5'"),
        (changed(lhs_fn_params={"days": 5}), "$.children[0]: if-child", "rsi has no option 'days'"),
        (changed(lhs_fn_params={"window": [5]}), "$.children[0]: if-child", "lhs-fn-params.window is a list"),
        (changed(rhs_val="SPY"), "$.children[0]: if-child", "rhs-val is 'SPY'; expected a number"),
        (changed(rhs_val=10**400), "$.children[0]: if-child", "expected a number of at most 308 digits"),
        (changed(rhs_fixed_value="x", **{"rhs-fixed-value?": 1}), "$.children[0]: if-child", "rhs-fixed-value? is 1"),
        (changed(condition=5), "$.children[0]: if-child", "condition is 5; expected an object"),
        (changed(condition={}), "$.children[0]: if-child", "condition-type is null; expected one of binary"),
        (changed(condition={**OVER_79, "rhs": 5}), "$.children[0]: if-child", "rhs is 5; expected an object with"),
        (changed(condition={"condition-type": "compound", "operator": "all"}), "$.children[0]: if-child",
         "conditions is null; expected a list"),
        (changed(condition={"condition-type": "compound", "operator": "xor", "conditions": [OVER_79]}),
         "$.children[0]: if-child", "operator is 'xor'; expected any or all"),
        (changed(condition={**OVER_79, "condition-type": "binary-compound"}), "$.children[0]: if-child",
         "tickers is null; expected a list"),
        (step("root", A, step("group", B, step("wt-cash-equal", A, asset("?")))),
         "$.children[1].children[1].children[1]: asset", "symbol '?' is no ticker"),
    ],
)  # fmt: skip
def test_errors_name_the_path_the_step_and_what_was_expected(tree: Json, where: str, words: str) -> None:
    message = complaint(json.dumps(tree))
    assert re.match(rf"x\.json:1:\d+: {re.escape(where)}: ", message), message
    assert words in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "x.json:1:1: this is no JSON: Expecting value"),
        ('{"step": "root",\n "children": [}', "x.json:2:15: this is no JSON"),
        ('{"step": NaN}', "NaN is no number"),
        ('{"step": ' + "9" * 5000 + "}", "this JSON cannot be used"),
        ("(asset)", "x.json:1:1: this is no JSON"),
    ],
)
def test_text_that_is_no_json(text: str, words: str) -> None:
    assert words in complaint(text)
