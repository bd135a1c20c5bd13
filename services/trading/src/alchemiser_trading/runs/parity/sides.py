"""What one pipeline has left of a cycle: as far as it came, and what it saw, decided and planned."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from alchemiser_common import keys
from alchemiser_common.ids import Pipeline, run_id
from alchemiser_common.messages.base import Stage
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.messages.wire import ARCHIVED_LIMIT, decode
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.state import StateStore, load
from alchemiser_common.records.parity import Lacking
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.run import RunRecord

RETRIES = timedelta(minutes=10)
"""A data stage that failed is triggered twice more within minutes; after this its failure is its end."""
DELIVERED_AGAIN = timedelta(minutes=17)
"""The queue gives a decision that was not acknowledged again sixteen minutes after it was received. What a run has not
archived by then it never will.
"""


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """One pipeline's side of a cycle."""

    pipeline: Pipeline
    record: RunRecord | None
    """The data stage's."""
    report: ExecutionReport | None
    """None as long as the run has not come to the end of its trading stage."""
    plan: Plan | None
    decision: TradeDecision | None = None
    """As it was executed; None if it was not read, or there is none."""

    @property
    def snapshot_hash(self) -> str | None:
        """Of what it saw."""
        if self.decision is not None:
            return self.decision.snapshot_hash
        return None if self.record is None else self.record.snapshot_hash

    def ended(self, now: datetime) -> bool:
        """Whether nothing more comes of it by itself."""
        if self.report is not None:
            # Its decision is archived right after its report, or by the next delivery if the process dies in between:
            # who looks before finds no evidence yet.
            told = self.plan is None or self.decision is not None or not self.report.trace
            return self.report.status.final and (told or now - self.report.trace[-1].finished >= DELIVERED_AGAIN)
        return self.record is not None and self.record.status.final and now - self.record.updated_at >= RETRIES

    @property
    def heard_of(self) -> bool:
        """Whether any stage has left anything of it."""
        return self.record is not None or self.report is not None

    @property
    def lacking(self) -> Lacking | None:
        """Where it stopped and why, if it has no plan, or has not ended with it."""
        if self.plan is not None and self.report is not None:
            return None
        stage, why = self._stop()
        return Lacking(pipeline=self.pipeline, stage=stage, why=why)

    def _stop(self) -> tuple[Stage, str]:
        if self.report is not None:
            reached = {time.stage for time in self.report.trace}
            stage = Stage.TRADING if Stage.TRADING in reached else Stage.STRATEGY
            return stage, f"{self.report.status.value}, {self.report.reason}"
        if self.plan is not None:
            return Stage.TRADING, "its plan is made, and no end of the run is recorded"
        if self.record is None:
            return Stage.DATA, "no run is on record: it was not triggered, or ended before its first line"
        if self.record.status is RunStatus.PUBLISHED:
            return Stage.STRATEGY, "its snapshot was published and no end was recorded: lost, failed, or a dead letter"
        return Stage.DATA, f"{self.record.status.value}, {self.record.reason}"


def read_side(store: StateStore, cycle_id: str, pipeline: Pipeline) -> PipelineRun:
    """What the state store has of it. Raises StoreUnavailable, StateCorrupt."""
    run = run_id(cycle_id, pipeline)
    record = load(store, keys.data_record(run), RunRecord)
    report = load(store, keys.report_record(run), ExecutionReport)
    plan = load(store, keys.plan_record(run), Plan)
    return PipelineRun(
        pipeline,
        None if record is None else record.value,
        None if report is None else report.value,
        None if plan is None else plan.value,
    )


def read_decision(archive: Archive, side: PipelineRun) -> TradeDecision | None:
    """The decision that the side executed, from the archive; None if it is not there. Raises StoreUnavailable."""
    if side.plan is None:
        return None
    body = archive.get(keys.decision_object(side.plan.session, side.plan.run_id))
    return None if body is None else decode(body, TradeDecision, limit=ARCHIVED_LIMIT)
