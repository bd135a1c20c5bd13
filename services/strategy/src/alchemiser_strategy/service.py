"""StrategyService: a snapshot in, a decision out, or the reason why there is none. The clock is for the trace only."""

import logging

from alchemiser_common.errors import MarketDataRejected, PermanentError
from alchemiser_common.lambda_events import Event
from alchemiser_common.messages.base import Frozen, Stage
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.reference import SnapshotReference
from alchemiser_common.messages.report import StageFailure
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.clock import Clock
from alchemiser_common.probes import Probe, asked_snapshot
from alchemiser_common.records.universe import by_symbol, lacking
from alchemiser_common.text import and_more
from alchemiser_strategy.claim_check import retrieve_snapshot
from alchemiser_strategy.composition import composition_of
from alchemiser_strategy.manager import MultiStrategyManager

_log = logging.getLogger(__name__)


class StrategyService:
    """One portfolio's strategy stage. `archive` is where snapshots that come by reference are; None: they may not."""

    def __init__(self, manager: MultiStrategyManager, clock: Clock, archive: Archive | None = None) -> None:
        self._manager = manager
        self._clock = clock
        self._archive = archive

    def answer(self, message: MarketSnapshot | SnapshotReference) -> TradeDecision | StageFailure:
        """The decision, or the failure that the trading service is to record: this service writes no state.

        Raises StoreUnavailable if a snapshot that came by reference cannot be fetched now.
        """
        started = self._clock.now()
        try:
            snapshot = message if isinstance(message, MarketSnapshot) else retrieve_snapshot(message, self._archive)
            self._check_universe(snapshot)
            decision = self._manager.evaluate(snapshot)
        except PermanentError as error:
            _log.error("no decision", extra={"error": type(error).__name__, "reason": str(error)})
            return StageFailure(
                **message.following(),
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

    def probed(self, event: Event) -> Frozen | None:
        """The answer to a probe; None if the event is none. Raises InvalidMessage for what is no snapshot."""
        match event.get("probe"):
            case Probe.COMPOSITION:
                return composition_of(self._manager)
            case Probe.DECISION:
                return self.answer(asked_snapshot(event, self._archive))
        return None

    def _check_universe(self, snapshot: MarketSnapshot) -> None:
        """Raises MarketDataRejected for a symbol of which the data service was not asked for enough bars.

        Also if today's branch does not need it: the data service was deployed for other strategies.
        """
        needed = self._manager.universe
        # Before 1.5 a snapshot did not say how many bars were asked for.
        seen = {*snapshot.bars.symbols, *(gap.symbol for gap in snapshot.missing)}
        asked_for = by_symbol(snapshot.universe) or {symbol: needed.get(symbol, 1) for symbol in seen}
        short = lacking(needed, asked_for)
        if short:
            words = [f"{symbol} ({needed[symbol]} bars, asked for {asked_for.get(symbol, 0)})" for symbol in short]
            raise MarketDataRejected(
                "the snapshot was made for other strategies, those enabled also need "
                f"{', '.join(and_more(words, 10))}; deploy again, which writes the universe of the image that is live"
            )
