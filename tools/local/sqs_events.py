"""The event that Lambda's poller makes of a message in a queue, from a client's answer or from the queue port's."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from alchemiser_common.ports.queue import Delivery

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef


def event_of(message: "MessageTypeDef", queue_arn: str) -> dict[str, object]:
    """The event with a message as SQS gave it, asked for with all its system attributes."""
    attributes = {str(name): value for name, value in message["Attributes"].items()}
    return _event(queue_arn, message["MessageId"], message["ReceiptHandle"], message["Body"], attributes)


def event_of_delivery(delivery: Delivery, queue_arn: str) -> dict[str, object]:
    """The same with a delivery of the queue port, which knows fewer attributes."""
    attributes = {"ApproximateReceiveCount": str(delivery.receive_count), "MessageGroupId": delivery.group}
    return _event(queue_arn, delivery.message_id, delivery.receipt, delivery.body, attributes)


def _event(
    queue_arn: str, message_id: str, receipt: str, body: str, attributes: Mapping[str, str]
) -> dict[str, object]:
    return {
        "Records": [
            {
                "messageId": message_id,
                "receiptHandle": receipt,
                "body": body,
                "attributes": dict(attributes),
                "messageAttributes": {},
                "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": queue_arn.split(":")[3],
            }
        ]
    }
