"""The JSON that Lambda hands in and takes back, as models; nothing else in the project sees a raw event."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alchemiser_common import __version__
from alchemiser_common.errors import AlchemiserError, InvalidMessage, OutOfTime
from alchemiser_common.messages.base import SCHEMA_VERSION, Frozen
from alchemiser_common.messages.decision import ComponentVersion
from alchemiser_common.messages.trigger import CycleTrigger
from alchemiser_common.messages.wire import describe
from alchemiser_common.ports.queue import Delivery

_log = logging.getLogger(__name__)
_GIT_SHA = "ALCHEMISER_GIT_SHA"

type Event = Mapping[str, object]


class VersionAnswer(Frozen):
    """What a service says of itself when asked with ``{"probe": "version"}``."""

    service: str
    version: str
    git_sha: str
    schema_version: str = SCHEMA_VERSION


class ItemFailure(Frozen):
    """One message that was not handled."""

    itemIdentifier: str  # noqa: N815  (Lambda's name)


class BatchResponse(Frozen):
    """The answer to an SQS event: what is not listed is done and gets deleted."""

    batchItemFailures: tuple[ItemFailure, ...] = ()  # noqa: N815  (Lambda's name)


class _SqsRecord(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    message_id: str = Field(alias="messageId")
    body: str


class _SqsEvent(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    records: tuple[_SqsRecord, ...] = Field(alias="Records", min_length=1)


def is_version_probe(event: Event) -> bool:
    """Whether the event asks only which build answers."""
    return event.get("probe") == "version"


def version_answer(service: str, variables: Mapping[str, str]) -> VersionAnswer:
    """Which build this is, by the environment of its image."""
    return VersionAnswer(service=service, version=__version__, git_sha=variables.get(_GIT_SHA, "unknown"))


def component(service: str, variables: Mapping[str, str]) -> ComponentVersion:
    """The same, as it travels in a decision."""
    return ComponentVersion(component=service, version=__version__, git_sha=variables.get(_GIT_SHA, "unknown"))


def read_trigger(event: Event) -> CycleTrigger:
    """The scheduler's event. Raises InvalidMessage."""
    try:
        return CycleTrigger.model_validate(event)
    except ValidationError as error:
        raise InvalidMessage(f"cycle trigger: {describe(error)}") from error


def sqs_event(delivery: Delivery, queue_arn: str, attributes: Iterable[tuple[str, str]] = ()) -> Event:
    """The event that Lambda's poller makes of one message: what stands in for it hands this to a function.

    `attributes` are all that the queue told; without them those that the port knows.
    """
    known = {"ApproximateReceiveCount": str(delivery.receive_count), "MessageGroupId": delivery.group}
    return {
        "Records": [
            {
                "messageId": delivery.message_id,
                "receiptHandle": delivery.receipt,
                "body": delivery.body,
                "attributes": dict(attributes) or known,
                "messageAttributes": {},
                "md5OfBody": hashlib.md5(delivery.body.encode(), usedforsecurity=False).hexdigest(),
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": queue_arn.split(":")[3],
            }
        ]
    }


def handle_batch(event: Event, handle: Callable[[str], None]) -> BatchResponse:
    """Give each message body to `handle`; from the first failure on, leave the rest to be delivered again.

    FIFO order would break otherwise. Whatever a handler raises fails its message: the queue brings it back and at
    last dead-letters it, so nothing is lost. Raises InvalidMessage if the event is not from SQS.
    """
    try:
        records = _SqsEvent.model_validate(event).records
    except ValidationError as error:
        raise InvalidMessage(f"SQS event: {describe(error)}") from error
    for index, record in enumerate(records):
        try:
            handle(record.body)
        except OutOfTime as error:
            _log.info("message handed over", extra={"message_id": record.message_id, "reason": str(error)})
        except AlchemiserError as error:
            _log.error(
                "message failed",
                extra={"message_id": record.message_id, "error": type(error).__name__, "reason": str(error)},
            )
        except Exception:  # noqa: BLE001  (a bug must not lose a message)
            _log.exception("message failed unexpectedly", extra={"message_id": record.message_id})
        else:
            continue
        return BatchResponse(
            batchItemFailures=tuple(ItemFailure(itemIdentifier=left.message_id) for left in records[index:])
        )
    return BatchResponse()
