"""Files: which of the two forms they are, and what is wrong with those that cannot be read."""

import json
from pathlib import Path

import pytest

from alchemiser_strategy.engine.nodes import Asset, Weighted
from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers import load, load_symphony
from unit.strategy.parsers.composer_steps import A, B, step

TEXT = '(weight-equal [(asset "A") (asset "B")])'
JSON = json.dumps(step("root", A, B, name="exported"))


@pytest.mark.parametrize(
    ("name", "content", "called"),
    [
        ("plain.clj", TEXT, "plain"),
        ("plain.edn", f"\ufeff\n ; comment\n{TEXT}", "plain"),
        ("plain.txt", TEXT, "plain"),
        ("export.json", JSON, "exported"),
        ("export.JSON", f"\ufeff {JSON}", "exported"),
        ("text.json", TEXT, "text"),
        ("export.clj", JSON, "exported"),
    ],
)
def test_the_content_decides(tmp_path: Path, name: str, content: str, called: str) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    whole = load_symphony(path)
    assert (whole.name, whole.source) == (called, str(path))
    assert isinstance(whole.root, Weighted)
    assert [child.symbol for child in whole.root.children if isinstance(child, Asset)] == ["A", "B"]
    assert load_symphony(str(path)).distinct == 3


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", b"[1]", "found a list; expected an object with a step"),
        ("a.json", b"", "this is no JSON"),
        ("a.clj", b"", "1:1: there is nothing to read"),
        ("a.edn", b"{:step :root}", ":1:1: $: root: children is empty"),
        ("a.clj", b'(asset "\xff")', "byte 8 is not UTF-8"),
        ("a.clj", b"\xff\xfe(\x00", "byte 0 is not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(StrategyError) as caught:
        load_symphony(path)
    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["missing.clj", ".", "a\0b.clj", "x" * 5000])
def test_no_such_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(StrategyError, match=r"no such file|cannot be read"):
        load_symphony(tmp_path / name)


def test_a_file_that_is_too_large_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.clj"
    path.write_text(TEXT)
    monkeypatch.setattr(load, "MAX_CHARACTERS", 10)
    with pytest.raises(StrategyError, match=f"has {len(TEXT)} bytes; a symphony may have 10"):
        load_symphony(path)
