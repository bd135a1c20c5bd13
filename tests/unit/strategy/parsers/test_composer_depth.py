"""Exports that break readers: thousands of levels, trees that contain themselves."""

import json

import pytest

from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers import parse_composer, parse_composer_tree
from alchemiser_strategy.parsers.json_text import Json, decoded
from unit.strategy.parsers.composer_steps import OVER_79, A, B, C, Step, asked, choice, otherwise, step


def test_five_thousand_steps_in_each_other() -> None:
    depth = 5000
    lead = '{"step":"if","children":[' + json.dumps(otherwise(A)) + ',{"step":"if-child","is-else-condition?":false,'
    fields = json.dumps({key: value for key, value in asked().items() if key not in {"step", "children"}})[1:-1]
    text = f'{lead}{fields},"children":[' * depth + json.dumps(B) + "]}]}" * depth
    whole = parse_composer(text)
    assert (whole.stated, whole.distinct) == (5 * depth + 1, depth + 5)


def test_both_readers_of_json_read_the_same() -> None:
    value: Json = {"a": [1, -2.5e3, True, None, 'x\\u00e9\n"', {}, [], [[]]], "": {"b": {"c": []}}, "a ": "}]"}
    deep = "[" * 20_000 + json.dumps(value, indent=1) + "]" * 20_000
    found: Json = decoded(deep, "deep")
    for _ in range(20_000):
        assert isinstance(found, list)
        (found,) = found
    assert found == value


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        ("", "expected value or end"),
        ("1 2", "found 2; expected comma or end"),
        ("1,]", "found ]; expected value"),
        ("}", "found }; expected value or end"),
        ('{"a" 1}', "found 1; expected colon"),
        ('{"a":1,}', "found }; expected key"),
        ("{1:2}", "found 1; expected key or end"),
        ('{"a":1]', "found ]; expected comma or end"),
        ('"a', 'found "; expected value or end'),
        ("tru", "found tru; expected value or end"),
        ("NaN", "found NaN; expected value or end"),
        ("1" + "]" * 20_001, "found ]; expected end"),
        ("[" * 100_000, "nested more than 100000 deep"),
    ],
)
def test_the_deep_reader_says_where_json_ends(tail: str, words: str) -> None:
    with pytest.raises(StrategyError) as caught:
        parse_composer("[" * 20_000 + "\n" + tail, "x.json")
    message = str(caught.value)
    assert message.startswith("x.json:2:") or not tail
    assert words in message


def test_a_tree_that_contains_itself_is_refused() -> None:
    loop = step("group", A)
    loop["children"] = [A, step("wt-cash-equal", loop)]
    with pytest.raises(StrategyError, match=r"\$\.children\[1\]: wt-cash-equal: child 0 is a step that it is part of"):
        parse_composer_tree(loop, "loop")
    condition: Step = {"condition-type": "compound", "operator": "all"}
    condition["conditions"] = [OVER_79, condition]
    with pytest.raises(StrategyError, match="a condition contains itself"):
        parse_composer_tree(choice(asked(A, condition=condition)), "loop")


def test_a_part_that_is_used_twice_is_no_loop() -> None:
    part = step("group", A, B)
    tree = step("root", part, step("wt-cash-equal", part, C))
    assert parse_composer_tree(tree, "x").root.children[0].shares == (0.5, 0.5)  # type: ignore[union-attr]
