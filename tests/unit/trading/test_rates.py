"""The request budget."""

from datetime import timedelta

from alchemiser_trading.rates import RequestBudget
from support.clock import ManualClock
from support.messages import SCHEDULED


def test_never_more_than_the_limit_in_any_minute() -> None:
    clock = ManualClock(SCHEDULED)
    budget, taken = RequestBudget(40, clock), []
    for _ in range(2000):
        if budget.allows():
            budget.take()
            taken.append(clock.now())
        clock.advance(timedelta(milliseconds=200))
    busiest = max(sum(1 for other in taken if at <= other < at + timedelta(minutes=1)) for at in taken)
    assert 30 <= busiest <= 40
    assert len(taken) > 200, "the budget must be used"


def test_after_a_429_everyone_is_quiet_for_a_while() -> None:
    clock = ManualClock(SCHEDULED)
    budget = RequestBudget(40, clock)
    budget.penalise()
    assert not budget.allows()
    clock.advance(timedelta(seconds=6))
    assert budget.allows()
