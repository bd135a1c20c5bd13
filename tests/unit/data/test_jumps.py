"""A jump is a fault if a split explains it that the adjustment missed, and a move if nothing was announced.

The last close is borne out by a trade of another feed, or it is a fault.
"""

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from alchemiser_common.ports.broker import Trade
from alchemiser_common.records.corporate_actions import JumpFacts
from alchemiser_data.jumps import judged, not_borne_out
from alchemiser_data.split_detection import Jump

DAY = date(2026, 3, 10)
FALL = Jump("RGTI", DAY, date(2026, 3, 9), 20.0, 10.4, 2, 1)
RISE = Jump("UVIX", DAY, date(2026, 3, 9), 4.0, 39.0, 1, 10)

THOUSAND = Jump("TNA", DAY, date(2026, 3, 9), 20.0, 20_000.0)
FELL = Jump("TNA", DAY, date(2026, 3, 9), 20.0, 8.0)


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
        (
            THOUSAND,
            facts(20.0, 20_000.0),
            "tenfold or more, and nothing is announced; if it is real, add TNA:2026-03-10",
        ),
        (THOUSAND, facts(None, None), "tenfold or more"),
        (FELL, facts(20.0, 8.0), None),
        (FELL, facts(20.0, 19.9), "as traded it went from 20 to 19.9"),
    ],
)
def test_the_table(jump: Jump, found: JumpFacts, words: str | None) -> None:
    reason = judged(jump, found)
    assert (reason is None) == (words is None), reason
    assert words is None or words in str(reason)


def test_a_jump_says_what_it_is() -> None:
    assert str(FALL) == "close went from 20 to 10.4 on 2026-03-10, like a 2:1 split"
    assert not math.isnan(FALL.before)
    assert str(FELL) == "close went from 20 to 8 on 2026-03-10"


def traded(price: str, days: int = 1) -> Trade:
    """A trade of so many days after the jump's day, ten minutes after the open."""
    return Trade(symbol="TNA", price=Decimal(price), at=datetime(2026, 3, 10, 13, 40, tzinfo=UTC) + timedelta(days))


@pytest.mark.parametrize(
    ("jump", "trade", "words"),
    [
        (FELL, traded("7.6"), None),
        (FELL, traded("3.1"), None),  # it fell on, further from the close than half, and still nearer to it
        (FELL, traded("8.1", 0), None),  # of the session itself: a thin symbol's
        (FELL, traded("20.3"), "the latest trade, at 2026-03-11 13:40:00Z, is 20.3"),
        (FELL, traded("8.1", -1), "no trade of that session or since bears it out"),
        (FELL, traded("0"), "no trade"),
        (FELL, None, "no trade"),
        (THOUSAND, traded("20.1"), "is 20.1"),
    ],
)
def test_the_last_close_is_borne_out_by_the_latest_trade(jump: Jump, trade: Trade | None, words: str | None) -> None:
    reason = not_borne_out(jump, trade, DAY)
    assert (reason is None) == (words is None), reason
    assert words is None or words in str(reason)
