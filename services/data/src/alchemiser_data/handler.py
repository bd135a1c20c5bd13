"""Data Lambda on one page: decode the trigger, read and check once, publish the snapshot; or answer a probe."""

from alchemiser_common.lambda_events import Event, read_trigger
from alchemiser_common.messages.base import Frozen
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.metrics import Metrics
from alchemiser_common.ports.queue import Queue
from alchemiser_common.telemetry import run_scope
from alchemiser_data.probing import DataProbes
from alchemiser_data.service import DataService


class DataAnswer(Frozen):
    """What the invocation came to: the run's status, and why it was skipped or failed (otherwise empty)."""

    run_id: str
    status: RunStatus
    reason: str


class DataFunction:
    """The function's handler with what it works on."""

    def __init__(
        self,
        service: DataService,
        market_data_queue: Queue,
        metrics: Metrics | None = None,
        probes: DataProbes | None = None,
    ) -> None:
        self._service = service
        self._queue = market_data_queue
        self._metrics = metrics
        self._probes = probes

    def handle(self, event: Event) -> Frozen:
        """One cycle. Raises TransientError for the scheduler to try again, InvalidMessage for a foreign event."""
        if self._probes is not None and (answer := self._probes.answer(event)) is not None:
            return answer
        outcome = self._service.run(read_trigger(event))
        record, archived = outcome.record, outcome.archived
        if archived is not None:
            with run_scope(record.run):
                message = archived.message()
                self._queue.send(message, group=record.account_alias, deduplication_id=str(record.run_id))
        if self._metrics is not None:
            self._metrics.end(record)
        return DataAnswer(run_id=str(record.run_id), status=record.status, reason=record.reason)
