"""The request budget that all legs share: how many requests the broker takes in a minute, and when to wait."""

from collections import deque
from datetime import timedelta
from typing import Protocol

from alchemiser_common.ports.broker import RequestQuota
from alchemiser_common.ports.clock import Clock

_WINDOW = 60.0
_FARTHEST = timedelta(seconds=70)
"""From a reset: a window, and what the broker's clock may be off this one."""
_PAUSE = 5.0
_KEPT = 4
"""Requests that may follow one that was allowed: successors of a replaced order, the account."""
_LOW_WATER = 0.75


class CountedBroker(Protocol):
    """What the budget asks of a broker; neither makes a request."""

    def requests(self) -> int:
        """How many requests have been made so far that count."""
        ...

    def quota(self) -> RequestQuota | None:
        """What the broker says is left."""
        ...


class RequestBudget:
    """So many requests in any sixty seconds; once they are used up, nothing goes until a quarter of them is free again.

    Otherwise polling would take each request as it comes free, and none would be left to act with.
    The broker tells how many were made; those since the last look count as made now, which is never too early. What it
    says is left counts as well: other programs may use the account's requests. A reset that is farther away than a
    window can be is not believed. Its minutes are measured by the monotonic clock: by the one on the wall a minute
    lasts an hour where that is set back, and nothing could be cancelled meanwhile.
    """

    def __init__(self, limit: int, clock: Clock, broker: CountedBroker) -> None:
        self._limit = limit
        self._clock = clock
        self._broker = broker
        self._seen = broker.requests()
        self._taken: deque[float] = deque()
        self._paused_until: float | None = None
        self._full = False

    def allows(self) -> bool:
        """Whether a request may be made now; if not, a later tick asks again."""
        now, made = self._clock.monotonic(), self._broker.requests()
        self._taken.extend([now] * (made - self._seen))
        self._seen = made
        while self._taken and now - self._taken[0] >= _WINDOW:
            self._taken.popleft()
        used = len(self._taken)
        self._full = used >= self._limit - _KEPT or (self._full and used > self._limit * _LOW_WATER)
        if self._used_up(self._broker.quota()):
            return False
        return not self._full and (self._paused_until is None or now >= self._paused_until)

    def penalise(self) -> None:
        """The broker said that there were too many: be quiet for a while."""
        self._paused_until = self._clock.monotonic() + _PAUSE

    def _used_up(self, quota: RequestQuota | None) -> bool:
        """By the broker's own word, until it resets."""
        now = self._clock.now()
        return quota is not None and quota.remaining <= _KEPT and now < quota.resets_at < now + _FARTHEST
