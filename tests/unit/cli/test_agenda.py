"""A day's course at home, minute by minute."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from alchemiser_cli.agenda import WATCH_EVERY, Act, Due, act_at, pause, watches
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.settings import ScheduleSettings

AT = datetime(2026, 11, 20, 14, 45, tzinfo=UTC)
SCHEDULE = ScheduleSettings()  # may begin for 30 minutes, may trade for 60; 10 more before it is overdue
CLOSES = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)


def due(status: RunStatus | None = None) -> Due:
    return Due(AT, CLOSES, status)


@pytest.mark.parametrize(
    ("minutes", "status", "act"),
    [
        (-1, None, Act.WAIT),
        (0, None, Act.RUN),
        (30, None, Act.RUN),
        (30.1, None, Act.MISSED),
        (300, None, Act.MISSED),
        (3, RunStatus.STARTED, Act.RUN),  # the process died: the same run goes on
        (3, RunStatus.EXECUTING, Act.RUN),
        (31, RunStatus.EXECUTING, Act.WAIT),  # the watch goes on with it
        (69.9, RunStatus.PUBLISHED, Act.WAIT),
        (70, RunStatus.PUBLISHED, Act.STUCK),
        (71, RunStatus.EXECUTING, Act.STUCK),
        *((minute, status, Act.WAIT) for minute in (1, 71) for status in RunStatus if status.final),
    ],
)
def test_what_a_cycle_needs(minutes: float, status: RunStatus | None, act: Act) -> None:
    assert act_at(AT + timedelta(minutes=minutes), due(status), SCHEDULE) is act


def test_the_watch_looks_every_few_minutes_from_the_decision_until_after_the_close() -> None:
    assert not watches(AT - timedelta(seconds=1), due(), SCHEDULE, None)
    looks, last = [], None
    for minute in range(12 * 60):
        now = AT + timedelta(minutes=minute)
        if watches(now, due(), SCHEDULE, last):
            looks.append(now)
            last = now
    assert looks[0] == AT
    assert CLOSES < looks[-1] <= CLOSES + WATCH_EVERY
    assert {after - before for before, after in pairwise(looks)} == {WATCH_EVERY}
    assert timedelta(minutes=5) > WATCH_EVERY


def test_after_an_early_close_it_looks_until_the_run_is_overdue() -> None:
    early = Due(AT, AT + timedelta(minutes=15), RunStatus.EXECUTING)
    assert watches(AT + timedelta(minutes=70), early, SCHEDULE, AT)
    assert not watches(AT + timedelta(minutes=75), early, SCHEDULE, AT)


@pytest.mark.parametrize(
    ("minutes", "known", "seconds"),
    [
        (-600, due(), 240),
        (-2, due(), 120),
        (0, due(), 15),
        (20, due(RunStatus.EXECUTING), 15),
        (20, due(RunStatus.COMPLETED), 240),
        (20, None, 240),
    ],
)
def test_it_looks_again_at_the_decision_time_and_shortly_while_a_cycle_is_under_way(
    minutes: float, known: Due | None, seconds: int
) -> None:
    assert pause(AT + timedelta(minutes=minutes), known) == timedelta(seconds=seconds)
