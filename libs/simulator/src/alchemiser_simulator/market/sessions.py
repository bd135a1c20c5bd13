"""When the simulated exchange is open: the history's dates with New York opening and closing times.

In: dates. Out: sessions and their times, UTC. Must not load a calendar library unless asked about days outside the
history.
"""

from __future__ import annotations

import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from alchemiser_simulator.market.early_closes import EARLY_CLOSES

NEW_YORK = ZoneInfo("America/New_York")
_OPEN, _CLOSE, _EARLY = time(9, 30), time(16), time(13)
_CALENDAR_ENDS = date(2035, 12, 31)
_LONGEST_PAUSE = timedelta(days=14)  # no two sessions since 1990 were so far apart


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day from its open to just before its close, aware UTC; `number` counts from the start of the history,
    -1 outside it.
    """

    day: date
    opens: datetime
    closes: datetime
    number: int = -1

    @property
    def seconds(self) -> int:
        """Length of the session: 23,400, or 12,600 if it closes early."""
        return int((self.closes - self.opens).total_seconds())


def new_york_midnight(day: date) -> datetime:
    """The moment a New York day begins, UTC."""
    return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)


def new_york_day(moment: datetime) -> date:
    """The date a clock on the exchange's wall shows at an aware moment."""
    return moment.astimezone(NEW_YORK).date()


def stamp(moment: datetime) -> str:
    """An aware moment as the API writes it: RFC 3339 in UTC with a Z, microseconds only where there are any."""
    plain = moment.astimezone(UTC).isoformat(timespec="microseconds" if moment.microsecond else "seconds")
    return plain.removesuffix("+00:00") + "Z"


def session_on(day: date, number: int = -1) -> Session:
    """The session of a day that is known to be a trading day."""
    close = _EARLY if day.isoformat() in EARLY_CLOSES else _CLOSE
    opens, closes = (datetime.combine(day, at, NEW_YORK).astimezone(UTC) for at in (_OPEN, close))
    return Session(day, opens, closes, number)


@cache
def _exchange_days(start: date, end: date) -> tuple[date, ...]:
    """Trading days by the real exchange's calendar, maybe none; the import costs half a second, hence here."""
    if start > end:
        return ()
    from exchange_calendars import get_calendar

    first = min(start, end - _LONGEST_PAUSE)  # the library refuses a calendar without a session, as of a weekend

    with warnings.catch_warnings():
        # The library still uses a pandas call that pandas has announced to change; nothing a caller could do about it.
        warnings.simplefilter("ignore", DeprecationWarning)
        calendar = get_calendar("XNYS", start=first.isoformat(), end=end.isoformat())
    days = (midnight.date() for midnight in calendar.sessions)
    return tuple(day for day in days if day >= start)


class SessionCalendar:
    """Sessions of a history, and of the real exchange before and after it. Moments are aware UTC."""

    def __init__(self, dates: Sequence[date]) -> None:
        """`dates` ascend, each once, at least one."""
        self.sessions = tuple(session_on(day, number) for number, day in enumerate(dates))
        self._opens = [session.opens for session in self.sessions]
        self._closes = [session.closes for session in self.sessions]
        self._days = list(dates)

    @property
    def begins(self) -> datetime:
        """The earliest moment the clock may show."""
        return new_york_midnight(self._days[0])

    @property
    def ends(self) -> datetime:
        """The latest moment the clock may show: the end of the last day with prices."""
        return new_york_midnight(self._days[-1] + timedelta(days=1)) - timedelta(seconds=1)

    def at(self, now: datetime) -> Session | None:
        """The session in progress; its close is no longer part of it."""
        number = bisect_right(self._opens, now) - 1
        return self.sessions[number] if number >= 0 and now < self._closes[number] else None

    def started(self, now: datetime) -> int:
        """Number of the last session that has opened, -1 if none has."""
        return bisect_right(self._opens, now) - 1

    def completed(self, now: datetime) -> int:
        """Number of the last session whose close has passed, -1 if none has."""
        return bisect_right(self._closes, now) - 1

    def after(self, now: datetime) -> Session | None:
        """The next session of the history that has not opened yet."""
        number = bisect_right(self._opens, now)
        return self.sessions[number] if number < len(self.sessions) else None

    def on(self, day: date) -> Session | None:
        """The history's session of a day, None if it has none."""
        number = bisect_left(self._days, day)
        return self.sessions[number] if number < len(self._days) and self._days[number] == day else None

    def next_open(self, now: datetime) -> datetime:
        """The first open after `now`; past the history the real exchange's."""
        following = self.after(now)
        return following.opens if following else self._beyond(now).opens

    def next_close(self, now: datetime) -> datetime:
        """The first close after `now`; past the history the real exchange's."""
        number = bisect_right(self._closes, now)
        return self._closes[number] if number < len(self._closes) else self._beyond(now).closes

    def _beyond(self, now: datetime) -> Session:
        first = self._days[-1] + timedelta(days=1)
        following = (session_on(day) for day in _exchange_days(first, first + timedelta(days=20)))
        return next(session for session in following if session.opens > now)

    def between(self, start: date, end: date) -> list[Session]:
        """Sessions from `start` to `end` inclusive; outside the history the real exchange's calendar answers."""
        first, last = self._days[0], self._days[-1]
        found = [session for session in self.sessions if start <= session.day <= end]
        if start < first:
            before = _exchange_days(max(start, date(1990, 1, 1)), first - timedelta(days=1))
            found = [session_on(day) for day in before if day <= end] + found
        if end > last:
            after = _exchange_days(last + timedelta(days=1), max(_CALENDAR_ENDS, last + timedelta(days=400)))
            found += [session_on(day) for day in after if start <= day <= end]
        return found
