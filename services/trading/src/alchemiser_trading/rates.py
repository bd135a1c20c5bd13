"""The request budget that all legs share: so many trading requests in any sixty seconds. Pure but for its memory."""

from collections import deque
from datetime import datetime, timedelta

_WINDOW = timedelta(seconds=60)
_PAUSE = timedelta(seconds=5)


class RequestBudget:
    """Counts requests. `limit` a minute; a few are kept for the reads that every tick needs."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = max(limit // 10, 2)
        self._taken: deque[datetime] = deque()
        self._paused_until: datetime | None = None

    def allows(self, now: datetime) -> bool:
        """Whether an order, a cancel or a look-up may be made now; if not, the next tick asks again."""
        if self._paused_until is not None and now < self._paused_until:
            return False
        self._forget(now)
        return len(self._taken) < self._limit - self._kept

    def take(self, now: datetime) -> None:
        """Count one request."""
        self._taken.append(now)

    def penalise(self, now: datetime) -> None:
        """The broker said that there were too many: be quiet for a while."""
        self._paused_until = now + _PAUSE

    def _forget(self, now: datetime) -> None:
        while self._taken and now - self._taken[0] >= _WINDOW:
            self._taken.popleft()
