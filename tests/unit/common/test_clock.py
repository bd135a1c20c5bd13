"""A clock that does not go back, whichever of its two measures fails."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemiser_common.ports.clock import SteadyClock
from support.messages import SCHEDULED


class TwoClocks:
    """A wall clock and a monotonic one that are set apart from each other."""

    def __init__(self) -> None:
        self.wall, self.ticks = SCHEDULED, 1000.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    def sleep(self, seconds: float) -> None:
        self.passes(seconds, seconds)

    def passes(self, wall: float, ticks: float) -> None:
        self.wall += timedelta(seconds=wall)
        self.ticks += ticks


HOUR = 3600.0


@pytest.mark.parametrize(
    ("wall", "ticks", "told"),
    [
        (60, 60, 60),
        (60 - HOUR, 60, 60),
        (60, 0, 60),
        (HOUR, 60, HOUR),
        (-HOUR, 0, 0),
    ],
    ids=["both go", "set back by an hour", "suspended", "set forward", "set back at once"],
)
def test_the_later_of_two_measures_is_told(wall: float, ticks: float, told: float) -> None:
    clocks = TwoClocks()
    steady = SteadyClock(clocks)
    clocks.passes(wall, ticks)
    assert (steady.now() - SCHEDULED).total_seconds() == told
    assert steady.monotonic() == clocks.ticks


def test_a_jump_forward_that_is_taken_back_is_not_gone_back_over() -> None:
    clocks = TwoClocks()
    steady = SteadyClock(clocks)
    clocks.passes(HOUR, 1)
    assert steady.now() == SCHEDULED + timedelta(hours=1)
    clocks.passes(-HOUR, 1)
    assert steady.now() == SCHEDULED + timedelta(hours=1), "a deadline that has passed has passed"
    steady.sleep(HOUR)
    assert steady.now() == SCHEDULED + timedelta(seconds=HOUR + 2)


@given(st.lists(st.tuples(st.floats(-7200, 7200), st.floats(0, 7200)), max_size=20))
def test_it_never_goes_back_and_is_never_behind_what_has_ticked(steps: list[tuple[float, float]]) -> None:
    clocks = TwoClocks()
    steady = SteadyClock(clocks)
    before = steady.now()
    for wall, ticks in steps:
        clocks.passes(wall, ticks)
        now = steady.now()
        assert now >= before
        assert now >= clocks.wall
        assert (now - SCHEDULED).total_seconds() >= clocks.ticks - 1000 - 0.001
        before = now
