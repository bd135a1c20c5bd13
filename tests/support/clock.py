"""A clock that tests move."""

from datetime import datetime, timedelta


class ManualClock:
    """Stands still until told; `sleep` moves it."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def advance(self, by: timedelta) -> None:
        self._now += by
