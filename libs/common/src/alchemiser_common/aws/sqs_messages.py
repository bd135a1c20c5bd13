"""What the queue and its dead letters have in common: a message of SQS FIFO as this project's delivery."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from alchemiser_common.ports.queue import Delivery

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

RECEIVE_LIMIT = 10
"""Messages of one receive, by SQS's limit."""


def name_of(url: str) -> str:
    """The queue's name in this project's words."""
    return url.rpartition("/")[2].removesuffix(".fifo")


def receive(
    client: "SQSClient", url: str, limit: int, *, wait: int, visibility: int | None = None
) -> Sequence["MessageTypeDef"]:
    """Up to `limit` messages as SQS gives them, at most ten, hidden for `visibility` seconds or the queue's own time.

    Waits `wait` seconds for the first. Raises botocore's errors, as do the others here.
    """
    extra: dict[str, Any] = {} if visibility is None else {"VisibilityTimeout": visibility}
    return client.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=min(limit, RECEIVE_LIMIT),
        WaitTimeSeconds=wait,
        MessageSystemAttributeNames=["ApproximateReceiveCount", "MessageGroupId", "SentTimestamp"],
        **extra,
    ).get("Messages", [])


def delivery_of(message: "MessageTypeDef") -> Delivery:
    """A message of SQS as a delivery; `message` was received with the attributes that `receive` asks for."""
    attributes = message["Attributes"]
    return Delivery(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        group=attributes["MessageGroupId"],
        sent_at=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC),
        receive_count=int(attributes["ApproximateReceiveCount"]),
    )


def release(client: "SQSClient", url: str, receipt: str) -> None:
    """Make a delivery visible again at once."""
    client.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)
