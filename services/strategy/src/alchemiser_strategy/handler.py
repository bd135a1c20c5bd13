"""Strategy Lambda on one page: decode the snapshot, decide, publish the decision or why there is none.

A build is tried before it goes live: what it is made of and what it decides on a snapshot is answered, not published.
"""

from alchemiser_common.lambda_events import Event, handle_batch
from alchemiser_common.messages.base import Frozen
from alchemiser_common.messages.reference import SnapshotReference
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import decode, encode
from alchemiser_common.ports.queue import Queue
from alchemiser_common.telemetry import run_scope
from alchemiser_strategy.service import StrategyService


class StrategyFunction:
    """The function's handler with what it works on."""

    def __init__(self, service: StrategyService, trade_decision_queue: Queue) -> None:
        self._service = service
        self._queue = trade_decision_queue

    def handle(self, event: Event) -> Frozen:
        """A batch from MarketDataQueue, or a probe. Answers with the items that are to be delivered again.

        Raises InvalidMessage for a probe whose snapshot cannot be read.
        """
        if (answer := self._service.probed(event)) is not None:
            return answer
        return handle_batch(event, self._handle_message)

    def _handle_message(self, body: str) -> None:
        match decode(body, MarketSnapshot, SnapshotReference):
            case (MarketSnapshot() | SnapshotReference()) as message:
                with run_scope(message.run):
                    answer = self._service.answer(message)
                    self._queue.send(encode(answer), group=message.account_alias, deduplication_id=str(message.run_id))
