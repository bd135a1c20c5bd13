"""docs/language.md says all that the parser knows, with the defaults and bars that it has."""

import re

import pytest

from alchemiser_strategy.engine.metrics import METRICS, measure
from alchemiser_strategy.parsers import parse_symphony
from alchemiser_strategy.parsers.forms import USAGE
from deploy.template import ROOT
from support.documents import blocks

PAGE = ROOT / "docs" / "language.md"
TEXT = PAGE.read_text("utf-8")
ROWS = {
    cells[0].strip("`"): cells
    for line in TEXT[TEXT.index("## Metrics") :].splitlines()
    if line.startswith("| `")
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
}
MINUS = "\N{MINUS SIGN}"
BARS = {"N": 17, "long": 17, "smooth": 5}


def test_every_operator_is_there_as_the_parser_states_it() -> None:
    operators = [name for name in USAGE if name not in METRICS]
    for name in operators:
        assert f"({name} " in TEXT or f"({name})" in TEXT, name
    exact = (
        "group",
        "weight-equal",
        "weight-specified",
        "weight-inverse-volatility",
        "weight-inverse",
        "filter",
        "cash",
    )
    assert [name for name in exact if f"`{USAGE[name]}`" not in TEXT] == []


def test_every_metric_is_there_and_no_other() -> None:
    assert list(ROWS) == list(METRICS)


@pytest.mark.parametrize("name", METRICS)
def test_defaults_and_bars_are_the_metrics(name: str) -> None:
    options = METRICS[name].options
    _, stated, _, _, bars = ROWS[name]
    assert stated == (", ".join(f"`{option.name}` {option.default}" for option in options) or "none")
    windows = {option.name: BARS["smooth"] if option.name == "smooth-window" else BARS["N"] for option in options}
    if "short-window" in windows:
        windows["short-window"] = 3
    needed = sum(
        (-1 if sign == MINUS else 1) * BARS.get(term, int(term) if term.isdigit() else 0)
        for sign, term in re.findall(rf"([+{MINUS}]?)\s*(\w+)", bars)
    )
    assert measure(name, windows).bars_needed == needed


def test_the_example_of_the_page_is_a_strategy() -> None:
    (example,) = (block.text for block in blocks(PAGE) if block.mark == "clojure")
    assert parse_symphony(example).warnings == ()
