"""How far two clocks are apart, by answers that were long on their way."""

from datetime import timedelta

import pytest

from alchemiser_common.errors import BrokerUnavailable, DecisionRefused
from alchemiser_common.ports.broker import MarketReader
from alchemiser_common.settings import Settings
from alchemiser_trading.runs.checks import clock_skew
from support.answered_broker import NOON, Answer, Asked, answered, as_json
from support.clock import ManualClock


def told(clock: ManualClock, *seconds: float, ahead: float = 0) -> MarketReader:
    """A broker whose clock is right, or that much ahead, and whose answers take so long; the last one's time stays."""
    ways = list(seconds)

    def answering(_: Asked) -> Answer:
        way = timedelta(seconds=ways.pop(0) if len(ways) > 1 else ways[0])
        clock.advance(way / 2)
        now = clock.now() + timedelta(seconds=ahead)
        clock.advance(way / 2)
        return as_json({"timestamp": now.isoformat(), "is_open": True})

    return answered(answering, clock)


def test_an_answer_that_took_twelve_seconds_is_no_skew_of_twelve_and_is_asked_for_again() -> None:
    clock = ManualClock(NOON)
    assert abs(clock_skew(told(clock, 12, 12, 1), clock, Settings())) < timedelta(seconds=1)
    assert clock.now() == NOON + timedelta(seconds=25), "asked three times"


def test_the_middle_of_the_way_is_compared() -> None:
    clock = ManualClock(NOON)
    found = clock_skew(told(clock, 1.8, ahead=5), clock, Settings())
    assert abs(found - timedelta(seconds=5)) < timedelta(seconds=0.1)


def test_a_broker_that_always_takes_long_is_away_for_now_and_a_clock_that_is_off_is_refused() -> None:
    clock = ManualClock(NOON)
    with pytest.raises(BrokerUnavailable, match="took too long to answer, 3 times in a row"):
        clock_skew(told(clock, 12), clock, Settings())
    with pytest.raises(DecisionRefused, match=r"clock is \+30\.0 s off the broker's"):
        clock_skew(told(clock, 0.1, ahead=30), clock, Settings())
