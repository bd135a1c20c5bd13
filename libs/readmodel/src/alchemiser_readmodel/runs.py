"""What is stored of a run, side by side: how it stands, why, and by which pipeline. The latest that knows says it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from alchemiser_common.messages.base import StageTime
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.records.dry_walk import DryWalk
from alchemiser_common.records.journal import Intent, JournalHead
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.run import RunRecord
from alchemiser_readmodel.waterfall import RunTimes


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the list of runs."""

    run_id: UUID
    cycle_id: str
    record: RunRecord | None
    head: JournalHead | None
    report: ExecutionReport | None

    @property
    def known_status(self) -> RunStatus | None:
        """The latest that any stage knows; None if nothing is stored but that the run began."""
        if self.report is not None:
            return self.report.status
        if self.head is not None:
            return self.head.phase.reported
        return self.record.status if self.record is not None else None

    @property
    def status(self) -> str:
        """The same in a word."""
        return "unknown" if self.known_status is None else self.known_status.value

    @property
    def traded(self) -> bool:
        """Whether its plan was for the account, not for comparison."""
        return self.known_status is not RunStatus.SHADOWED

    @property
    def reason(self) -> str:
        """Why it is so."""
        for source in (self.report, self.head, self.record):
            if source is not None and source.reason:
                return source.reason
        return ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of its decision."""
        return self.report.notes if self.report is not None else ()

    @property
    def pipeline(self) -> str:
        """Which pipeline worked on it."""
        known = self.record or self.head or self.report
        return known.pipeline.value if known is not None else ""


@dataclass(frozen=True, slots=True)
class RunDetail:
    """Everything that is stored about one run."""

    summary: RunSummary
    snapshot: MarketSnapshot | None
    decision: TradeDecision | None
    plan: Plan | None
    intents: Sequence[Intent]
    dry_walk: DryWalk | None = None
    """Of a shadow: what its orders would have come to."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of its decision: the report's; of a run that has not ended, its plan's."""
        unended = self.summary.report is None and self.plan is not None
        return self.plan.notes if unended and self.plan is not None else self.summary.notes

    @property
    def times(self) -> RunTimes | None:
        """What of it has times; None if nothing is stored but that it began."""
        seen = self.decision or self.snapshot
        return times_of(self.summary, self.intents, () if seen is None else seen.trace)


def times_of(run: RunSummary, intents: Sequence[Intent], trace: Sequence[StageTime] = ()) -> RunTimes | None:
    """What of a run has times, as `RunTimes` says; None if nothing is stored but that it began."""
    if run.record is None and run.head is None and run.report is None:
        return None
    return RunTimes(record=run.record, head=run.head, report=run.report, trace=trace, intents=intents)
