"""The monolith on one page: data, strategy and trading as three calls in one process, no queue between them."""

from alchemiser_common.messages.report import ExecutionReport, StageFailure
from alchemiser_common.messages.trigger import CycleTrigger
from alchemiser_common.ports.clock import TimeLeft
from alchemiser_common.records.run import RunRecord
from alchemiser_common.telemetry import run_scope
from alchemiser_data.service import DataService
from alchemiser_strategy.service import StrategyService
from alchemiser_trading.service import DecisionService


class Monolith:
    """Runs a cycle to its end."""

    def __init__(self, data: DataService, strategy: StrategyService, trading: DecisionService) -> None:
        self._data = data
        self._strategy = strategy
        self._trading = trading

    def run(self, trigger: CycleTrigger, *, time_left: TimeLeft) -> ExecutionReport | RunRecord:
        """The report, or the data service's record if there was nothing to decide. Raises TransientError."""
        outcome = self._data.run(trigger)
        if outcome.archived is None:
            return outcome.record
        snapshot = outcome.archived.snapshot
        with run_scope(snapshot.run):
            message = self._strategy.answer(snapshot)
            if isinstance(message, StageFailure):
                return self._trading.record_failure(message)
            return self._trading.execute(message, time_left=time_left)
