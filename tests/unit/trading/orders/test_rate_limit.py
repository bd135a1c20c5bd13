"""The request budget."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from alchemiser_common.ports.broker import RequestQuota
from alchemiser_trading.orders.rate_limit import RequestBudget
from support.clock import ManualClock
from support.messages import SCHEDULED


@dataclass
class Counted:
    """A broker that counts its requests; without a quota it says nothing of what is left."""

    left: RequestQuota | None = None
    made: int = 0

    def requests(self) -> int:
        return self.made

    def quota(self) -> RequestQuota | None:
        return self.left


def test_never_more_than_the_limit_in_any_minute() -> None:
    clock = ManualClock(SCHEDULED)
    broker = Counted(made=1000)
    budget, taken = RequestBudget(40, clock, broker), []
    assert budget.allows(), "what was requested before it began does not count"
    for _ in range(2000):
        if budget.allows():
            broker.made += 1
            taken.append(clock.now())
        clock.advance(timedelta(milliseconds=200))
    busiest = max(sum(1 for other in taken if at <= other < at + timedelta(minutes=1)) for at in taken)
    assert 30 <= busiest <= 40
    assert len(taken) > 200, "the budget must be used"


def test_after_a_429_everyone_is_quiet_for_a_while() -> None:
    clock = ManualClock(SCHEDULED)
    budget = RequestBudget(40, clock, Counted())
    budget.penalise()
    assert not budget.allows()
    clock.advance(timedelta(seconds=6))
    assert budget.allows()


@pytest.mark.parametrize(
    ("remaining", "resets_in", "allowed"),
    [(150, 30, True), (5, 30, True), (4, 30, False), (0, 30, False), (0, -1, True), (0, 3600, True)],
    ids=["plenty", "enough", "the last few are kept", "none", "none, but reset", "none until an absurd moment"],
)
def test_what_the_broker_says_is_left_counts_too(remaining: int, resets_in: int, allowed: bool) -> None:
    clock = ManualClock(SCHEDULED)
    quota = RequestQuota(remaining, SCHEDULED + timedelta(seconds=resets_in))
    budget = RequestBudget(40, clock, Counted(quota))
    assert budget.allows() is allowed
    clock.advance(timedelta(seconds=61))
    assert budget.allows() is True
