"""Where a run's time went: one stretch after the other from its scheduled time to its end, and where it ended.

In come a run's records, as many as there are; out comes what can be told from them. Nothing is guessed: a stretch
whose begin or end no record has is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alchemiser_common.ids import Pipeline, RunRef
from alchemiser_common.latency import Latency, latency_of, own_times
from alchemiser_common.messages.base import Stage, StageTime
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.records.journal import Intent, JournalHead
from alchemiser_common.records.run import RunRecord
from alchemiser_common.settings import LatencySettings


class Stretch(StrEnum):
    """The parts of a run's time, in their order."""

    START = "start"
    """From the scheduled time until the data stage works."""
    WORK = "work"
    """A stage works; of trading, all of it if it sent no order."""
    QUEUE = "queue"
    """A message waits for its stage."""
    CALL = "call"
    """In the monolith: from one stage to the next."""
    FIRST_ORDER = "first order"
    """Trading, until its first order is asked for: checks, prices, the plan."""
    LAST_ORDER = "last order"
    """From the first order until the last one is asked for."""
    LAST_FILL = "last fill"
    """From then until the last leg that got shares is known to be done."""
    END = "end"
    """Until the report: legs that get nothing, settling, the books."""

    @property
    def budgeted(self) -> bool:
        """Whether the latency budget counts it: it ends with the last order."""
        return self not in {Stretch.LAST_FILL, Stretch.END}


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of a stage: of a wait, the stage that was waited for."""

    stage: Stage
    stretch: Stretch
    started: datetime
    finished: datetime

    @property
    def took(self) -> timedelta:
        """Its length."""
        return self.finished - self.started


@dataclass(frozen=True, slots=True)
class OrderTimes:
    """When a run's orders were asked for and filled, by the journal; None for what there was not."""

    first: datetime | None
    last: datetime | None
    last_fill: datetime | None
    """When the last leg that got shares was known to be done: its last fill is not later. None before the report."""


@dataclass(frozen=True, slots=True)
class RunTimes:
    """The records of one run that have times; at least one of the first three."""

    record: RunRecord | None = None
    head: JournalHead | None = None
    report: ExecutionReport | None = None
    trace: Sequence[StageTime] = ()
    """Of the snapshot or the decision: for a run that has not ended, or that another delivery than its decision's
    ended; the report's own times are better."""
    intents: Sequence[Intent] = ()
    """All of the run's; a shadow has none."""

    def __post_init__(self) -> None:
        """Raises ValueError without any record."""
        if self.record is None and self.head is None and self.report is None:
            raise ValueError("a run without a data record, a journal and a report has no times")

    @property
    def run(self) -> RunRef:
        """Which run it is."""
        (known, *_) = [source for source in (self.report, self.head, self.record) if source is not None]
        return known.run

    @property
    def reason(self) -> str:
        """Why it stands as it stands, by the latest that says so."""
        sources = (self.report, self.head, self.record)
        return next((source.reason for source in sources if source is not None and source.reason), "")


@dataclass(frozen=True, slots=True)
class Waterfall:
    """A run's time. It ended in `stage` at `at`; if its status is not final it is there, and was last heard of then."""

    run: RunRef
    spans: tuple[Span, ...]
    orders: OrderTimes
    latency: Latency
    stage: Stage
    status: RunStatus
    reason: str
    at: datetime


def waterfall(times: RunTimes, budget: LatencySettings) -> Waterfall:
    """Where the time of a run went, and what of it broke the budget."""
    orders = OrderTimes(*_asked(times.intents), _last_fill(times))
    stages = own_times((*times.trace, *(times.report.trace if times.report is not None else ())))
    stage, status, at = _standing(times)
    return Waterfall(
        run=times.run,
        spans=tuple(_spans(times, stages, orders)),
        orders=orders,
        latency=latency_of(times.run.scheduled_at, _judged(times, stages), orders.last, budget),
        stage=stage,
        status=status,
        reason=times.reason,
        at=at,
    )


def over_budget(times: RunTimes, budget: LatencySettings) -> tuple[str, ...]:
    """What a run's latency broke of the budget, one sentence each; empty if it kept to it.

    The gate into cutover asks it of the modular runs: those of a shadow end, for the budget, with their trading.
    """
    return waterfall(times, budget).latency.breaks


