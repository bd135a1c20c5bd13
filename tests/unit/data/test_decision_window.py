"""When a run may start, until when it may trade, and why it is skipped."""

from datetime import UTC, date, datetime, timedelta

import pytest

from alchemiser_common.decision_time import decision_time
from alchemiser_common.messages.snapshot import MarketSession
from alchemiser_common.settings import Anchor, ScheduleSettings
from alchemiser_data.decision_window import DecisionWindow, Skip, decision_window

REGULAR = MarketSession(
    day=date(2025, 11, 26),
    opens=datetime(2025, 11, 26, 14, 30, tzinfo=UTC),
    closes=datetime(2025, 11, 26, 21, 0, tzinfo=UTC),
    previous_day=date(2025, 11, 25),
)
EARLY = MarketSession(
    day=date(2025, 11, 28),
    opens=datetime(2025, 11, 28, 14, 30, tzinfo=UTC),
    closes=datetime(2025, 11, 28, 18, 0, tzinfo=UTC),
    previous_day=date(2025, 11, 26),
)
BEFORE_CLOSE = ScheduleSettings(anchor=Anchor.CLOSE, offset_minutes=20, window_minutes=10)


def test_the_decision_time_follows_an_early_close() -> None:
    assert decision_time(REGULAR, BEFORE_CLOSE) == datetime(2025, 11, 26, 20, 40, tzinfo=UTC)
    assert decision_time(EARLY, BEFORE_CLOSE) == datetime(2025, 11, 28, 17, 40, tzinfo=UTC)
    assert decision_time(EARLY, ScheduleSettings()) == datetime(2025, 11, 28, 14, 45, tzinfo=UTC)


def test_the_deadline_is_the_earlier_of_its_own_and_the_close() -> None:
    at = decision_time(REGULAR, BEFORE_CLOSE)
    window = decision_window(REGULAR.day, REGULAR, BEFORE_CLOSE, scheduled_at=at, now=at)
    assert isinstance(window, DecisionWindow)
    assert window.not_after == datetime(2025, 11, 26, 20, 55, tzinfo=UTC)
    morning = ScheduleSettings()
    at = decision_time(REGULAR, morning)
    window = decision_window(REGULAR.day, REGULAR, morning, scheduled_at=at, now=at)
    assert isinstance(window, DecisionWindow)
    assert window.not_after == at + timedelta(minutes=60)


DUE = decision_time(REGULAR, BEFORE_CLOSE)
SKIPPED = [
    ("holiday", None, DUE, DUE, "2025-11-27 is not a trading day"),
    ("too early", REGULAR, DUE, DUE - timedelta(seconds=1), "the clock, 2025-11-26 20:39:59Z, is outside"),
    ("too late", REGULAR, DUE, DUE + timedelta(minutes=11), "the clock, 2025-11-26 20:51:00Z, is outside"),
    ("other schedule", REGULAR, DUE - timedelta(hours=3), DUE, "the scheduled time, 2025-11-26 17:40:00Z, is outside"),
]


@pytest.mark.parametrize(
    ("name", "session", "scheduled_at", "now", "words"), SKIPPED, ids=[name for name, *_ in SKIPPED]
)
def test_a_cycle_that_is_not_due_is_skipped_with_the_reason(
    name: str, session: MarketSession | None, scheduled_at: datetime, now: datetime, words: str
) -> None:
    day = session.day if session else date(2025, 11, 27)
    verdict = decision_window(day, session, BEFORE_CLOSE, scheduled_at=scheduled_at, now=now)
    assert isinstance(verdict, Skip), name
    assert words in verdict.reason


def test_a_window_that_ends_after_the_last_order_time_is_no_reason_to_start() -> None:
    late = ScheduleSettings(anchor=Anchor.CLOSE, offset_minutes=4, window_minutes=4, close_margin_minutes=5)
    at = decision_time(REGULAR, late)
    verdict = decision_window(REGULAR.day, REGULAR, late, scheduled_at=at, now=at)
    assert isinstance(verdict, Skip)
    assert "no order may be sent after" in verdict.reason
