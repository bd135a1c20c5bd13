"""Is this cycle to be decided now? Pure: session, schedule and clock in, a verdict out."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from alchemiser_common.decision_time import decision_time
from alchemiser_common.messages.snapshot import MarketSession
from alchemiser_common.settings import ScheduleSettings


@dataclass(frozen=True, slots=True)
class DecisionWindow:
    """A run may start now in this session, and send orders until `not_after` (UTC), which is later than now."""

    session: MarketSession
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Skip:
    """No run is to start for this cycle; `reason` says why in one sentence."""

    reason: str


def decision_window(
    day: date, session: MarketSession | None, schedule: ScheduleSettings, *, scheduled_at: datetime, now: datetime
) -> DecisionWindow | Skip:
    """The window to work in, or why there is none.

    `day` is the exchange's date and `session` the calendar's entry for it, None if it has none. Both moments, UTC, must
    lie in the window: a schedule that was set for another time of day, or a start that comes late, is skipped.
    """
    if session is None:
        return Skip(f"{day} is not a trading day")
    due = decision_time(session, schedule)
    last_start = due + timedelta(minutes=schedule.window_minutes)
    for what, moment in (("the scheduled time", scheduled_at), ("the clock", now)):
        if not due <= moment <= last_start:
            return Skip(
                f"{what}, {moment:%Y-%m-%d %H:%M:%S}Z, is outside the decision window "
                f"{due:%H:%M}-{last_start:%H:%M}Z of session {session.day}"
            )
    not_after = min(
        scheduled_at + timedelta(minutes=schedule.deadline_minutes),
        session.closes - timedelta(minutes=schedule.close_margin_minutes),
    )
    if now >= not_after:
        return Skip(f"the session ends too soon: no order may be sent after {not_after:%Y-%m-%d %H:%M:%S}Z")
    return DecisionWindow(session, not_after)
