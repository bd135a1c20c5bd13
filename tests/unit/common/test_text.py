"""Long lists in sentences: what is left out is counted, and nothing is said of nothing."""

from alchemiser_common.text import and_more, named

ITEMS = ["a", "b", "c"]


def test_what_is_left_out_of_a_list_is_counted() -> None:
    assert and_more(ITEMS, 3) == ITEMS
    assert and_more(ITEMS, 2) == ["a", "b", "and 1 more"]
    assert and_more([], 2) == []


def test_a_list_in_running_text_has_no_comma_before_the_count() -> None:
    assert named(ITEMS, 3) == "a, b, c"
    assert named(ITEMS, 1) == "a and 2 more"
    assert named([], 1) == ""
