"""The drawing of errors shows every family, each below its own parent."""

import ast
import re
from pathlib import Path

from alchemiser_common import errors

ROOT = Path(__file__).parents[3]
LINE = re.compile(r"    ([│├└─ ]*)([A-Z]\w+)")


def drawn() -> dict[str, str]:
    """Child to parent, as the drawing has them."""
    parents: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if (found := LINE.match(line)) is None or (not found[1] and found[2] != "AlchemiserError"):
            continue
        depth = len(found[1]) // 4
        above[depth:] = [found[2]]
        if depth:
            parents[found[2]] = above[depth - 1]
    return parents


def defined() -> dict[str, str]:
    """Child to parent, as the packages define them."""
    bases = {
        node.name: node.bases[0].id
        for package in ("libs", "services", "cli")
        for file in (ROOT / package).rglob("src/**/*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and node.bases and isinstance(node.bases[0], ast.Name)
    }
    family = {"AlchemiserError"}
    while more := {name for name, base in bases.items() if base in family} - family:
        family |= more
    return {name: bases[name] for name in family - {"AlchemiserError"}}


def test_every_error_is_drawn_below_its_parent() -> None:
    assert drawn() == defined()
