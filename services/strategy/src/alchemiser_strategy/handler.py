"""Strategy Lambda on one page: decode the snapshot, decide, publish the decision or why there is none."""

import logging

from alchemiser_common.errors import PermanentError
from alchemiser_common.lambda_events import Event, handle_batch, is_version_probe, version_answer
from alchemiser_common.messages.base import Frozen, Stage
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import StageFailure
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import decode, encode
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.queue import Queue
from alchemiser_common.telemetry import run_scope
from alchemiser_strategy.manager import MultiStrategyManager

_log = logging.getLogger(__name__)


class StrategyFunction:
    """The function's handler with what it works on. The clock is for the trace only."""

    def __init__(self, manager: MultiStrategyManager, trade_decision_queue: Queue, clock: Clock, git_sha: str) -> None:
        self._manager = manager
        self._queue = trade_decision_queue
        self._clock = clock
        self._git_sha = git_sha

    def handle(self, event: Event) -> Frozen:
        """A batch from MarketDataQueue."""
        if is_version_probe(event):
            return version_answer("strategy", self._git_sha)
        return handle_batch(event, self._handle_message)

    def _handle_message(self, body: str) -> None:
        snapshot = decode(body, MarketSnapshot)
        with run_scope(snapshot.run_id, snapshot.cycle_id, snapshot.pipeline):
            message = self.decide(snapshot)
            self._queue.send(encode(message), group=snapshot.account_alias, deduplication_id=str(snapshot.run_id))

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
