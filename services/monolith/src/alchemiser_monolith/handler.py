"""Monolith Lambda on one page: a cycle from its trigger to its end, or the watch's event."""

from alchemiser_common.lambda_events import Event, read_trigger
from alchemiser_common.messages.base import Frozen
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.metrics import Metrics
from alchemiser_common.ports.clock import TimeLeft
from alchemiser_monolith.monolith import Monolith
from alchemiser_trading.handler import TradingFunction, is_watch


class MonolithAnswer(Frozen):
    """What the invocation came to."""

    run_id: str
    status: RunStatus
    reason: str


class MonolithFunction:
    """The function's handler with what it works on."""

    def __init__(self, monolith: Monolith, trading: TradingFunction, metrics: Metrics | None = None) -> None:
        self._monolith = monolith
        self._trading = trading
        self._metrics = metrics

    def handle(self, event: Event, time_left: TimeLeft) -> Frozen:
        """One cycle. Raises TransientError for the scheduler to try again, InvalidMessage for a foreign event."""
        if is_watch(event):
            return self._trading.handle(event, time_left)
        outcome = self._monolith.run(read_trigger(event), time_left=time_left)
        if isinstance(outcome, ExecutionReport):
            self._trading.ended(outcome)
        elif self._metrics is not None:
            self._metrics.end(outcome)
        return MonolithAnswer(run_id=str(outcome.run_id), status=outcome.status, reason=outcome.reason)
