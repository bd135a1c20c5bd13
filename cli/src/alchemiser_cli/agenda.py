"""What a scheduler has to do at a moment: pure, so that a day's whole course can be tested in a table."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alchemiser_common.decision_time import overdue_from
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.settings import ScheduleSettings

WATCH_EVERY = timedelta(minutes=4)
"""A run that nobody goes on with, one that is stuck and one that is missed are noticed within five minutes."""
_SHORTLY = timedelta(seconds=15)


class Act(StrEnum):
    """What to do now."""

    WAIT = "wait"
    RUN = "run"
    """The cycle is due, and may begin."""
    MISSED = "missed"
    """It was due, and may not begin any more: somebody has to be told."""
    STUCK = "stuck"
    """It began and has not ended, long after its deadline: somebody has to be told."""


@dataclass(frozen=True, slots=True)
class Due:
    """A session's cycle as it stands."""

    at: datetime
    """Its scheduled time."""
    closes: datetime
    """Of the session."""
    status: RunStatus | None
    """None if nothing is stored of its run."""


def act_at(now: datetime, due: Due, schedule: ScheduleSettings) -> Act:
    """What the cycle needs at `now`. One that has missed the window in which it may begin is not caught up."""
    if now < due.at or (due.status is not None and due.status.final):
        return Act.WAIT
    if now <= due.at + timedelta(minutes=schedule.window_minutes):
        return Act.RUN
    if due.status is None:
        return Act.MISSED
    return Act.STUCK if now >= overdue_from(due.at, schedule) else Act.WAIT


def watches(now: datetime, due: Due, schedule: ScheduleSettings, last: datetime | None) -> bool:
    """Whether the watch should look now for runs and orders that nobody ends: from the decision to after the close."""
    ends = max(due.closes, overdue_from(due.at, schedule)) + WATCH_EVERY
    return due.at <= now <= ends and (last is None or now - last >= WATCH_EVERY)


def pause(now: datetime, due: Due | None) -> timedelta:
    """How long nothing has to be looked at: until the decision time at most, and shortly while a cycle is under way."""
    if due is None or (due.status is not None and due.status.final):
        return WATCH_EVERY
    return min(due.at - now, WATCH_EVERY) if now < due.at else _SHORTLY
