"""What every FIFO queue must do, whichever it is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from alchemiser_common.aws.sqs_queue import SqsQueue
from alchemiser_common.embedded.memory_queue import MemoryQueue
from alchemiser_common.errors import InvalidMessage
from alchemiser_common.messages.wire import MESSAGE_LIMIT
from alchemiser_common.ports.queue import Queue
from support.aws import Aws
from support.clock import ManualClock

VISIBILITY = timedelta(seconds=30)


@pytest.fixture(params=["memory", "sqs"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 5, tzinfo=UTC))


@pytest.fixture
def queue(kind: str, request: pytest.FixtureRequest, clock: ManualClock) -> Queue:
    if kind == "memory":
        return MemoryQueue("MarketDataQueue", clock, visibility=VISIBILITY, max_receives=3)
    aws: Aws = request.getfixturevalue("aws")
    return SqsQueue(aws.clients.sqs, aws.make_queue(visibility=VISIBILITY).url, wait_seconds=0)


@pytest.fixture
def advance(kind: str, request: pytest.FixtureRequest, clock: ManualClock) -> Callable[[timedelta], None]:
    """Moves the queue's clock."""
    if kind == "memory":
        return clock.advance
    aws: Aws = request.getfixturevalue("aws")
    return aws.advance_queues


def send(queue: Queue, *bodies: str, group: str = "demo") -> None:
    for body in bodies:
        queue.send(body, group=group, deduplication_id=body)


def test_messages_of_a_group_come_in_order_one_at_a_time(queue: Queue) -> None:
    send(queue, "first", "second")
    (first,) = queue.receive()
    assert first.body == "first"
    assert queue.receive(10) == [], "the group waits while its first message is in flight"
    queue.delete(first)
    (second,) = queue.receive(10)
    assert second.body == "second"


def test_other_groups_do_not_wait(queue: Queue) -> None:
    send(queue, "a1", "a2", group="a")
    send(queue, "b1", group="b")
    assert [delivery.body for delivery in queue.receive()] == ["a1"]
    assert [delivery.body for delivery in queue.receive()] == ["b1"], "group a waits for a1"


def test_an_undeleted_message_comes_back_after_its_visibility(
    queue: Queue, advance: Callable[[timedelta], None]
) -> None:
    send(queue, "again")
    (first,) = queue.receive()
    advance(VISIBILITY - timedelta(seconds=2))
    assert queue.receive() == []
    advance(timedelta(seconds=2))
    (second,) = queue.receive()
    assert (second.message_id, second.receive_count) == (first.message_id, 2)


def test_a_stale_receipt_deletes_nothing(clock: ManualClock) -> None:
    """SQS refuses a receipt whose time is over; moto takes every receipt that a message ever had."""
    queue = MemoryQueue("MarketDataQueue", clock, visibility=VISIBILITY)
    send(queue, "again")
    (first,) = queue.receive()
    clock.advance(VISIBILITY)
    queue.receive()
    queue.delete(first)
    clock.advance(VISIBILITY)
    assert len(queue.receive()) == 1


def test_a_released_message_comes_back_at_once(queue: Queue) -> None:
    send(queue, "again")
    (first,) = queue.receive()
    queue.release(first)
    assert [delivery.receive_count for delivery in queue.receive()] == [2]


def test_a_message_that_is_never_deleted_ends_as_a_dead_letter(queue: Queue) -> None:
    send(queue, "poison", "next")
    for _ in range(3):
        (delivery,) = queue.receive()
        queue.release(delivery)
    (following,) = queue.receive()
    assert following.body == "next", "the group goes on after its poison is buried"
    (dead,) = queue.dead_letters()
    assert (dead.body, dead.queue, dead.receive_count) == ("poison", queue.name, 3)
    assert list(queue.dead_letters()) == [dead], "a look takes nothing away"


def test_a_repeated_deduplication_id_is_dropped_for_five_minutes(
    kind: str, queue: Queue, advance: Callable[[timedelta], None]
) -> None:
    """Whether or not the first message is still there; moto forgets the id with the message, so there it stays."""
    send(queue, "once", "once")
    if kind == "memory":
        (delivery,) = queue.receive(10)
        queue.delete(delivery)
    advance(timedelta(minutes=4, seconds=58))
    send(queue, "once")
    before = queue.receive(10)
    assert len(before) == (0 if kind == "memory" else 1)
    for delivery in before:
        queue.delete(delivery)
    advance(timedelta(seconds=2))
    send(queue, "once")
    assert len(queue.receive()) == 1


def test_an_oversized_message_is_refused_before_it_is_sent(queue: Queue) -> None:
    with pytest.raises(InvalidMessage, match="over the limit"):
        send(queue, "x" * (MESSAGE_LIMIT + 1))
    assert queue.receive() == []
