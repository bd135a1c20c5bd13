"""Time as an argument."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

EXCHANGE_ZONE = ZoneInfo("America/New_York")
"""The zone in which the exchange's dates and opening hours are meant."""


type TimeLeft = Callable[[], timedelta]
"""What remains of the process: a Lambda invocation's time, counted by whoever ends it."""


class Clock(Protocol):
    """Tells the time and waits: the machine's, an exchange's, or a test's."""

    def now(self) -> datetime:
        """The current moment, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back, whatever is done to the clock."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds of this clock."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The current moment, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since the machine started; stands still while it is suspended."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block the thread for so many real seconds."""
        time.sleep(seconds)


# Two ways to measure what has passed, and each fails in its own way: the wall clock is set back by an hour, the
# monotonic one stands still while a machine is suspended. The later of the two is never too early, and whoever compares
# it with a deadline errs on the safe side.
class SteadyClock:
    """A clock that does not go back: the moment it was made, and from there what has passed by either measure."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made_at, self._made_tick = clock.now(), clock.monotonic()
        self._last = self._made_at

    def now(self) -> datetime:
        """The current moment, aware, UTC; not before any that was told."""
        self._last = max(self._last, self._clock.now(), self._made_at + self._ticked())
        return self._last

    def monotonic(self) -> float:
        """As the clock's own."""
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """As the clock's own."""
        self._clock.sleep(seconds)

    def _ticked(self) -> timedelta:
        return timedelta(seconds=self._clock.monotonic() - self._made_tick)
