"""A page that says which test shows what names tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from deploy.template import ROOT
from support.documents import pages

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(\[.*?\])?`")
PAGE = ROOT / "docs" / "broker-contradictions.md"


@cache
def functions(file: str) -> frozenset[str]:
    """Names of the tests in a file."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def missing(text: str) -> list[str]:
    """What the text names as a test and is none."""
    return [
        f"{file}::{name}"
        for file, name, _ in NAMED.findall(text)
        if not name.startswith("test_") or not (ROOT / file).is_file() or name not in functions(file)
    ]


def test_a_test_that_does_not_exist_is_noticed() -> None:
    here = "tests/unit/docs/test_named_tests.py"
    said = f"`{here}::test_nothing[x]` `tests/none.py::test_x` `{here}::missing`"
    assert missing(said) == [f"{here}::test_nothing", "tests/none.py::test_x", f"{here}::missing"]
    assert missing(f"`{here}::test_a_test_that_does_not_exist_is_noticed`") == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    assert missing(page.read_text("utf-8")) == []


def test_every_example_of_a_brokers_contradictions_names_its_test() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ") and "| before |" not in line]
    assert len(rows) > 100
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 4, row
        named = cells[3].split("<br>")
        assert all(NAMED.fullmatch(one) for one in named), row
