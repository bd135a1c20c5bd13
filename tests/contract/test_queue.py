"""What every FIFO queue must do, whichever it is."""

from datetime import UTC, datetime, timedelta

import pytest

from alchemiser_common.embedded.memory_queue import MemoryQueue
from alchemiser_common.errors import InvalidMessage
from alchemiser_common.messages.wire import MESSAGE_LIMIT
from alchemiser_common.ports.queue import Queue
from support.clock import ManualClock

VISIBILITY = timedelta(seconds=30)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 5, tzinfo=UTC))


@pytest.fixture(params=["memory"])
def queue(request: pytest.FixtureRequest, clock: ManualClock) -> Queue:
    assert request.param == "memory"
    return MemoryQueue("MarketDataQueue", clock, visibility=VISIBILITY, max_receives=3)


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


def test_an_undeleted_message_comes_back_after_its_visibility(queue: Queue, clock: ManualClock) -> None:
    send(queue, "again")
    (first,) = queue.receive()
    clock.advance(VISIBILITY - timedelta(seconds=1))
    assert queue.receive() == []
    clock.advance(timedelta(seconds=1))
    (second,) = queue.receive()
    assert (second.message_id, second.receive_count) == (first.message_id, 2)
    queue.delete(first)
    clock.advance(VISIBILITY)
    assert len(queue.receive()) == 1, "a stale receipt deletes nothing"


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
    assert (dead.body, dead.queue, dead.receive_count) == ("poison", "MarketDataQueue", 3)


def test_a_repeated_deduplication_id_is_dropped_for_five_minutes(queue: Queue, clock: ManualClock) -> None:
    send(queue, "once", "once")
    (delivery,) = queue.receive(10)
    queue.delete(delivery)
    clock.advance(timedelta(minutes=4, seconds=59))
    send(queue, "once")
    assert queue.receive() == []
    clock.advance(timedelta(seconds=1))
    send(queue, "once")
    assert len(queue.receive()) == 1


def test_an_oversized_message_is_refused_before_it_is_sent(queue: Queue) -> None:
    with pytest.raises(InvalidMessage, match="over the limit"):
        send(queue, "x" * (MESSAGE_LIMIT + 1))
    assert queue.receive() == []
