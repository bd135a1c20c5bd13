"""StrategyService: a snapshot in, a decision out, or the reason why there is none. The clock is for the trace only."""

import logging

from alchemiser_common.errors import PermanentError
from alchemiser_common.messages.base import Stage
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import StageFailure
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.ports.clock import Clock
from alchemiser_strategy.manager import MultiStrategyManager

_log = logging.getLogger(__name__)


class StrategyService:
    """One portfolio's strategy stage."""

    def __init__(self, manager: MultiStrategyManager, clock: Clock) -> None:
        self._manager = manager
        self._clock = clock

    def decide(self, snapshot: MarketSnapshot) -> TradeDecision | StageFailure:
        """The decision, or the failure that the trading service is to record: this service writes no state."""
        started = self._clock.now()
        try:
            decision = self._manager.evaluate(snapshot)
        except PermanentError as error:
            _log.error("no decision", extra={"error": type(error).__name__, "reason": str(error)})
            return StageFailure(
                run_id=snapshot.run_id,
                cycle_id=snapshot.cycle_id,
                pipeline=snapshot.pipeline,
                trace=snapshot.trace,
                account_alias=snapshot.account_alias,
                stage=Stage.STRATEGY,
                error=type(error).__name__,
                reason=str(error),
            ).traced(Stage.STRATEGY, started, self._clock.now())
        _log.info(
            "decision ready",
            extra={
                "targets": {target.symbol: target.weight for target in decision.targets},
                "decision_hash": decision.content_hash(),
            },
        )
        return decision.traced(Stage.STRATEGY, started, self._clock.now())
