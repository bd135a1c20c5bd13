"""A FIFO queue with dead letters, as a test of deliveries looks at it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from support.aws import Aws

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

VISIBILITY = timedelta(seconds=30)
MAX_RECEIVES = 3


@dataclass(frozen=True)
class DeliveryQueue:
    """The queue at `url` on the local AWS."""

    aws: Aws
    url: str
    dead_letters: str

    @property
    def sqs(self) -> "SQSClient":
        return self.aws.clients.sqs

    def send(self, body: str, *, group: str = "account") -> None:
        self.sqs.send_message(
            QueueUrl=self.url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=f"{group}/{body}"
        )

    def dead(self) -> list[str]:
        """What the dead letter queue holds."""
        found = self.sqs.receive_message(QueueUrl=self.dead_letters, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in found.get("Messages", [])]

    def left(self) -> int:
        """Messages that are neither deleted nor dead."""
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])

    def let_the_visibility_end(self) -> None:
        """Move the queues' clock to where what was delivered is visible again."""
        self.aws.advance_queues(VISIBILITY + timedelta(seconds=1))


def make_delivery_queue(aws: Aws) -> DeliveryQueue:
    """An empty queue that gives a message up after three receipts."""
    made = aws.make_queue(visibility=VISIBILITY, max_receives=MAX_RECEIVES)
    return DeliveryQueue(aws, made.url, made.dead_letters_url)
