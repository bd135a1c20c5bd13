"""A FIFO queue with message groups, visibility and dead letters: the semantics of SQS FIFO."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from alchemiser_common.errors import InvalidMessage
from alchemiser_common.messages.wire import MESSAGE_LIMIT


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of a message. `receipt` is good for this delivery only."""

    message_id: str
    receipt: str
    body: str
    group: str
    sent_at: datetime
    receive_count: int
    """How many times the message has been delivered, this one included."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up, with the queue it came from."""

    message_id: str
    queue: str
    body: str
    group: str
    sent_at: datetime
    receive_count: int


def check_size(body: str, queue: str) -> None:
    """Raises InvalidMessage if no queue takes a message of that size."""
    size = len(body.encode())
    if size > MESSAGE_LIMIT:
        raise InvalidMessage(f"message of {size:,} bytes is over the limit of {MESSAGE_LIMIT:,} of queue {queue}")


class Queue(Protocol):
    """Messages of one group are delivered in order, one at a time; an undeleted one comes back after its visibility."""

    @property
    def name(self) -> str:
        """The queue's name."""
        ...

    def send(self, body: str, *, group: str, deduplication_id: str) -> None:
        """Accept a message; a deduplication id seen within five minutes is accepted and dropped.

        Raises InvalidMessage over the size limit, StoreUnavailable if the queue cannot be reached.
        """
        ...

    def receive(self, limit: int = 1) -> Sequence[Delivery]:
        """Up to `limit` deliveries, each invisible to others for the queue's visibility time."""
        ...

    def delete(self, delivery: Delivery) -> None:
        """Done with the message; it will not come again."""
        ...

    def release(self, delivery: Delivery) -> None:
        """Make the message visible again at once."""
        ...

    def dead_letters(self) -> Sequence[DeadLetter]:
        """Messages that were delivered as often as the queue allows and never deleted."""
        ...


class DeadLetters(Protocol):
    """What was given up, for a person to look at and act on, one letter at a time."""

    def list(self) -> Sequence[DeadLetter]:
        """The messages that were given up, oldest first."""
        ...

    def strays(self) -> Sequence[str]:
        """Names of what lies among them and is no letter."""
        ...

    def redrive(self, message_id: str) -> DeadLetter:
        """Send a letter back to its queue.

        Raises InvalidMessage if there is no such letter, InvalidSettings if there is no queue to send it to.
        """
        ...

    def drop(self, message_id: str) -> DeadLetter:
        """Delete a letter. Raises as `redrive`."""
        ...
