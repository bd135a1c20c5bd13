"""Long lists in sentences: what is left out is counted, and nothing is said of nothing."""

import pytest

from alchemiser_common.text import and_more, named, printable

ITEMS = ["a", "b", "c"]


def test_what_is_left_out_of_a_list_is_counted() -> None:
    assert and_more(ITEMS, 3) == ITEMS
    assert and_more(ITEMS, 2) == ["a", "b", "and 1 more"]
    assert and_more([], 2) == []


def test_a_list_in_running_text_has_no_comma_before_the_count() -> None:
    assert named(ITEMS, 3) == "a, b, c"
    assert named(ITEMS, 1) == "a and 2 more"
    assert named([], 1) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ünïcode, 日本", "plain text, ünïcode, 日本"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07\r", "\\x1b]0;title\\x07\\r"),
        ("\x9b2J", "\\x9b2J"),
        ("abc\u202edef\u2028", "abc\\u202edef\\u2028"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_is_not_seen_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown
    assert printable("two\nlines", keep="\n") == "two\nlines"
