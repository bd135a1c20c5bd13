"""A FIFO queue on SQS, whose redrive policy names its dead-letter queue."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from alchemiser_common.aws.faults import Asking, code_of
from alchemiser_common.aws.sqs_dead_letters import SqsDeadLetters
from alchemiser_common.aws.sqs_messages import delivery_of, name_of, receive, release
from alchemiser_common.errors import InvalidMessage
from alchemiser_common.ports.queue import DeadLetter, Delivery, check_size

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

_REFUSED = {"InvalidMessageContents", "InvalidParameterValue", "InvalidParameterValueException"}
_STALE = {"ReceiptHandleIsInvalid", "InvalidParameterValue", "InvalidParameterValueException", "MessageNotInflight"}


class SqsQueue:
    """The queue at `url`. `wait_seconds` is how long a receive waits for a message (long polling).

    Every call raises StoreUnavailable if AWS does not answer or refuses the role, InvalidSettings if the queue is not
    there or nothing gives credentials.
    """

    def __init__(self, client: "SQSClient", url: str, *, wait_seconds: int = 1) -> None:
        self._client = client
        self._url = url
        self._wait = wait_seconds
        self._asking = Asking(f"queue {self.name}", "aws.market_data_queue and aws.trade_decision_queue")

    @property
    def name(self) -> str:
        """The queue's name, without SQS's suffix of FIFO queues."""
        return name_of(self._url)

    def send(self, body: str, *, group: str, deduplication_id: str) -> None:
        """Accept a message; a deduplication id seen within five minutes is accepted and dropped.

        Raises InvalidMessage for one over 1 MiB, or over what the queue takes.
        """
        check_size(body, self.name)
        with self._asking:
            try:
                self._client.send_message(
                    QueueUrl=self._url,
                    MessageBody=body,
                    MessageGroupId=group,
                    MessageDeduplicationId=deduplication_id,
                )
            except ClientError as error:
                if code_of(error) not in _REFUSED:
                    raise
                said = error.response.get("Error", {}).get("Message")
                raise InvalidMessage(
                    f"queue {self.name} refuses a message of {len(body.encode()):,} bytes: {said}; "
                    "its MaximumMessageSize must be 1048576"
                ) from error

    def receive(self, limit: int = 1) -> Sequence[Delivery]:
        """Up to `limit` deliveries, at most ten, oldest first; each is hidden for the queue's visibility time."""
        with self._asking:
            return [delivery_of(message) for message in receive(self._client, self._url, limit, wait=self._wait)]

    def delete(self, delivery: Delivery) -> None:
        """Done with the message. A receipt that is no longer the latest deletes nothing."""
        with self._asking:
            try:
                self._client.delete_message(QueueUrl=self._url, ReceiptHandle=delivery.receipt)
            except ClientError as error:
                _pass_if_stale(error)

    def release(self, delivery: Delivery) -> None:
        """Make the message visible again at once. A receipt that is no longer the latest does nothing."""
        with self._asking:
            try:
                release(self._client, self._url, delivery.receipt)
            except ClientError as error:
                _pass_if_stale(error)

    def dead_letters(self) -> Sequence[DeadLetter]:
        """Messages that were given up; as `SqsDeadLetters.list`."""
        return SqsDeadLetters(self._client, self._url, wait_seconds=self._wait).list()


def _pass_if_stale(error: ClientError) -> None:
    """A receipt whose time is over does nothing; every other refusal goes on."""
    if code_of(error) not in _STALE:
        raise error
