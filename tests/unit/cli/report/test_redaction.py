"""Texts from data lose secrets, absolute paths and misleading characters, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemiser_cli.report.redaction import HIDDEN, LONGEST, public_text

KEPT = [
    "BRK/B",
    "nuclear 40 % and/or tecl",
    "https://example.org/a/b",
    "0b9cbe2f-7d58-5f4f-9a40-1c2d3e4f5a6b",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "</script><b>",
    "Zürich 株",
]
CHANGED = [
    ("/home/someone/data/panel.parquet", "panel.parquet"),
    ("bars from /home/someone/data/panel.parquet, checked", "bars from panel.parquet, checked"),
    ("~/data/panel.csv", "panel.csv"),
    (r"C:\Users\someone\panel.csv", "panel.csv"),
    ("file:///srv/data/panel.csv", "file:panel.csv"),
    ("/srv/data/", HIDDEN),
    ("key PKABCDEFGHIJ12345678", f"key {HIDDEN}"),
    ("ALPACA_SECRET_KEY=abc", f"ALPACA_SECRET_KEY={HIDDEN}"),
    ("password: hunter2", f"password: {HIDDEN}"),
    ("is aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1eF3hJ5kL7m", f"is {HIDDEN}"),
    ("two\nlines\tand\u00a0more", "two lines and more"),
    ("right\u202eto left", "right\ufffdto left"),
    ("nul\x00 and \ud800", "nul\ufffd and \ufffd"),
]


@pytest.mark.parametrize("text", KEPT)
def test_an_ordinary_text_is_kept(text: str) -> None:
    assert public_text(text) == text


@pytest.mark.parametrize(("text", "expected"), CHANGED)
def test_what_must_not_be_public_is_taken_out(text: str, expected: str) -> None:
    assert public_text(text) == expected


@given(st.text(max_size=600))
def test_any_text_can_be_written_on_one_line(text: str) -> None:
    cleaned = public_text(text)
    assert len(cleaned) <= LONGEST
    assert cleaned.encode().decode() == cleaned
    assert cleaned.splitlines() in ([], [cleaned])


def test_a_long_text_is_cut_between_words() -> None:
    cut = public_text("word " * 200)
    assert len(cut) <= LONGEST
    assert cut.endswith("word\N{HORIZONTAL ELLIPSIS}")
    assert public_text("x" * 2 * LONGEST) == "x" * (LONGEST - 1) + "\N{HORIZONTAL ELLIPSIS}"
