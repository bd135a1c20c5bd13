"""A FIFO queue on SQS, whose redrive policy names its dead-letter queue."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from alchemiser_common.aws.faults import Asking, code_of
from alchemiser_common.errors import InvalidMessage
from alchemiser_common.ports.queue import DeadLetter, Delivery, check_size

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_BATCH = 10
"""Messages of one receive, by SQS's limit."""
_REFUSED = {"InvalidMessageContents", "InvalidParameterValue", "InvalidParameterValueException"}
_STALE = {"ReceiptHandleIsInvalid", "InvalidParameterValue", "InvalidParameterValueException", "MessageNotInflight"}


class SqsQueue:
    """The queue at `url`. `wait_seconds` is how long a receive waits for a message (long polling)."""

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
        """Accept a message; a deduplication id seen within five minutes is accepted and dropped."""
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
        """Up to `limit` deliveries, at most ten, oldest first."""
        with self._asking:
            return [delivery(message) for message in receive(self._client, self._url, limit, wait=self._wait)]

    def delete(self, delivery: Delivery) -> None:
        """Done with the message. A receipt that is no longer the latest deletes nothing."""
        with self._asking:
            try:
                self._client.delete_message(QueueUrl=self._url, ReceiptHandle=delivery.receipt)
            except ClientError as error:
                _pass_if_stale(error)

    def release(self, delivery: Delivery) -> None:
        """Make the message visible again at once."""
        with self._asking:
            try:
                release(self._client, self._url, delivery.receipt)
            except ClientError as error:
                _pass_if_stale(error)

    def dead_letters(self) -> Sequence[DeadLetter]:
        """Messages that were given up; as `SqsDeadLetters.list`."""
        from alchemiser_common.aws.sqs_dead_letters import SqsDeadLetters

        return SqsDeadLetters(self._client, self._url, wait_seconds=self._wait).list()


def name_of(url: str) -> str:
    """The queue's name in this project's words."""
    return url.rpartition("/")[2].removesuffix(".fifo")


def receive(
    client: "SQSClient", url: str, limit: int, *, wait: int, visibility: int | None = None
) -> Sequence["MessageTypeDef"]:
    """Messages as SQS gives them, hidden for `visibility` seconds or the queue's own time."""
    extra: dict[str, Any] = {} if visibility is None else {"VisibilityTimeout": visibility}
    return client.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=min(limit, _BATCH),
        WaitTimeSeconds=wait,
        MessageSystemAttributeNames=["ApproximateReceiveCount", "MessageGroupId", "SentTimestamp"],
        **extra,
    ).get("Messages", [])


def delivery(message: "MessageTypeDef") -> Delivery:
    """A message of SQS as a delivery."""
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


def _pass_if_stale(error: ClientError) -> None:
    """A receipt whose time is over does nothing; every other refusal goes on."""
    if code_of(error) not in _STALE:
        raise error
