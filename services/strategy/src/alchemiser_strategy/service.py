"""StrategyService: a snapshot in, a decision out, or the reason why there is none. The clock is for the trace only."""

import logging

from alchemiser_common.errors import MarketDataRejected, PermanentError
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
            self._check_universe(snapshot)
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

    def _check_universe(self, snapshot: MarketSnapshot) -> None:
        """Raises MarketDataRejected for a symbol that the data service was never told to read.

        Whether the branch taken today needs it or not: the data service was deployed for other strategies.
        """
        asked_for = {*snapshot.bars.symbols, *(gap.symbol for gap in snapshot.missing)}
        lacking = sorted(set(self._manager.symbols) - asked_for)
        if lacking:
            raise MarketDataRejected(
                f"the snapshot lacks {', '.join(lacking)}, which the enabled strategies read: data.universe is of "
                "others; deploy the data function with what `alchemiser universe` prints"
            )
