"""When a session's cycle is due. Pure; what is decided from it, each service knows."""

from datetime import datetime, timedelta

from alchemiser_common.messages.snapshot import MarketSession
from alchemiser_common.settings import Anchor, ScheduleSettings

GRACE = timedelta(minutes=10)
"""After a cycle's deadline: a run winds down, and the watch looks only so often."""


def decision_time(session: MarketSession, schedule: ScheduleSettings) -> datetime:
    """When this session's cycle is due (UTC): so long after its open or before its close, early closes included."""
    offset = timedelta(minutes=schedule.offset_minutes)
    return session.opens + offset if schedule.anchor is Anchor.OPEN else session.closes - offset


def is_due(moment: datetime, due: datetime, schedule: ScheduleSettings) -> bool:
    """Whether a cycle of that scheduled time is the one that was due then."""
    return due <= moment <= due + timedelta(minutes=schedule.window_minutes)


def overdue_from(scheduled_at: datetime, schedule: ScheduleSettings) -> datetime:
    """From when on nothing more comes of a cycle by itself (UTC)."""
    return scheduled_at + timedelta(minutes=schedule.deadline_minutes) + GRACE
