"""Event source mapping: takes messages from a FIFO queue to a function, one at a time, as Lambda's poller does.

The queue keeps the order within a group, hides what is delivered, counts receipts and gives up after its redrive
policy's number; what happens here is only to delete a message that the function did not fail.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from threading import Event as Flag
from threading import Lock
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from alchemiser_common.aws.sqs_messages import delivery_of
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.lambda_events import sqs_event
from local.functions import Answered, Invocable, Outcome

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_log = logging.getLogger(__name__)
_PAUSE_SECONDS = 0.2
"""Between two looks into an empty queue. No long polling: moto serves nobody else meanwhile."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery and what it came to."""

    message_id: str
    group: str
    receive_count: int
    outcome: Outcome
    done: bool
    """The function handled the message, and it was deleted."""
    last: bool
    """Not handled, and the queue gives it up: it goes to the dead letters."""


class EventSource:
    """The mapping of one queue to one function: FIFO, batch size 1, ReportBatchItemFailures.

    Raises InvalidSettings if the queue hides a message for less than the function may take, as Lambda does.
    """

    def __init__(self, sqs: "SQSClient", queue_url: str, function: Invocable) -> None:
        self._sqs = sqs
        self._url = queue_url
        self._function = function
        attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
        self._arn = attributes["QueueArn"]
        self._max_receives = int(json.loads(attributes.get("RedrivePolicy", "{}")).get("maxReceiveCount", 0))
        visibility = timedelta(seconds=int(attributes["VisibilityTimeout"]))
        if visibility < function.timeout:
            raise InvalidSettings(
                f"queue {self.queue} hides a message for {visibility.total_seconds():g} s, {function.name} may "
                f"work on it for {function.timeout.total_seconds():g} s: it would be delivered again meanwhile"
            )

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self._arn.rpartition(":")[2]

    #   receive ──► invisible for the queue's visibility ──► invoke ──┬─ handled ──► delete ──► gone
    #                                                                 └─ not ──► leave it; visible again afterwards,
    #                                                                            after maxReceiveCount: dead letters
    # Nothing is made visible early: a retry waits out the visibility, as with Lambda. While a message is invisible the
    # queue gives nothing else of its group, which is what keeps the order.
    def poll(self) -> Delivery | None:
        """Take the next message that may be delivered to the function. None if there is none.

        Raises botocore's errors if the queue is out of reach.
        """
        received = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=1,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not received:
            return None
        (message,) = received
        outcome = self._function.invoke(sqs_event(delivery_of(message), self._arn, message["Attributes"].items()))
        done = handled(outcome)
        if done:
            self._delete(message)
        attributes = message["Attributes"]
        count = int(attributes["ApproximateReceiveCount"])
        delivery = Delivery(
            message_id=message["MessageId"],
            group=attributes["MessageGroupId"],
            receive_count=count,
            outcome=outcome,
            done=done,
            last=not done and 0 < self._max_receives <= count,
        )
        self._tell(delivery)
        return delivery

    def run(self, stop: Flag, busy: Lock) -> None:
        """Poll until told to stop, `busy` held while the function may work; a queue out of reach is tried again."""
        while not stop.is_set():
            try:
                with busy:
                    delivery = self.poll()
                if delivery is not None:
                    continue
            except (BotoCoreError, ClientError) as error:
                _log.warning("queue out of reach", extra={"queue": self.queue, "reason": str(error)})
            stop.wait(_PAUSE_SECONDS)

    def _delete(self, message: "MessageTypeDef") -> None:
        """A receipt that ran out deletes nothing: the message comes again, and its function must bear that."""
        try:
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        except (BotoCoreError, ClientError) as error:
            _log.warning("handled, not deleted", extra={"queue": self.queue, "reason": str(error)})

    def _tell(self, delivery: Delivery) -> None:
        known = {
            "queue": self.queue,
            "function": self._function.name,
            "message_id": delivery.message_id,
            "receive_count": delivery.receive_count,
            "outcome": type(delivery.outcome).__name__,
        }
        if delivery.done:
            _log.info("delivered", extra=known)
        elif delivery.last:
            _log.error("ALARM: message goes to the dead letters", extra={**known, "detail": str(delivery.outcome)})
        else:
            _log.warning("left in the queue", extra={**known, "detail": str(delivery.outcome)})


def handled(outcome: Outcome) -> bool:
    """Whether the batch of one message was: no list of failures, or an empty one, says so.

    An answer of another form fails the batch, and so does a list that names a message which is not in it.
    """
    if not isinstance(outcome, Answered):
        return False
    if outcome.payload is None:
        return True
    if not isinstance(outcome.payload, Mapping):
        return False
    failures = outcome.payload.get("batchItemFailures")
    return failures is None or failures == []
