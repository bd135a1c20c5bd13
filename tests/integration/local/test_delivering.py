"""The event source's process: waits for its queues, delivers until it is told to stop."""

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event as Flag
from threading import Thread
from uuid import uuid4

import pytest

from alchemiser_common.errors import InvalidSettings
from local.aws import LocalAws
from local.delivering import Map, deliver_all, read_map
from support.aws import Aws
from support.fake_function import OK, fake_function


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


def test_a_map_names_queue_function_and_seconds() -> None:
    assert read_map("a.fifo=http://trading:8080,45") == Map("a.fifo", "http://trading:8080", timedelta(seconds=45))


@pytest.mark.parametrize("text", ["a.fifo", "a.fifo=trading,45", "a.fifo=http://trading:8080", "=http://t,1", ""])
def test_another_map_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidSettings, match=r"give QUEUE=URL,SECONDS, e\.g\."):
        read_map(text)
