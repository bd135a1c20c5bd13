"""The dead letters of a queue on SQS: looked at, sent back, or dropped, one at a time."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from alchemiser_common.aws.faults import Asking
from alchemiser_common.aws.sqs_messages import RECEIVE_LIMIT, delivery_of, name_of, receive, release
from alchemiser_common.errors import InvalidMessage, InvalidSettings
from alchemiser_common.ports.queue import DeadLetter, Delivery

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

_HOLD_SECONDS = 30
"""How long a letter that is looked at is hidden, should this process die."""


class SqsDeadLetters:
    """The dead-letter queue that the redrive policy of the queue at `url` names.

    `keep` is given a letter before it is dropped, and may raise to prevent it. A look waits `wait_seconds` for each
    receive. Every call raises StoreUnavailable if AWS does not answer or refuses the role, and InvalidSettings if the
    queue is not there or its redrive policy names no dead-letter queue.
    """

    def __init__(
        self,
        client: "SQSClient",
        url: str,
        *,
        keep: Callable[[DeadLetter], None] = lambda _letter: None,
        wait_seconds: int = 1,
    ) -> None:
        self._client = client
        self._keep = keep
        self._source = url
        self._wait = wait_seconds
        self._asking = Asking(f"dead letters of queue {name_of(url)}", "the queue's redrive policy")

    def list(self) -> Sequence[DeadLetter]:
        """The letters, oldest first. Of one group SQS shows the first ten; the rest come when those are gone."""
        with self._asking:
            url, max_receives = self._target()
            with self._held(url) as held:
                return [self._letter(item, max_receives) for item in held]

    def strays(self) -> Sequence[str]:
        """None: whatever is in a queue is a letter."""
        return ()

    # SQS moves nothing from queue to queue at once, so the order is: send, then delete. Whatever breaks in between
    # leaves the letter in at least one of the two:
    #
    #   hold the letters (hidden from others, at most 30 s) → send to the queue → delete the letter → release the rest
    #        │ dies here: visible again,                        │ dies here: in both. Redriven again within five
    #        │ nothing was sent                                 │ minutes it has the same deduplication id, and SQS
    #                                                           │ drops it; later it is sent twice, and the run id
    #                                                           │ makes the second delivery a repetition of its run.
    def redrive(self, message_id: str) -> DeadLetter:
        """Send one letter back to its queue, then take it away.

        Tried again within five minutes it is sent once; sent twice it is handled as a second delivery of its run.
        Raises InvalidMessage if there is no such letter.
        """
        with self._asking:
            url, max_receives = self._target()
            with self._held(url) as held:
                item = self._find(held, message_id)
                self._client.send_message(
                    QueueUrl=self._source,
                    MessageBody=item.body,
                    MessageGroupId=item.group,
                    MessageDeduplicationId=f"redrive-{message_id}",
                )
                self._client.delete_message(QueueUrl=url, ReceiptHandle=item.receipt)
                return self._letter(item, max_receives)

    def drop(self, message_id: str) -> DeadLetter:
        """Delete one letter and give it back for the record. Raises InvalidMessage if there is no such letter."""
        with self._asking:
            url, max_receives = self._target()
            with self._held(url) as held:
                item = self._find(held, message_id)
                letter = self._letter(item, max_receives)
                self._keep(letter)
                self._client.delete_message(QueueUrl=url, ReceiptHandle=item.receipt)
                return letter

    @contextmanager
    def _held(self, url: str) -> Iterator[Sequence[Delivery]]:
        """What the dead-letter queue gives, hidden from others meanwhile and visible again afterwards."""
        held: list[Delivery] = []
        try:
            while messages := receive(self._client, url, RECEIVE_LIMIT, wait=self._wait, visibility=_HOLD_SECONDS):
                held += [delivery_of(message) for message in messages]
            yield held
        finally:
            for item in held:
                with suppress(ClientError, BotoCoreError):  # what was deleted, or comes back by itself in a moment
                    release(self._client, url, item.receipt)

    def _find(self, held: Sequence[Delivery], message_id: str) -> Delivery:
        for item in held:
            if item.message_id == message_id:
                return item
        raise InvalidMessage(f"queue {name_of(self._source)} has no dead letter {message_id}; `alchemiser dlq list`")

    def _target(self) -> tuple[str, int]:
        """URL of the dead-letter queue, and after how many deliveries a message goes there."""
        attributes = self._client.get_queue_attributes(QueueUrl=self._source, AttributeNames=["RedrivePolicy"])
        policy = json.loads(attributes.get("Attributes", {}).get("RedrivePolicy", "{}"))
        if "deadLetterTargetArn" not in policy:
            raise InvalidSettings(f"queue {name_of(self._source)} has no redrive policy, and so no dead-letter queue")
        *_, account, name = str(policy["deadLetterTargetArn"]).split(":")
        url = self._client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        return url, int(policy["maxReceiveCount"])

    def _letter(self, item: Delivery, max_receives: int) -> DeadLetter:
        # The receive count of the delivery grows with every look at the letter.
        return DeadLetter(item.message_id, name_of(self._source), item.body, item.group, item.sent_at, max_receives)
