"""Trading Lambda on one page: decode the decision, execute it once, report; end what nobody delivers any more."""

from alchemiser_common.lambda_events import Event, handle_batch
from alchemiser_common.messages.base import Frozen
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, RunStatus, StageFailure
from alchemiser_common.messages.wire import decode
from alchemiser_common.metrics import Metrics
from alchemiser_common.ports.clock import TimeLeft
from alchemiser_common.probes import Composition, Probe
from alchemiser_common.telemetry import run_scope
from alchemiser_trading.service import DecisionService


class WatchAnswer(Frozen):
    """Which overdue run was ended, if there was one."""

    ended: str | None = None
    status: RunStatus | None = None
    reason: str = ""


def is_watch(event: Event) -> bool:
    """Whether the event asks to end a run that nobody delivers any more."""
    return event.get("watch") == "overdue"


class TradingFunction:
    """The function's handler with what it works on."""

    def __init__(self, service: DecisionService, metrics: Metrics | None = None) -> None:
        self._service = service
        self._metrics = metrics

    def handle(self, event: Event, time_left: TimeLeft) -> Frozen:
        """A batch from TradeDecisionQueue, the watch's event or a probe; `time_left` is what remains to work in."""
        if event.get("probe") == Probe.COMPOSITION:
            return Composition()
        if is_watch(event):
            return self._end_overdue(time_left)
        return handle_batch(event, lambda body: self._handle_message(body, time_left))

    def _end_overdue(self, time_left: TimeLeft) -> WatchAnswer:
        """Raises LeaseHeld while the run may still go on: whoever watches asks again later."""
        report = self._service.end_overdue(time_left=time_left)
        if report is None:
            return WatchAnswer()
        self.ended(report)
        return WatchAnswer(ended=str(report.run_id), status=report.status, reason=report.reason)

    def _handle_message(self, body: str, time_left: TimeLeft) -> None:
        message = decode(body, TradeDecision, StageFailure)
        with run_scope(message.run):
            match message:
                case StageFailure():
                    self.ended(self._service.record_failure(message))
                case TradeDecision():
                    self.ended(self._service.execute(message, time_left=time_left))

    def ended(self, report: ExecutionReport) -> None:
        """Count a run's end, and how it compares with the other pipeline's if that has ended too."""
        parity = self._service.parity(report)
        if self._metrics is not None:
            self._metrics.end(report)
            if parity is not None:
                self._metrics.parity(report, broken=parity.verdict.broken)
