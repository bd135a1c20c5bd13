"""AWS for tests: moto's server in a process of its own, and resources in it that no other test uses."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from alchemiser_common.aws.clients import AwsClients, keyed_session
from alchemiser_common.settings import AwsSettings

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIATESTTESTTEST", "AWS_SECRET_ACCESS_KEY": "test-secret-value"}
"""What moto takes: anything."""
_TOOLS = Path(__file__).parents[2] / "tools"


@cache
def moto_client(service: str, url: str, *, read_timeout: float = 60, attempts: int = 5) -> Any:
    """A client of any service of the moto server at `url`, as patient as a stack of the whole template needs.

    What must not be asked twice, as an invocation, needs a time-out in seconds that it keeps to, and one attempt.
    """
    settings = AwsSettings(endpoint_url=url, connect_timeout_seconds=60, read_timeout_seconds=60, attempts=attempts)
    session = keyed_session(*CREDENTIALS.values())
    return AwsClients(settings, session).client(service, read_timeout_seconds=read_timeout)


@dataclass(frozen=True, slots=True)
class FifoQueue:
    """A queue and its dead-letter queue."""

    url: str
    dead_letters_url: str


@dataclass
class Aws:
    """An endpoint that speaks AWS, with a client's settings for it."""

    url: str

    def settings(self, **changes: object) -> AwsSettings:
        """Settings that name the endpoint; timeouts are short, and a call is tried once unless `attempts` says more."""
        defaults = {"endpoint_url": self.url, "connect_timeout_seconds": 1, "read_timeout_seconds": 5, "attempts": 1}
        return AwsSettings.model_validate(defaults | changes)

    @cached_property
    def clients(self) -> AwsClients:
        return AwsClients(self.settings())

    def advance_queues(self, by: timedelta) -> None:
        """Move the clock of all queues."""
        request = urllib.request.Request(f"{self.url}/clock", data=str(by.total_seconds()).encode(), method="POST")
        urllib.request.urlopen(request, timeout=5).close()

    def make_table(self) -> str:
        """An empty state table; its name."""
        name = f"state-{uuid4().hex}"
        self.clients.dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
        )
        return name

    def make_bucket(self) -> str:
        """An empty bucket; its name."""
        name = f"archive-{uuid4().hex}"
        self.clients.s3.create_bucket(Bucket=name)
        return name

    def make_queue(self, *, visibility: timedelta = timedelta(seconds=30), max_receives: int = 3) -> FifoQueue:
        """An empty FIFO queue as the deployment makes them."""
        sqs, name = self.clients.sqs, f"MarketDataQueue-{uuid4().hex}"
        dead = sqs.create_queue(QueueName=f"{name}-dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        url = sqs.create_queue(
            QueueName=f"{name}.fifo",
            Attributes={
                "FifoQueue": "true",
                "VisibilityTimeout": str(int(visibility.total_seconds())),
                "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": max_receives}),
            },
        )["QueueUrl"]
        return FifoQueue(url, dead)

    def make_secret(self, text: str) -> str:
        """A secret with that content; its name."""
        name = f"alpaca-{uuid4().hex}"
        self.clients.secrets.create_secret(Name=name, SecretString=text)
        return name

    def make_bus(self) -> tuple[str, str]:
        """A bus whose events all go to a queue: the bus's name and the queue's URL."""
        name = f"runs-{uuid4().hex}"
        sqs, events = self.clients.sqs, self.clients.events
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.create_event_bus(Name=name)
        events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": ["alchemiser"]}))
        events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "1", "Arn": arn}])
        return name, url


@contextmanager
def moto_server() -> Iterator[Aws]:
    """The server, up while inside."""
    command = [sys.executable, "-m", "local.aws_server"]
    variables = {**os.environ, "PYTHONPATH": str(_TOOLS)}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Aws(process.stdout.readline().strip())
        finally:
            process.kill()
