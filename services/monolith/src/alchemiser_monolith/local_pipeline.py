"""The modular pipeline on one machine: the Lambda handlers with in-process queues between them.

Stands in for the scheduler and for Lambda's polling of SQS: one message at a time, failed ones again, dead letters
kept in the archive.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from alchemiser_common.keys import dead_letter_object
from alchemiser_common.lambda_events import BatchResponse, Event, sqs_event
from alchemiser_common.messages.base import Frozen
from alchemiser_common.messages.trigger import CycleTrigger
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.queue import DeadLetter, Queue
from alchemiser_data.handler import DataFunction
from alchemiser_strategy.handler import StrategyFunction
from alchemiser_trading.handler import TradingFunction

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 15.0
_INVOCATION = timedelta(minutes=15)
"""What a Lambda invocation may take."""

_ARN = "arn:aws:sqs:local:000000000000:{queue}.fifo"

type Invoke = Callable[[Event], Frozen]


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """How many deliveries it took, and the messages that were given up."""

    delivered: int
    dead_letters: tuple[DeadLetter, ...]


class LocalPipeline:
    """Three functions and the two queues between them.

    `deliveries` is how often each message is delivered although it was handled: at-least-once, on purpose.
    """

    def __init__(
        self,
        data: DataFunction,
        strategy: StrategyFunction,
        trading: TradingFunction,
        *,
        market_data_queue: Queue,
        trade_decision_queue: Queue,
        archive: Archive,
        clock: Clock,
    ) -> None:
        self._data = data
        self._archive = archive
        self._clock = clock
        self._stages: tuple[tuple[Queue, Invoke], ...] = (
            (market_data_queue, strategy.handle),
            (trade_decision_queue, lambda event: trading.handle(event, self._time_left())),
        )

    def run(self, trigger: CycleTrigger, *, deliveries: int = 1) -> DeliveryResult:
        """Trigger the data function and work until both queues are empty. Raises TransientError of the trigger."""
        for _ in range(deliveries):
            self._data.handle(trigger.model_dump(mode="json"))
        delivered = 0
        for queue, invoke in self._stages:
            delivered += self._drain(queue, invoke, deliveries)
        letters = tuple(letter for queue, _ in self._stages for letter in queue.dead_letters())
        for letter in letters:
            self._keep(letter)
        return DeliveryResult(delivered, letters)

    def _drain(self, queue: Queue, invoke: Invoke, deliveries: int) -> int:
        delivered = 0
        while received := queue.receive():
            (delivery,) = received
            for _ in range(deliveries):
                answer = invoke(sqs_event(delivery, _ARN.format(queue=queue.name)))
                delivered += 1
                if isinstance(answer, BatchResponse) and answer.batchItemFailures:
                    self._clock.sleep(_RETRY_SECONDS)
                    queue.release(delivery)
                    break
            else:
                queue.delete(delivery)
        return delivered

    def _time_left(self) -> Callable[[], timedelta]:
        ends = self._clock.now() + _INVOCATION
        return lambda: ends - self._clock.now()

    def _keep(self, letter: DeadLetter) -> None:
        key = dead_letter_object(letter.queue, letter.sent_at, letter.message_id)
        if self._archive.get(key) is None:
            self._archive.put(key, letter.body.encode())
        _log.error("message dead-lettered", extra={"queue": letter.queue, "archive_key": key})
