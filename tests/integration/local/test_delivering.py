"""The event source's process: waits for its queues, delivers until it is told to stop."""

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event as Flag
from threading import Lock, Thread
from uuid import uuid4

import pytest

from alchemiser_common.errors import InvalidSettings
from local.aws import LocalAws
from local.delivering import Map, Watch, deliver_all, read_map, read_watch
from support.aws import Aws
from support.fake_function import OK, Reply, fake_function

BRIEFLY = timedelta(seconds=0.05)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_waits_for_its_queue_and_delivers_until_it_is_stopped(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    name = f"late-{uuid4().hex}.fifo"
    stop = Flag()
    with fake_function(lambda _: OK) as fake:
        maps = [Map(name, fake.url, timedelta(seconds=1))]
        thread = Thread(target=deliver_all, args=(LocalAws(aws.url), maps, stop))
        thread.start()
        until(lambda: "no mapping yet" in caplog.text)
        url = aws.clients.sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"]
        for number in range(3):
            aws.clients.sqs.send_message(
                QueueUrl=url, MessageBody=str(number), MessageGroupId="demo", MessageDeduplicationId=str(number)
            )
        until(lambda: len(fake.events) == 3)
        stop.set()
        thread.join(10)
        assert not thread.is_alive()
        assert fake.bodies == ["0", "1", "2"]


def test_the_watch_comes_while_nothing_is_delivered_and_never_beside_a_delivery(aws: Aws) -> None:
    name, stop, at_work, seen = f"{uuid4().hex}.fifo", Flag(), Lock(), list[bool]()

    def behave(event: dict[str, object]) -> Reply:
        alone = at_work.acquire(blocking=False)
        seen.append(alone)
        time.sleep(0.3 if "Records" in event else 0.02)
        if alone:
            at_work.release()
        return OK

    url = aws.clients.sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"]
    with fake_function(behave) as fake:
        parts = [Map(name, fake.url, timedelta(seconds=1))], stop, [Watch(fake.url, timedelta(seconds=1), BRIEFLY)]
        thread = Thread(target=deliver_all, args=(LocalAws(aws.url), *parts))
        thread.start()
        until(lambda: {"watch": "overdue"} in fake.events)
        for number in range(2):
            aws.clients.sqs.send_message(
                QueueUrl=url, MessageBody=str(number), MessageGroupId="demo", MessageDeduplicationId=str(number)
            )
        until(lambda: len([event for event in fake.events if "Records" in event]) == 2)
        until(lambda: fake.events[-1] == {"watch": "overdue"})
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    assert all(seen)


def test_a_watch_names_function_time_and_interval() -> None:
    assert read_watch("http://t:8080,45,30") == Watch("http://t:8080", timedelta(seconds=45), timedelta(seconds=30))
    with pytest.raises(InvalidSettings, match=r"give URL,SECONDS,EVERY, e\.g\."):
        read_watch("http://t:8080,45")


def test_a_map_names_queue_function_and_seconds() -> None:
    assert read_map("a.fifo=http://trading:8080,45") == Map("a.fifo", "http://trading:8080", timedelta(seconds=45))


@pytest.mark.parametrize("text", ["a.fifo", "a.fifo=trading,45", "a.fifo=http://trading:8080", "=http://t,1", ""])
def test_another_map_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidSettings, match=r"give QUEUE=URL,SECONDS, e\.g\."):
        read_map(text)
