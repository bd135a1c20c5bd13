"""EventBridge Scheduler's part: invokes a function with its scheduled time, tries again a few times, gives up aloud."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.functions import Answered, Event, Fault, Invocable, Outcome

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last try of a scheduled event, and how many there were."""

    outcome: Outcome
    tries: int
    given_up: bool
    """The event went to the scheduler's dead letters."""


class Scheduler:
    """Fires events at a function. `retries` more tries after a failed one, `pause` before each of them.

    An event whose tries all fail is sent to the queue `dead_letters`.
    """

    def __init__(
        self, function: Invocable, sqs: "SQSClient", dead_letters: str, *, retries: int, pause: Callable[[], None]
    ) -> None:
        self._function = function
        self._sqs = sqs
        self._dead_letters = dead_letters
        self._retries = retries
        self._pause = pause

    def fire(self, event: Event) -> Attempt:
        """Invoke until the function answers or the tries are over. Raises botocore's errors if nothing can be kept."""
        tries = 1
        while not isinstance(outcome := self._function.invoke(event), Answered):
            _log.warning("failed to fire", extra={"function": self._function.name, "detail": str(outcome)})
            if tries > self._retries:
                self._bury(event, outcome)
                return Attempt(outcome, tries, given_up=True)
            self._pause()
            tries += 1
        _log.info("fired", extra={"function": self._function.name, "tries": tries})
        return Attempt(outcome, tries, given_up=False)

    def _bury(self, event: Event, fault: Fault) -> None:
        self._sqs.send_message(
            QueueUrl=self._dead_letters,
            MessageBody=json.dumps(event),
            MessageAttributes={
                "ERROR_CODE": {"DataType": "String", "StringValue": type(fault).__name__},
                "ERROR_MESSAGE": {"DataType": "String", "StringValue": fault.reason},
            },
        )
        _log.error("ALARM: scheduled event given up", extra={"function": self._function.name, "detail": str(fault)})


def cycle_event(scheduled_at: datetime) -> Event:
    """What starts a cycle: the scheduled time, not the time of firing."""
    return {"scheduled_at": f"{scheduled_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
