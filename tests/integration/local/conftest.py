"""A real moto server over HTTP, a FIFO queue with dead letters on it, and functions that answer by a script."""

import json
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

import boto3
import pytest
from moto.server import ThreadedMotoServer

from support.fifo_queue import MAX_RECEIVES, VISIBILITY, FifoQueue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def sqs(aws_url: str) -> "Iterator[SQSClient]":
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    client = session.client("sqs", endpoint_url=aws_url)
    yield client
    client.close()


@pytest.fixture
def queue(sqs: "SQSClient") -> FifoQueue:
    name = f"queue-{next(_NUMBERS)}"
    dead_letters = sqs.create_queue(QueueName=f"{name}-dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES})
    attributes = {"FifoQueue": "true", "VisibilityTimeout": str(VISIBILITY), "RedrivePolicy": redrive}
    url = sqs.create_queue(QueueName=f"{name}.fifo", Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]
    return FifoQueue(sqs, url, dead_letters)
