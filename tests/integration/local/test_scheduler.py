"""The scheduler's stand-in: the scheduled time travels, a few tries, then its own dead letters."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from alchemiser_common.lambda_events import read_trigger
from local.functions import Answered, Failed, Function, Unreachable
from local.scheduler import Attempt, Scheduler, cycle_event
from support.aws import Aws
from support.fake_function import EXITED, OK, RAISED, Reply, fake_function

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

SCHEDULED = datetime(2020, 6, 3, 13, 45, tzinfo=UTC)


@dataclass(frozen=True)
class Rig:
    """A scheduler's surroundings."""

    sqs: "SQSClient"
    dead: str

    def fire(self, url: str, retries: int = 2) -> tuple[Attempt, int]:
        """The attempt, and how often it paused."""
        pauses: list[int] = []
        function = Function("data", url, timeout=timedelta(seconds=1))
        scheduler = Scheduler(function, self.sqs, self.dead, retries=retries, pause=lambda: pauses.append(1))
        attempt = scheduler.fire(cycle_event(SCHEDULED))
        return attempt, len(pauses)

    def letters(self) -> list[tuple[object, str]]:
        """The scheduler's dead letters: event and error."""
        found = self.sqs.receive_message(QueueUrl=self.dead, MessageAttributeNames=["All"], MaxNumberOfMessages=10)
        return [
            (json.loads(message["Body"]), message["MessageAttributes"]["ERROR_CODE"]["StringValue"])
            for message in found.get("Messages", [])
        ]


@pytest.fixture
def rig(aws: Aws) -> Iterator[Rig]:
    sqs = aws.clients.sqs
    dead = sqs.create_queue(QueueName="scheduler-dead")["QueueUrl"]
    yield Rig(sqs, dead)
    sqs.delete_queue(QueueUrl=dead)


def test_the_event_carries_the_scheduled_time(rig: Rig) -> None:
    with fake_function(lambda _: OK) as fake:
        attempt, _ = rig.fire(fake.url)
    assert isinstance(attempt.outcome, Answered)
    assert read_trigger(fake.events[0]).scheduled_at == SCHEDULED
    assert rig.letters() == []


@pytest.mark.parametrize(
    ("replies", "tries", "given_up"),
    [
        ([OK], 1, False),
        ([RAISED, OK], 2, False),
        ([EXITED, None, OK], 3, False),
        ([RAISED, RAISED, RAISED], 3, True),
    ],
)
def test_it_tries_a_few_times(
    rig: Rig, replies: list[Reply], tries: int, given_up: bool, caplog: pytest.LogCaptureFixture
) -> None:
    script: Iterator[Reply] = iter(replies)
    with fake_function(lambda _: next(script)) as fake:
        attempt, pauses = rig.fire(fake.url)
    assert (attempt.tries, attempt.given_up) == (tries, given_up)
    assert len(fake.events) == tries
    assert len({json.dumps(event) for event in fake.events}) == 1, "a retry is for the same scheduled time"
    assert pauses == tries - 1
    letters = rig.letters()
    assert letters == ([(cycle_event(SCHEDULED), Failed.__name__)] if given_up else [])
    alarms = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(alarms) == given_up


def test_a_function_that_is_not_there_is_given_up_aloud(rig: Rig) -> None:
    attempt, _ = rig.fire("http://127.0.0.1:9", retries=1)
    assert attempt.given_up
    assert rig.letters() == [(cycle_event(SCHEDULED), Unreachable.__name__)]
