"""Monolith Lambda on one page: a cycle from its trigger to its end, the watch's event, or a probe's answer."""

import logging

from alchemiser_common.errors import OutOfTime
from alchemiser_common.lambda_events import Event, read_trigger
from alchemiser_common.messages.base import Frozen
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.metrics import Metrics
from alchemiser_common.ports.clock import TimeLeft
from alchemiser_common.probes import Composition
from alchemiser_data.probing import DataProbes
from alchemiser_monolith.monolith import Monolith
from alchemiser_strategy.service import StrategyService
from alchemiser_trading.handler import TradingFunction, is_watch

_log = logging.getLogger(__name__)


class MonolithAnswer(Frozen):
    """What the invocation came to."""

    run_id: str
    status: RunStatus
    reason: str


class HandedOver(Frozen):
    """The process must end before the run does: the watch goes on with it."""

    status: RunStatus = RunStatus.EXECUTING
    reason: str


class MonolithProbes:
    """The answers of its strategies and of its broker together."""

    def __init__(self, data: DataProbes, strategy: StrategyService) -> None:
        self._data = data
        self._strategy = strategy

    def answer(self, event: Event) -> Frozen | None:
        """The answer to a probe; None if the event is none. Raises InvalidMessage, or as the broker does."""
        decided, read = self._strategy.probed(event), self._data.answer(event)
        if isinstance(decided, Composition) and isinstance(read, Composition):
            return decided.model_copy(update={"unknown_symbols": read.unknown_symbols})
        return decided or read


class MonolithFunction:
    """The function's handler with what it works on."""

    def __init__(
        self,
        monolith: Monolith,
        trading: TradingFunction,
        metrics: Metrics | None = None,
        probes: MonolithProbes | None = None,
    ) -> None:
        self._monolith = monolith
        self._trading = trading
        self._metrics = metrics
        self._probes = probes

    def handle(self, event: Event, time_left: TimeLeft) -> Frozen:
        """One cycle. Raises TransientError for AWS to try again, InvalidMessage for a foreign event."""
        if is_watch(event):
            return self._trading.handle(event, time_left)
        if self._probes is not None and (answer := self._probes.answer(event)) is not None:
            return answer
        try:
            outcome = self._monolith.run(read_trigger(event), time_left=time_left)
        except OutOfTime as error:
            # Answered, not raised: AWS tries twice more and no more often, and that is for what failed.
            _log.info("the run is left to the next watch", extra={"reason": str(error)})
            return HandedOver(reason=str(error))
        if isinstance(outcome, ExecutionReport):
            self._trading.ended(outcome)
        elif self._metrics is not None:
            self._metrics.end(outcome)
        return MonolithAnswer(run_id=str(outcome.run_id), status=outcome.status, reason=outcome.reason)
