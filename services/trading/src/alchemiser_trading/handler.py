"""Trading Lambda on one page: decode the decision, execute it once, report."""

from collections.abc import Callable
from datetime import timedelta

from alchemiser_common.lambda_events import Event, handle_batch, is_version_probe, version_answer
from alchemiser_common.messages.base import Frozen
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import StageFailure
from alchemiser_common.messages.wire import decode
from alchemiser_common.telemetry import run_scope
from alchemiser_trading.service import TradingService

type TimeLeft = Callable[[], timedelta]


class TradingFunction:
    """The function's handler with what it works on."""

    def __init__(self, service: TradingService, git_sha: str) -> None:
        self._service = service
        self._git_sha = git_sha

    def handle(self, event: Event, time_left: TimeLeft) -> Frozen:
        """A batch from TradeDecisionQueue; `time_left` is what remains of the invocation."""
        if is_version_probe(event):
            return version_answer("trading", self._git_sha)
        return handle_batch(event, lambda body: self._handle_message(body, time_left))

    def _handle_message(self, body: str, time_left: TimeLeft) -> None:
        message = decode(body, TradeDecision, StageFailure)
        with run_scope(message.run_id, message.cycle_id, message.pipeline):
            match message:
                case StageFailure():
                    self._service.record_failure(message)
                case TradeDecision():
                    self._service.execute(message, time_left=time_left)
