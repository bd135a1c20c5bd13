"""A FIFO queue with dead letters on a real moto server, as a test looks at it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

VISIBILITY = 1
MAX_RECEIVES = 3


@dataclass(frozen=True)
class FifoQueue:
    """A FIFO queue and its dead letters."""

    sqs: "SQSClient"
    url: str
    dead_letters: str

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

    def hide_for(self, seconds: int) -> None:
        """Change the queue's visibility timeout."""
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"VisibilityTimeout": str(seconds)})
