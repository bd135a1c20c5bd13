"""Monolith Lambda on one page: a cycle from its trigger to its end, the watch's event, or a probe's answer."""

import logging
from collections.abc import Sequence

from alchemiser_common.errors import AlchemiserError, OutOfTime
from alchemiser_common.ids import Pipeline, RunRef, scheduled_time
from alchemiser_common.lambda_events import Event, read_trigger
from alchemiser_common.messages.base import Frozen
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.metrics import Metrics
from alchemiser_common.ports.clock import TimeLeft
from alchemiser_common.probes import Composition
from alchemiser_common.records.parity import Parity
from alchemiser_data.probing import DataProbes
from alchemiser_monolith.judge import ParityJudge
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
        judge: ParityJudge | None = None,
    ) -> None:
        self._monolith = monolith
        self._judge = judge
        self._trading = trading
        self._metrics = metrics
        self._probes = probes

    def handle(self, event: Event, time_left: TimeLeft) -> Frozen:
        """One cycle. Raises TransientError for AWS to try again, InvalidMessage for a foreign event."""
        if is_watch(event):
            watched = self._trading.handle(event, time_left)
            if self._judge is not None:
                self._tell(self._judge.due())
            return watched
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
        self._judged(outcome.cycle_id)
        self._trading.walk_dry(outcome.run, time_left)
        return MonolithAnswer(run_id=str(outcome.run_id), status=outcome.status, reason=outcome.reason)

    # A cycle is done when it is done: what cannot be judged now is judged by the next watch, and raised there.
    def _judged(self, cycle: str) -> None:
        if self._judge is None:
            return
        try:
            verdict = self._judge.cycle(cycle)
        except AlchemiserError as error:
            _log.warning("the verdict is left to the watch", extra={"reason": str(error)})
        else:
            self._tell([] if verdict is None else [verdict])

    def _tell(self, verdicts: Sequence[Parity]) -> None:
        """Count them, under the modular run of the cycle whether or not there was one."""
        if self._metrics is None:
            return
        for verdict in verdicts:
            alias, scheduled = verdict.cycle_id.partition(":")[0], scheduled_time(verdict.cycle_id)
            self._metrics.parity(RunRef.of(alias, scheduled, Pipeline.MODULAR), broken=verdict.verdict.broken)
