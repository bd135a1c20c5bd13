"""What the event source does with a delivery, against a real moto server and a function that is not ours."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from threading import Event as Flag
from threading import Lock, Thread

import pytest

from alchemiser_common.errors import InvalidSettings
from local.event_source import Delivery, EventSource
from local.functions import Answered, Failed, Function, Overran, Unreachable
from support.delivery_queue import MAX_RECEIVES, VISIBILITY, DeliveryQueue
from support.fake_function import (
    EXITED,
    OK,
    OVERRUN,
    RAISED,
    Behaviour,
    FakeFunction,
    Reply,
    body_of,
    failing,
    fake_function,
    record_of,
    slow,
)

type Mapped = Callable[[Behaviour], tuple[EventSource, FakeFunction]]
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def mapped(queue: DeliveryQueue) -> Iterator[Mapped]:
    """Map the queue to a function with that behaviour."""
    with ExitStack() as stack:

        def build(behave: Behaviour, url: str | None = None) -> tuple[EventSource, FakeFunction]:
            fake = stack.enter_context(fake_function(behave))
            function = Function("fake", url or fake.url, timeout=timedelta(seconds=1))
            return EventSource(queue.sqs, queue.url, function), fake

        yield build


def poll(source: EventSource) -> Delivery:
    delivery = source.poll()
    assert delivery is not None, "no message was deliverable"
    return delivery


def answering(text: str, status: int = 200) -> Behaviour:
    return lambda _: (status, text)


@pytest.mark.parametrize(
    ("behave", "outcome", "done"),
    [
        pytest.param(answering("null"), Answered, True, id="nothing returned"),
        pytest.param(answering('{"batchItemFailures": []}'), Answered, True, id="no failure listed"),
        pytest.param(answering('{"batchItemFailures": null}'), Answered, True, id="null for a list"),
        pytest.param(answering("{}"), Answered, True, id="an answer without the list"),
        pytest.param(failing, Answered, False, id="the message listed as failed"),
        pytest.param(answering('{"batchItemFailures": [{"itemIdentifier": "other"}]}'), Answered, False, id="other id"),
        pytest.param(answering('{"batchItemFailures": [{"item": ""}]}'), Answered, False, id="list of another form"),
        pytest.param(answering('"done"'), Answered, False, id="not an object"),
        pytest.param(answering("{"), Failed, False, id="not JSON"),
        pytest.param(lambda _: RAISED, Failed, False, id="the function raised"),
        pytest.param(lambda _: EXITED, Failed, False, id="its process ended"),
        pytest.param(lambda _: OVERRUN, Overran, False, id="its time was over"),
        pytest.param(lambda _: None, Unreachable, False, id="the connection broke"),
    ],
)
def test_what_is_handled_is_deleted_and_the_rest_is_left(
    queue: DeliveryQueue, mapped: Mapped, behave: Behaviour, outcome: type[object], done: bool
) -> None:
    source, fake = mapped(behave)
    queue.send("one")
    delivery = poll(source)
    assert fake.bodies == ["one"]
    assert isinstance(delivery.outcome, outcome)
    assert delivery.done is done
    assert queue.left() == (0 if done else 1)


def test_a_function_that_does_not_end_is_given_up(queue: DeliveryQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.functions._GRACE", timedelta(seconds=0))
    with fake_function(slow(2)) as fake:
        function = Function("fake", fake.url, timeout=timedelta(seconds=1))
        queue.send("one")
        assert isinstance(poll(EventSource(queue.sqs, queue.url, function)).outcome, Overran)
    assert queue.left() == 1


def test_the_event_is_what_lambda_hands_in(queue: DeliveryQueue, mapped: Mapped) -> None:
    source, fake = mapped(lambda _: OK)
    queue.send("one", group="mine")
    delivery = poll(source)
    record = record_of(fake.events[0])
    assert record["body"] == "one"
    assert record["messageId"] == delivery.message_id
    assert record["attributes"]["MessageGroupId"] == "mine"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith(f":{source.queue}")
    assert record["awsRegion"] == "us-east-1"


def test_a_failed_message_waits_out_its_visibility_and_keeps_its_place(queue: DeliveryQueue, mapped: Mapped) -> None:
    replies: Iterator[Reply] = iter([RAISED, OK, OK])
    source, fake = mapped(lambda _: next(replies))
    queue.send("first")
    queue.send("second")
    assert not poll(source).done
    queue.aws.advance_queues(VISIBILITY / 2)
    assert source.poll() is None, "a message overtook the one before it in its group, or came back early"
    queue.let_the_visibility_end()
    assert poll(source).receive_count == 2
    assert poll(source).done
    assert fake.bodies == ["first", "first", "second"]
    assert queue.left() == 0


def test_groups_do_not_wait_for_each_other(queue: DeliveryQueue, mapped: Mapped) -> None:
    source, fake = mapped(lambda event: RAISED if body_of(event) == "a1" and len(fake.events) == 1 else OK)
    for body, group in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b")):
        queue.send(body, group=group)
    assert not poll(source).done
    assert [poll(source).done for _ in range(2)] == [True, True]
    assert source.poll() is None
    queue.let_the_visibility_end()
    assert [poll(source).done for _ in range(2)] == [True, True]
    assert fake.bodies == ["a1", "b1", "b2", "a1", "a2"]


def test_the_third_failure_ends_in_the_dead_letters_and_is_said_aloud(
    queue: DeliveryQueue, mapped: Mapped, caplog: pytest.LogCaptureFixture
) -> None:
    source, fake = mapped(lambda event: failing(event) if body_of(event) == "poison" else OK)
    queue.send("poison")
    queue.send("good")
    tries = []
    for _ in range(MAX_RECEIVES):
        tries.append(poll(source))
        queue.let_the_visibility_end()
    assert [delivery.receive_count for delivery in tries] == [1, 2, 3]
    assert [delivery.last for delivery in tries] == [False, False, True]
    assert poll(source).done
    assert fake.bodies == ["poison"] * MAX_RECEIVES + ["good"]
    assert queue.dead() == ["poison"]
    assert queue.left() == 0
    alarms = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.getMessage() for record in alarms] == ["ALARM: message goes to the dead letters"]


def test_unreachable_functions_use_up_receives_as_throttled_ones_do(queue: DeliveryQueue) -> None:
    function = Function("gone", NOWHERE, timeout=timedelta(seconds=1))
    source = EventSource(queue.sqs, queue.url, function)
    queue.send("one")
    for _ in range(MAX_RECEIVES):
        assert isinstance(poll(source).outcome, Unreachable)
        queue.let_the_visibility_end()
    assert source.poll() is None
    assert queue.dead() == ["one"]


def test_a_queue_that_hides_for_less_than_the_function_may_take_is_refused(queue: DeliveryQueue) -> None:
    function = Function("slow", NOWHERE, timeout=VISIBILITY + timedelta(seconds=1))
    with pytest.raises(
        InvalidSettings,
        match="hides a message for 30 s, slow may work on it for 31 s",
    ):
        EventSource(queue.sqs, queue.url, function)


def test_work_that_outlasts_the_visibility_is_delivered_twice(queue: DeliveryQueue, mapped: Mapped) -> None:
    """AWS refuses the late delete of the first delivery, moto carries it out: the second's own delete comes first."""
    second, other = mapped(lambda _: OK)
    meanwhile: list[Delivery] = []

    def outlasting(_: dict[str, object]) -> Reply:
        queue.let_the_visibility_end()
        meanwhile.append(poll(second))
        return OK

    first, slow_one = mapped(outlasting)
    queue.send("one")
    assert poll(first).done
    assert meanwhile[0].receive_count == 2
    assert slow_one.bodies == other.bodies == ["one"], "both had it"
    assert queue.left() == 0


def test_it_polls_until_it_is_stopped(queue: DeliveryQueue, mapped: Mapped) -> None:
    source, fake = mapped(lambda _: OK)
    stop = Flag()
    thread = Thread(target=source.run, args=(stop, Lock()))
    thread.start()
    for number in range(3):
        queue.send(str(number))
    deadline = time.monotonic() + 10
    while len(fake.events) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert fake.bodies == ["0", "1", "2"]
