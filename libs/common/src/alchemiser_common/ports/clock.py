"""Time as an argument."""

import time
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

EXCHANGE_ZONE = ZoneInfo("America/New_York")
"""The zone in which the exchange's dates and opening hours are meant."""


class Clock(Protocol):
    """Tells the time and waits."""

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
        """Block the thread."""
        time.sleep(seconds)
