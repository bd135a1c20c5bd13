"""A FIFO queue inside the process, with the semantics of SQS FIFO that the pipeline relies on."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.queue import DeadLetter, Delivery, check_size

_DEDUPLICATION = timedelta(minutes=5)


@dataclass(slots=True)
class _Entry:
    message_id: str
    body: str
    group: str
    sent_at: datetime
    visible_at: datetime
    receive_count: int = 0
    receipt: str = ""


@dataclass(slots=True)
class _Contents:
    waiting: list[_Entry] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    seen: dict[str, datetime] = field(default_factory=dict)


class MemoryQueue:
    """One queue with its dead letters. Thread-safe; time comes from `clock`.

    `visibility` is how long a delivery hides its message, `max_receives` how often a message is
    delivered before it is dead-lettered.
    """

    def __init__(self, name: str, clock: Clock, *, visibility: timedelta, max_receives: int = 3) -> None:
        self._name = name
        self._clock = clock
        self._visibility = visibility
        self._max_receives = max_receives
        self._lock = threading.Lock()
        self._contents = _Contents()
        self._numbers = count(1)

    @property
    def name(self) -> str:
        """The queue's name."""
        return self._name

    def send(self, body: str, *, group: str, deduplication_id: str) -> None:
        """Accept a message; a deduplication id seen within five minutes is accepted and dropped.

        Raises InvalidMessage for one over 1 MiB.
        """
        check_size(body, self.name)
        with self._lock:
            now = self._clock.now()
            seen = self._contents.seen
            for known in [key for key, at in seen.items() if now - at >= _DEDUPLICATION]:
                del seen[known]
            if deduplication_id in seen:
                return
            seen[deduplication_id] = now
            self._contents.waiting.append(_Entry(f"{self.name}-{next(self._numbers)}", body, group, now, now))

    def receive(self, limit: int = 1) -> Sequence[Delivery]:
        """Up to `limit` deliveries, oldest first; a group with a message in flight gives nothing more.

        A message that was delivered `max_receives` times and is visible again goes to the dead letters instead.
        """
        with self._lock:
            now = self._clock.now()
            deliveries: list[Delivery] = []
            blocked: set[str] = set()
            for entry in list(self._contents.waiting):
                if len(deliveries) == limit:
                    break
                if entry.group in blocked:
                    continue
                if entry.visible_at > now:
                    blocked.add(entry.group)
                elif entry.receive_count >= self._max_receives:
                    self._bury(entry)
                else:
                    deliveries.append(self._deliver(entry, now))
            return deliveries

    def delete(self, delivery: Delivery) -> None:
        """Done with the message. A receipt that is no longer the latest deletes nothing."""
        with self._lock:
            waiting = self._contents.waiting
            waiting[:] = [entry for entry in waiting if entry.receipt != delivery.receipt]

    def release(self, delivery: Delivery) -> None:
        """Make the message visible again at once. A receipt that is no longer the latest does nothing."""
        with self._lock:
            for entry in self._contents.waiting:
                if entry.receipt == delivery.receipt:
                    entry.visible_at = self._clock.now()

    def dead_letters(self) -> Sequence[DeadLetter]:
        """Messages that were given up, oldest first."""
        with self._lock:
            return tuple(self._contents.dead)

    def _deliver(self, entry: _Entry, now: datetime) -> Delivery:
        entry.receive_count += 1
        entry.visible_at = now + self._visibility
        entry.receipt = f"{entry.message_id}#{entry.receive_count}"
        return Delivery(entry.message_id, entry.receipt, entry.body, entry.group, entry.sent_at, entry.receive_count)

    def _bury(self, entry: _Entry) -> None:
        self._contents.waiting.remove(entry)
        self._contents.dead.append(
            DeadLetter(entry.message_id, self.name, entry.body, entry.group, entry.sent_at, entry.receive_count)
        )
