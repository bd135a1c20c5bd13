"""A thousand brackets inside each other are read, evaluated and printed, in both forms; one more is refused."""

import json
import re
from collections.abc import Callable

import numpy as np
import pytest

from alchemiser_strategy.engine.explain import explain
from alchemiser_strategy.engine.graph import lay_out
from alchemiser_strategy.engine.history import history
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers import ParsedSymphony, parse_composer, parse_symphony, to_symphony
from unit.strategy.cases import bars_of
from unit.strategy.parsers.composer_steps import OVER_79, A, B, asked, otherwise

LIMIT = 1000
NAMED_B = f'(asset "B" "{"[{(" * LIMIT}")'
"""Brackets in a string are no nesting."""
IF = '{"step":"if","children":[' + json.dumps(asked(A)) + ","
ALL = '{"condition-type":"compound","operator":"all","conditions":[' + json.dumps(OVER_79) + ","
CONDITION = '{"step":"if","children":[' + json.dumps(asked(A))[:-1] + ',"condition":'

type Parser = Callable[[str, str], ParsedSymphony]


def deepest(text: str) -> int:
    depth = most = 0
    for character in re.sub(r'"[^"]*"', "", text):
        depth += (character in "([{") - (character in ")]}")
        most = max(most, depth)
    return most


def text_of(body: str, depth: int) -> str:
    """The body inside of as many brackets as are missing."""
    missing = depth - deepest(body)
    return "(weight-equal " * missing + body + ")" * missing


def json_of(body: str, depth: int) -> str:
    """The body with a field that describes nothing and is that deep."""
    return '{"x":' + "[" * (depth - 1) + "]" * (depth - 1) + "," + body[1:]


TEXT_IFS = '(if (> (rsi "SPY" 10) 79) [(asset "A")] [' * 499 + NAMED_B + "])" * 499
TEXT_CONDITIONS = "(if " + "(not " * 996 + '(> (rsi "SPY" 10) 79)' + ")" * 996 + f' [(asset "A")] [{NAMED_B}])'
JSON_IFS = (IF + '{"step":"if-child","is-else-condition?":true,"children":[') * 249 + json.dumps(B) + "]}]}" * 249
JSON_CONDITIONS = (
    CONDITION
    + ALL * 497
    + json.dumps(OVER_79)
    + "]}" * 497
    + "},"
    + json.dumps(otherwise({**B, "name": "[{" * LIMIT}))
    + "]}"
)
FORMS = [
    pytest.param(parse_symphony, text_of, TEXT_IFS, 999, id="text-ifs"),
    pytest.param(parse_symphony, text_of, TEXT_CONDITIONS, 999, id="text-conditions"),
    pytest.param(parse_composer, json_of, JSON_IFS, 997, id="json-ifs"),
    pytest.param(parse_composer, json_of, JSON_CONDITIONS, 1000, id="json-conditions"),
]


@pytest.mark.parametrize(("parse", "padded", "body", "own"), FORMS)
def test_the_deepest_strategy_goes_through_everything(
    parse: Parser, padded: Callable[[str, int], str], body: str, own: int
) -> None:
    text = padded(body, LIMIT)
    assert (deepest(body), deepest(text)) == (own, LIMIT)
    symphony = parse(text, "deep")
    assert lay_out(symphony.root).symbols == ("A", "B", "SPY")
    bars = bars_of({name: 100 + np.arange(60.0) for name in ("A", "B", "SPY")})
    weights = explain(symphony, bars).weights
    past = history(symphony, bars)
    assert weights == {name: w for name, w in zip(past.symbols, past.weights[-1].tolist(), strict=True) if w}
    assert deepest(to_symphony(symphony)) > own / 3, "all of it must be printed"


@pytest.mark.parametrize(("parse", "padded", "body", "own"), FORMS)
def test_one_level_more_is_refused_with_depth_and_limit(
    parse: Parser, padded: Callable[[str, int], str], body: str, own: int
) -> None:
    with pytest.raises(
        StrategyError, match=r"^deep:.*brackets are nested 1001 deep; a symphony may nest 1000 at most$"
    ):
        parse(padded(body, LIMIT + 1), "deep")


@pytest.mark.parametrize(("parse", "opener"), [(parse_symphony, "("), (parse_composer, "["), (parse_composer, '{"a":')])
def test_brackets_that_never_end_are_refused_early(parse: Parser, opener: str) -> None:
    with pytest.raises(StrategyError, match="brackets are nested 300000 deep; a symphony may nest 1000"):
        parse(opener * 300_000, "deep")
