"""Trading Lambda on one page: decode the decision, execute it once, report; go on with what nobody works on."""

import logging

from alchemiser_common.errors import LeaseHeld, OutOfTime
from alchemiser_common.ids import RunRef
from alchemiser_common.lambda_events import Event, handle_batch
from alchemiser_common.messages.base import Frozen
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, RunStatus, StageFailure
from alchemiser_common.messages.wire import decode
from alchemiser_common.metrics import Metrics
from alchemiser_common.ports.clock import TimeLeft
from alchemiser_common.probes import Composition, Probe, asked_plan
from alchemiser_common.settings import TradingSettings
from alchemiser_common.telemetry import run_scope
from alchemiser_trading.runs.probed import probed_plan
from alchemiser_trading.service import DecisionService

_log = logging.getLogger(__name__)


class WatchAnswer(Frozen):
    """Which run was ended, if there was one; or why one goes on."""

    ended: str | None = None
    status: RunStatus | None = None
    reason: str = ""


def is_watch(event: Event) -> bool:
    """Whether the event asks to go on with a run that nobody works on."""
    return event.get("watch") == "overdue"


class TradingFunction:
    """The function's handler with what it works on; `rules` are those of plans that it is only asked for."""

    def __init__(
        self, service: DecisionService, metrics: Metrics | None = None, rules: TradingSettings | None = None
    ) -> None:
        self._service = service
        self._metrics = metrics
        self._rules = rules or TradingSettings()

    def handle(self, event: Event, time_left: TimeLeft) -> Frozen:
        """A batch from TradeDecisionQueue, the watch's event or a probe; `time_left` is what remains to work in."""
        if event.get("probe") == Probe.COMPOSITION:
            return Composition()
        if event.get("probe") == Probe.PLAN:
            return probed_plan(*asked_plan(event), self._rules)
        if is_watch(event):
            return self._watch(time_left)
        return handle_batch(event, lambda body: self._handle_message(body, time_left))

    # A run that goes on elsewhere, or is handed over once more, is as it should be: raised, AWS would ask twice more
    # within minutes and count an error each time, and the next watch comes in ten minutes anyway.
    def _watch(self, time_left: TimeLeft) -> WatchAnswer:
        """Raises TransientError if the run could not be worked on, InvalidMessage in a shadow."""
        answer = self._overdue(time_left)
        missed = self._service.missed_today()
        if missed is not None:
            _log.error("no run was completed today", extra={"cycle_id": missed.cycle_id})
            if self._metrics is not None:
                self._metrics.missed(missed)
        return answer

    def _overdue(self, time_left: TimeLeft) -> WatchAnswer:
        try:
            report = self._service.end_overdue(time_left=time_left)
        except (LeaseHeld, OutOfTime) as error:
            reason = f"{type(error).__name__}: {error}"
            _log.info("the run is left to the next watch", extra={"reason": reason})
            return WatchAnswer(reason=reason)
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
                    self._service.walk_dry(message.run, time_left=time_left)

    def walk_dry(self, run: RunRef, time_left: TimeLeft) -> None:
        """As the service, for who calls it without a message."""
        with run_scope(run):
            self._service.walk_dry(run, time_left=time_left)

    def ended(self, report: ExecutionReport) -> None:
        """Count a run's end, how long it took, and the verdict on its cycle if this end makes one."""
        parity = self._service.parity(report)
        if self._metrics is not None:
            self._metrics.end(report, self._service.latency(report))
            if parity is not None:
                self._metrics.parity(report.run, broken=parity.verdict.broken)
