"""The forms in which people have a Composer symphony are one strategy, and what is wrong in it is found in the file."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers import load_symphony, parse_composer
from alchemiser_strategy.rules import rules_of
from alchemiser_strategy.strategy import TreeStrategy
from unit.strategy.parsers.composer_steps import A, B, Step, asked, asset, edn, otherwise, step
from unit.strategy.parsers.trees import PLANS, Plan, exported

TEXT = """(defsymphony "Mine" {:asset-class "EQUITIES", :rebalance-frequency weekly}
 (weight-equal
  [(if (> (rsi "SPY" {:window 10}) 79) [(asset "A")] [(asset "B")])
   (filter (rsi "10") (select-top 1) [(asset "A") (asset "B")])]))"""


def tree_with(last: Step) -> Step:
    """The strategy of TEXT, with this as what its `if` holds otherwise."""
    first = asked(step("group", A, name='a "quoted" \\ name é 😀'), lhs_window_days="10")
    ranked: Step = {"sort-by-fn": "relative-strength-index", "sort-by-window-days": "10", "select-fn": "top"}
    second = {**step("filter", A, B), **ranked, "select-n": "1"}
    body = step("wt-cash-equal", step("if", first, otherwise(last)), second)
    return step("root", body, id="x1", name="Mine", description="line\nbreak", rebalance="weekly")


def exports(tree: Step) -> dict[str, str]:
    """A tree in every form that people have it in, by the name of a file."""
    text = edn(tree)
    fields: Step = {"latest_version_edn": {"stringValue": text}, "n": {"integerValue": "1"}}
    return {
        "export.json": json.dumps(tree, indent=1),
        "map.edn": f"; as the editor shows it\n{text}",
        "quoted.edn": json.dumps(text),
        "lines in quotes.edn": json.dumps(text).replace("{:step :if-child", "\n{:step :if-child"),
        "quoted.json": json.dumps(json.dumps(tree)),
        "request.edn": f'{{:uid "u", :capital 10000, :apply-taf-fee? true, :symphony {text}, :more [{{:id "SPY"}}]}}',
        "request.json": json.dumps({"name": "Mine", "asset_class": "EQUITIES", "symphony": {"raw_value": tree}}),
        "answer.json": json.dumps({"score": tree, "id": "x1"}),
        "document.json": json.dumps({"name": "projects/p", "fields": fields}),
    }


FORMS = exports(tree_with(B))
TEXTS = {
    "text.clj": TEXT,
    "text in quotes.json": json.dumps(TEXT),
    "text in an answer.json": json.dumps({"symphony": TEXT}),
}


@pytest.mark.parametrize("name", FORMS | TEXTS)
def test_every_form_is_the_same_strategy(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text((FORMS | TEXTS)[name], "utf-8")
    found, meant = load_symphony(tmp_path / name), parse_composer(json.dumps(tree_with(B)))
    assert (found.name, found.rebalance) == ("Mine", meant.rebalance)
    assert rules_of(TreeStrategy(found)) == rules_of(TreeStrategy(meant))


@settings(max_examples=100, deadline=None)
@given(PLANS)
def test_an_edn_map_is_its_json(plan: Plan) -> None:
    tree, builder = exported(plan), Builder()
    assert parse_composer(edn(tree), builder=builder).root is parse_composer(json.dumps(tree), builder=builder).root


@pytest.mark.parametrize(
    "value", ["weekly", ":weekly", '"weekly"', "#word weekly", "; a comment\n:weekly", ',,"weekly",']
)
def test_a_word_may_be_written_in_many_ways(value: str) -> None:
    whole = parse_composer(f"{{:step root :name nil :tags #{{:a}} :rebalance {value} :children ({edn(A)})}}", "f.edn")
    assert (whole.rebalance.frequency.value, whole.name) == ("weekly", "f")


@pytest.mark.parametrize(("name", "text"), exports(tree_with({"mark": "HERE", **asset("CRYPTO::BTC//USD")})).items())
def test_the_place_of_an_error_is_the_files(name: str, text: str) -> None:
    brace = text.rindex("{", 0, text.index("HERE"))
    line, column = text.count("\n", 0, brace) + 1, brace - text.rfind("\n", 0, brace)
    with pytest.raises(StrategyError, match="asset class CRYPTO") as caught:
        parse_composer(text, name)
    assert str(caught.value).startswith(f"{name}:{line}:{column}: $")
    assert ".children[0].children[0].children[1].children[0]: asset: " in str(caught.value)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("{:step :root,\n :children [}", "2:13", "found '}'; expected ']' to close the '[' of line 2:12"),
        ("{:step :root,\n :children [", "2:12", "'[' opened here is never closed"),
        ('{:step :root\n :name "x}', "2:8", "the string opened here is never closed"),
        ("{:step :root\n :name}", "2:2", "a map has a key without a value"),
        ("{:step :root\n name 5}", "2:2", "a map has the key name; expected a keyword"),
        ("{:step :root\n :step :root}", "2:2", "the key :step is given twice"),
        ("{:step :root\n #_ :name}", "2:2", "expected no form that is left out"),
        ("{:step : root}", "1:8", "found ':'; expected a keyword"),
        ('{:step "\\q"}', "1:8", "string has the escape \\q"),
        ("{:step :root} {:step :root}", "1:15", "found 2 values; expected one map"),
        ("{:step :root} }", "1:15", "'}' closes nothing"),
        ('{"symphony": "{:step :root, :children"}', "1:15", "never closed"),
        ('{"a": 1,\n "symphony": "{:s \\"\\u00e9\\" :b \\ud83d\\ude00 5}"}', "2:46", "a map has the key 5"),
        ('{"symphony": {"step": "root"}, "score": {"step": "root"}}', "1:1", "$: has both symphony and score"),
        ('{"asset_class": "CRYPTO",\n "symphony": {"raw_value": {}}}', "1:1", "asset_class is 'CRYPTO'; only EQUITIES"),
        (
            '{"name": "S", "incantation": {"incantation_type": "Ticker", "symbol": "SPY"}}',
            "1:1",
            "a spell of QuantMage",
        ),
        ('{"symphony":\n {"a": {}}}', "2:2", "$.symphony: None: unknown step null"),
    ],
)
def test_what_is_no_symphony_is_named_with_its_place(text: str, place: str, words: str) -> None:
    with pytest.raises(StrategyError) as caught:
        parse_composer(text, "x")
    assert str(caught.value).startswith(f"x:{place}: "), caught.value
    assert words in str(caught.value)
