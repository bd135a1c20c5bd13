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

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds of this clock."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The current moment, aware, UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Block the thread for so many real seconds."""
        time.sleep(seconds)
