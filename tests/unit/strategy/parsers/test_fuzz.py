"""Whatever the text: a strategy or a StrategyError, soon."""

import json
import random
import re
import time
from collections.abc import Callable

import pytest

from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers import ParsedSymphony, parse_composer, parse_symphony
from alchemiser_strategy.parsers.tokens import tokens
from benchmarks.symphony_generator import symphony_of_size
from unit.strategy.parsers.composer_steps import OVER_79, A, B, C, asked, choice, edn, step

SYMBOLS = [f"S{number}" for number in range(30)]
TEXT = (
    '; a comment\n(defsymphony "fuzz \\"é\\" \\u00e9" {:asset-class "EQUITIES", :rebalance-threshold 0.05}\n'
    '(weight-specified .5 (if (and (> (rsi "SPY" {:window "10"}) 7.9e1) (not (< (current-price "A/B") -1.)))\n'
    '[(asset "EQUITIES::XLK//USD" nil) (group "g" [(asset "B" "b")])] [(asset "C")]) .5 (weight-inverse-volatility 5\n'
    '[(asset "D") (filter (max-drawdown {:window 5}) (select-bottom 1) [(asset "E") (asset "F")])])))\n'
)
TREE = step(
    "root",
    step(
        "wt-cash-specified",
        {**choice(asked(A, condition={"condition-type": "compound", "operator": "any", "conditions": [OVER_79]})),
         "weight": {"num": "60", "den": 100}},
        {**step("group", choice(asked(C)), name="é 😀"), "weight": {"num": 40, "den": 100}},
    ),
    step("filter", A, step("wt-inverse-vol", A, B, window_days="9"), sort_by_fn="rsi", select_fn="top", select_n="1"),
    name="fuzz", rebalance="none", rebalance_corridor_width=0.05,
)  # fmt: skip
JSON = json.dumps(TREE)
FORMS = [
    pytest.param(parse_symphony, TEXT, id="text"),
    pytest.param(parse_composer, JSON, id="json"),
    pytest.param(parse_composer, edn(TREE), id="edn"),
    pytest.param(parse_composer, json.dumps({"symphony": edn(TREE)}), id="edn in json"),
]

type Parser = Callable[[str, str], ParsedSymphony]


def survives(parse: Parser, text: str) -> bool:
    """Whether the text is a strategy; anything but a StrategyError with the source in it fails the test."""
    try:
        parse(text, "fuzz")
    except StrategyError as error:
        assert str(error).startswith("fuzz:")  # noqa: PT017 - most texts are errors, some are not
        return False
    return True


@pytest.mark.parametrize(("parse", "text"), FORMS)
def test_a_text_cut_at_any_byte_is_an_error(parse: Parser, text: str) -> None:
    assert survives(parse, text)
    whole = text.rstrip().encode()
    for end in range(len(whole)):
        assert not survives(parse, whole[:end].decode("utf-8", "replace")), f"cut at byte {end}"


@pytest.mark.parametrize(("parse", "text"), FORMS)
def test_changed_bytes_never_crash(parse: Parser, text: str) -> None:
    chance = random.Random(20)
    original = text.encode()
    for _ in range(3000):
        data = bytearray(original)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[at] = chance.randrange(256)
                case 1:
                    del data[at : at + chance.randint(1, 30)]
                case 2:
                    data[at:at] = chance.choice(
                        [b"(", b")", b"[", b"]", b"{", b"}", b'"', b"\\", b",", b"0", b"-", b" "]
                    )
                case _:
                    start = chance.randrange(len(data))
                    data[at:at] = data[start : start + chance.randint(1, 60)]
        survives(parse, bytes(data).decode("utf-8", chance.choice(["replace", "surrogateescape"])))


def test_moved_forms_never_crash() -> None:
    """Random sub-forms of a real-looking symphony put where they do not belong: brackets stay balanced."""
    chance = random.Random(21)
    text = symphony_of_size(3000, 1, SYMBOLS)
    starts = [at for at, character in enumerate(text) if character in "([{"]

    def end_of(start: int) -> int:
        depth = 0
        for at in range(start, len(text)):
            depth += (text[at] in "([{") - (text[at] in ")]}")
            if not depth:
                return at + 1
        return len(text)

    for _ in range(1500):
        to, of = chance.choice(starts[1:]), chance.choice(starts)
        survives(parse_symphony, text[:to] + text[of : end_of(of)] + text[end_of(to) :])


WORDS = [*tokens(TEXT), ";", "\\", ",", '"', "nil", "-", ":", "unimplemented", "select-top", "0"]
MARKS = [*re.findall(r'"[^"]*"|[^\s"]', JSON), '"', "null", "-", "true"]


@pytest.mark.parametrize(("parse", "words"), [(parse_symphony, WORDS), (parse_composer, MARKS)], ids=["text", "json"])
def test_token_soup_never_crashes(parse: Parser, words: list[str]) -> None:
    chance = random.Random(22)
    for _ in range(4000):
        survives(parse, " ".join(chance.choices(words, k=chance.randint(1, 40))))


def test_steps_with_any_value_anywhere_never_crash() -> None:
    chance = random.Random(23)
    values = [None, True, 0, -1, 2.5, 10**30, "", "x", "14", [], {}, [1], {"a": 1}, {"step": "asset"}, [{"step": "if"}]]
    for _ in range(4000):
        tree = json.loads(JSON)
        places: list[tuple[dict[str, object] | list[object], str | int]] = []
        todo: list[object] = [tree]
        while todo:
            inside = todo.pop()
            if isinstance(inside, dict):
                places += [(inside, key) for key in inside]
                todo += inside.values()
            elif isinstance(inside, list):
                places += [(inside, at) for at in range(len(inside))]
                todo += inside
        for container, key in chance.sample(places, chance.randint(1, 2)):
            container[key] = chance.choice(values)  # type: ignore[index]
        survives(parse_composer, json.dumps(tree))


MANY = 200_000


@pytest.mark.parametrize(
    "text",
    [
        "(" * MANY, "[" * MANY, ")" * MANY, "()" * MANY, "{" * MANY, '"\\" ' * MANY, '"' * MANY,
        "\\" * MANY, ";" * MANY,
        "a" * MANY, "(a" * MANY, "9" * MANY, '(asset "' + "A" * MANY + '")', '(rsi "S" {:window ' + "9" * MANY + "})",
        '(asset "A" "' + "\\u0041" * MANY + '")', "(weight-equal [" + '(asset "A")' * MANY + "])",
        "(filter (rsi) (select-top 1) [" + '(asset "A")' * MANY + "])", ", ;\n" * MANY, "(> 1 " * MANY,
        "(weight-equal [" + '(filter (rsi) (select-top 9) [(asset "A")])\n' * (MANY // 10) + "])",
    ],
    ids=lambda text: text[:24],
)  # fmt: skip
def test_hostile_text_takes_no_time(text: str) -> None:
    begin = time.perf_counter()
    survives(parse_symphony, text)
    assert time.perf_counter() - begin < 5


@pytest.mark.parametrize(
    "text",
    [
        "[" * MANY, '{"a":' * MANY, '{"step":"group","children":[' * MANY, '"' + "\\u0041" * MANY, "[" + "1," * MANY,
        '{"step":"root","children":[' + ",".join([json.dumps(A)] * (MANY // 10)) + "]}", "9" * MANY, "]" * MANY,
    ],
    ids=lambda text: text[:24],
)  # fmt: skip
def test_hostile_json_takes_no_time(text: str) -> None:
    begin = time.perf_counter()
    survives(parse_composer, text)
    assert time.perf_counter() - begin < 5
