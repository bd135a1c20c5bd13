"""Opening hours: New York time, early closes, and days outside the history."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import exchange_calendars
import pytest

from alchemiser_simulator import sample_history
from alchemiser_simulator.market.early_closes import EARLY_CLOSES
from alchemiser_simulator.market.sessions import SessionCalendar, session_on


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the library's own use of pandas
def test_the_table_of_early_closes_is_the_exchanges() -> None:
    calendar = exchange_calendars.get_calendar("XNYS", start="1993-01-01", end="2035-12-31")
    assert {str(day.date()) for day in calendar.early_closes} == EARLY_CLOSES


@pytest.mark.parametrize(
    ("day", "closes"),
    [
        (date(2025, 7, 3), datetime(2025, 7, 3, 17, tzinfo=UTC)),
        (date(2025, 11, 28), datetime(2025, 11, 28, 18, tzinfo=UTC)),
        (date(2025, 12, 24), datetime(2025, 12, 24, 18, tzinfo=UTC)),
        (date(2025, 3, 7), datetime(2025, 3, 7, 21, tzinfo=UTC)),
        (date(2025, 3, 10), datetime(2025, 3, 10, 20, tzinfo=UTC)),
    ],
)
def test_sessions_close_in_new_york_time(day: date, closes: datetime) -> None:
    assert session_on(day).closes == closes


def test_a_session_runs_from_its_open_to_just_before_its_close() -> None:
    calendar = SessionCalendar(sample_history().dates)
    session = calendar.sessions[100]
    second = timedelta(seconds=1)
    assert calendar.at(session.opens - second) is None
    assert calendar.at(session.opens) == session
    assert calendar.at(session.closes - second) == session
    assert calendar.at(session.closes) is None
    assert calendar.next_open(session.opens) == calendar.sessions[101].opens
    assert calendar.next_close(session.opens) == session.closes
    assert calendar.next_close(session.closes) == calendar.sessions[101].closes
    assert calendar.completed(session.closes) == 100
    assert calendar.completed(session.closes - second) == 99


def test_days_after_the_history_follow_the_exchanges_calendar() -> None:
    calendar = SessionCalendar(sample_history().dates)
    found = [session.day for session in calendar.between(date(2021, 3, 31), date(2021, 4, 6))]
    assert found == [date(2021, 3, 31), date(2021, 4, 1), date(2021, 4, 5), date(2021, 4, 6)], "Good Friday is closed"
    assert calendar.next_open(datetime(2021, 3, 31, 22, tzinfo=UTC)) == datetime(2021, 4, 1, 13, 30, tzinfo=UTC)


def test_days_before_the_history_follow_the_exchanges_calendar() -> None:
    calendar = SessionCalendar(sample_history().dates)
    found = [session.day for session in calendar.between(date(2015, 12, 24), date(2015, 12, 31))]
    assert found == [date(2015, 12, day) for day in (24, 28, 29, 30, 31)]


@pytest.mark.parametrize(
    ("first", "start"),
    [
        (date(2020, 6, 1), date(2020, 5, 31)),
        (date(2020, 6, 1), date(2020, 5, 30)),
        (date(1985, 6, 3), date(1985, 5, 1)),  # the exchange's calendar is asked from 1990 on
    ],
)
def test_days_without_a_session_before_the_history_are_none(first: date, start: date) -> None:
    calendar = SessionCalendar([first, first + timedelta(days=1)])
    assert [session.day for session in calendar.between(start, first)] == [first]
