"""A jump is a fault if a split explains it that the adjustment missed, and a move if nothing was announced."""

import math
from datetime import date

import pytest

from alchemiser_common.records.corporate_actions import JumpFacts
from alchemiser_data.jumps import judged
from alchemiser_data.split_detection import Jump

DAY = date(2026, 3, 10)
FALL = Jump("RGTI", DAY, date(2026, 3, 9), 20.0, 10.4, 2, 1)
RISE = Jump("UVIX", DAY, date(2026, 3, 9), 4.0, 39.0, 1, 10)


def facts(before: float | None, after: float | None, *splits: float) -> JumpFacts:
    return JumpFacts(symbol="X", day=DAY, raw_before=before, raw_after=after, splits=splits)


@pytest.mark.parametrize(
    ("jump", "found", "words"),
    [
        (FALL, facts(20.0, 10.4), None),
        (FALL, facts(20.6, 10.4), None),  # a dividend is the difference
        (FALL, facts(None, None), None),
        (FALL, facts(20.0, 10.4, 2.0), "a split of 2 new shares for an old one is announced"),
        (FALL, facts(None, None, 2.0), "a split of 2 new shares"),
        (FALL, facts(20.0, 10.4, 10.0), None),  # another split's ratio explains nothing
        (FALL, facts(20.0, 10.4, 0.5), None),  # nor does one in the other direction
        (FALL, facts(20.0, 20.8), "as traded it went from 20 to 20.8, and no split is announced"),
        (RISE, facts(4.0, 39.0), None),
        (RISE, facts(4.0, 39.0, 0.1), "a split of 0.1 new shares"),
        (RISE, facts(40.0, 39.0), "as traded it went from 40 to 39"),
    ],
)
def test_the_table(jump: Jump, found: JumpFacts, words: str | None) -> None:
    reason = judged(jump, found)
    assert (reason is None) == (words is None), reason
    assert words is None or words in str(reason)


def test_a_jump_says_what_it_is() -> None:
    assert str(FALL) == "close went from 20 to 10.4 on 2026-03-10, like a 2:1 split"
    assert not math.isnan(FALL.before)