def _asked(intents: Sequence[Intent]) -> tuple[datetime | None, datetime | None]:
    moments = [intent.written_at for intent in intents]
    return min(moments, default=None), max(moments, default=None)


# The journal has no times of fills. A leg's report says how long it took from its first step, which its intents date;
# a leg is one symbol's side, so the two find each other. They are dated by the broker's clock, the run's end by this
# machine's, some seconds apart: what seems to be known only after the end was known at the end.
def _last_fill(times: RunTimes) -> datetime | None:
    if times.report is None:
        return None
    began = {(intent.symbol, intent.side): intent.leg_started_at for intent in times.intents}
    done = [
        began[leg.symbol, leg.side] + leg.duration
        for leg in times.report.legs
        if leg.filled > 0 and (leg.symbol, leg.side) in began
    ]
    ends = [time.finished for time in times.report.trace if time.stage is Stage.TRADING]
    return min(max(done), *ends) if done and ends else max(done, default=None)


def _judged(times: RunTimes, stages: Mapping[Stage, StageTime]) -> list[StageTime]:
    """The stages' times; if nothing else has the data stage's, as its record says when it was done."""
    done = _data_done(times)
    if Stage.DATA in stages or done is None:
        return list(stages.values())
    return [StageTime(stage=Stage.DATA, started=times.run.scheduled_at, finished=done), *stages.values()]


def _data_done(times: RunTimes) -> datetime | None:
    """When the data stage was done by its record: a run that it skipped or failed has no other time of it."""
    unknown = times.record is None or times.record.status is RunStatus.STARTED
    return None if unknown or times.record is None else times.record.updated_at


def _standing(times: RunTimes) -> tuple[Stage, RunStatus, datetime]:
    """The stage in which a run ended or is, as what, and since when."""
    match times:
        case RunTimes(report=ExecutionReport(trace=(*_, StageTime() as last)) as report):
            return last.stage, report.status, last.finished
        case RunTimes(report=ExecutionReport() as report, head=JournalHead() as head):
            return Stage.TRADING, report.status, head.updated_at
        case RunTimes(head=JournalHead() as head):
            return Stage.TRADING, head.phase.reported, head.updated_at
        case RunTimes(record=RunRecord(status=RunStatus.PUBLISHED) as record):
            return Stage.STRATEGY, record.status, record.updated_at
        case RunTimes(record=RunRecord() as record):
            return Stage.DATA, record.status, record.updated_at
    return Stage.TRADING, RunStatus.EXECUTING, times.run.scheduled_at


def _spans(times: RunTimes, stages: Mapping[Stage, StageTime], orders: OrderTimes) -> Iterator[Span]:
    """One after the other, each from the end of the one before it; after a stage without an end, from the next end."""
    since: datetime | None = times.run.scheduled_at
    for stage in Stage:
        done: datetime | None = None
        for stretch, done in _stretches(stage, times, stages.get(stage), orders):
            if done is None:
                continue
            if since is not None:
                yield Span(stage, stretch, since, done)
            since = done
        since = done


def _stretches(
    stage: Stage, times: RunTimes, time: StageTime | None, orders: OrderTimes
) -> Sequence[tuple[Stretch, datetime | None]]:
    """What a stage's time is made of, each with its end as far as that is known."""
    started, finished = (time.started, time.finished) if time is not None else (None, None)
    wait = Stretch.QUEUE if times.run.pipeline is Pipeline.MODULAR else Stretch.CALL
    if stage is Stage.DATA:
        return (Stretch.START, started), (Stretch.WORK, finished or _data_done(times))
    if stage is Stage.STRATEGY:
        return (wait, started), (Stretch.WORK, finished)
    if started is None and times.report is None and times.head is not None:
        started = times.head.created_at
    if orders.first is None:
        return (wait, started), (Stretch.WORK, finished)
    filled_after = orders.last_fill if orders.last_fill and orders.last and orders.last_fill > orders.last else None
    return (
        (wait, started),
        (Stretch.FIRST_ORDER, orders.first),
        (Stretch.LAST_ORDER, orders.last),
        (Stretch.LAST_FILL, filled_after),
        (Stretch.END, finished),
    )
