"""A captured case: what is stored of one run, from its trigger to its report, with the settings that it ran under."""

from collections.abc import Iterator
from typing import Self
from uuid import UUID

from pydantic import model_validator

from alchemiser_common.ids import Pipeline, scheduled_time
from alchemiser_common.messages.base import Frozen, VersionedModel
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.trigger import CycleTrigger
from alchemiser_common.records.books import BookedOrder
from alchemiser_common.records.corporate_actions import JumpFacts
from alchemiser_common.records.journal import Intent, JournalHead
from alchemiser_common.records.loose import LooseOrder
from alchemiser_common.records.parity import Parity
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.run import RunRecord
from alchemiser_common.settings import (
    DataSettings,
    Environment,
    ExecutionSettings,
    ScheduleSettings,
    StrategySettings,
    TradingSettings,
)


class CaseSettings(Frozen):
    """What a stage decides by beside its input: no address, no key, no folder."""

    schedule: ScheduleSettings
    data: DataSettings
    strategies: StrategySettings
    """Allocations are the decision's, and `trading` the plan's; what no part says is as it was set when captured."""
    trading: TradingSettings
    execution: ExecutionSettings


class About(VersionedModel):
    """Which run it was, how it ended, and in what it was run."""

    run_id: UUID
    cycle_id: str
    pipeline: Pipeline
    status: str
    reason: str
    environment: Environment
    settings: CaseSettings


class BrokerAnswers(VersionedModel):
    """What the broker said, as far as it was kept beside account, positions, prices and fills in plan and report."""

    booked: tuple[BookedOrder, ...] = ()
    """How much of each of the run's orders was filled, by the broker's ids."""
    loose: tuple[LooseOrder, ...] = ()
    """Orders that may still have been open when the run ended."""
    jumps: tuple[JumpFacts, ...] = ()
    """Its word on jumps in the snapshot's closes."""

    @property
    def empty(self) -> bool:
        """Whether nothing was kept."""
        return not (self.booked or self.loose or self.jumps)


class Case(Frozen):
    """One run's parts; None or empty for what it did not come to. Hashes that name another part are that part's."""

    about: About
    trigger: CycleTrigger
    record: RunRecord | None = None
    """The data service's."""
    snapshot: MarketSnapshot | None = None
    decision: TradeDecision | None = None
    journal: JournalHead | None = None
    plan: Plan | None = None
    intents: tuple[Intent, ...] = ()
    """Each order as it was asked for."""
    report: ExecutionReport | None = None
    broker: BrokerAnswers | None = None
    parity: Parity | None = None

    @model_validator(mode="after")
    def _parts_belong_together(self) -> Self:
        faults = [*self._other_runs(), *self._broken_links()]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _other_runs(self) -> Iterator[str]:
        parts = (self.record, self.snapshot, self.decision, self.journal, self.plan, self.report)
        for part in parts:
            if part is not None and part.run_id != self.about.run_id:
                yield f"{type(part).__name__} is of run {part.run_id}, the case of {self.about.run_id}"
        if self.trigger.scheduled_at != scheduled_time(self.about.cycle_id):
            yield f"the trigger is of {self.trigger.scheduled_at}, the cycle is {self.about.cycle_id}"

    def _broken_links(self) -> Iterator[str]:
        if self.snapshot is not None and self.record is not None:
            yield from _differ("record.snapshot_hash", self.record.snapshot_hash, self.snapshot.content_hash())
        if self.snapshot is not None and self.decision is not None:
            yield from _differ("decision.snapshot_hash", self.decision.snapshot_hash, self.snapshot.content_hash())
        if self.decision is None:
            return
        for part in (self.journal, self.plan, self.report):
            if part is not None:
                name = f"{type(part).__name__}.decision_hash"
                yield from _differ(name, part.decision_hash, self.decision.content_hash())


def _differ(field: str, said: str | None, found: str) -> Iterator[str]:
    if said != found:
        yield f"{field} is {said}, the content's hash is {found}"
