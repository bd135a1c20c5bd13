"""What is counted of runs, in one place: names, units and what each is read from; written as EMF lines to the log.

CloudWatch makes metrics of such lines by itself, so that a function needs no permission and no call for it. Dimensions
are the stage and the pipeline only: a symbol or a run id as a dimension would be a new metric, and a new bill, each.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import TextIO

from alchemiser_common.errors import NotAuthorised
from alchemiser_common.ids import Pipeline, RunRef
from alchemiser_common.latency import Latency
from alchemiser_common.messages.base import Message, Stage
from alchemiser_common.messages.report import ExecutionReport, LegStatus, RunStatus
from alchemiser_common.ports.clock import Clock
from alchemiser_common.records.run import RunRecord

NAMESPACE = "Alchemiser"
DIMENSIONS = ("Stage", "Pipeline")


class Metric(StrEnum):
    """Every metric this project emits."""

    RUN_ENDED = "RunEnded"
    """A run came to an end of any kind, also as skipped: its absence is what the missed-run alarm watches."""
    RUN_FAILED = "RunFailed"
    """Of those, the ones that failed or expired."""
    RUN_HALTED = "RunHalted"
    """Of those, the ones that were stopped for a person to look at."""
    AUTHORITY_MISMATCH = "AuthorityMismatch"
    """A run that this deployment lets trade was refused since the account is another pipeline's, or nobody's."""
    ORDERS_PLACED = "OrdersPlaced"
    ORDERS_REFUSED = "OrdersRefused"
    """Legs that the broker refused."""
    SNAPSHOT_DELAY = "SnapshotDelay"
    """Seconds from the scheduled time to the snapshot; the other delays likewise to theirs."""
    DECISION_DELAY = "DecisionDelay"
    TRADING_DELAY = "TradingDelay"
    """To the start of trading."""
    RUN_DELAY = "RunDelay"
    """To the end of trading."""
    LAST_ORDER_DELAY = "LastOrderDelay"
    """To the last order, which the latency budget is about; of a run without orders to the end of trading."""
    OVER_BUDGET = "OverBudget"
    """The run broke its latency budget, as a whole or in a stage."""
    DAY_MISSED = "DayMissed"
    """The deadline of a trading day's cycle has passed, and neither pipeline has completed a run of it."""
    PARITY_CHECKED = "ParityChecked"
    PARITY_BROKEN = "ParityBroken"
    """The verdict on a due cycle is different or missing."""

    @property
    def unit(self) -> str:
        """CloudWatch's name of the unit: Seconds or Count."""
        return "Seconds" if self.value.endswith("Delay") else "Count"


type Measures = Mapping[Metric, float]


def measures_of_report(report: ExecutionReport, latency: Latency | None = None) -> Measures:
    """What the end of a run comes to; nothing if the report is not of an end. Without latency nothing is said of it."""
    if not report.status.final:
        return {}
    scheduled = report.run.scheduled_at
    delays = {}
    for time in report.trace:
        moments = {
            Stage.DATA: ((Metric.SNAPSHOT_DELAY, time.finished),),
            Stage.STRATEGY: ((Metric.DECISION_DELAY, time.finished),),
            Stage.TRADING: ((Metric.TRADING_DELAY, time.started), (Metric.RUN_DELAY, time.finished)),
        }[time.stage]
        delays.update({metric: (moment - scheduled).total_seconds() for metric, moment in moments})
    return {
        **_end(report.status),
        Metric.AUTHORITY_MISMATCH: float(report.error == NotAuthorised.__name__),
        Metric.ORDERS_PLACED: float(report.orders_placed),
        Metric.ORDERS_REFUSED: float(sum(leg.status is LegStatus.REFUSED for leg in report.legs)),
        **delays,
        **(_of_latency(latency) if latency is not None else {}),
    }


def measures_of_record(record: RunRecord) -> Measures:
    """What the data service's own end of a run comes to; nothing if the run goes on."""
    return _end(record.status) if record.status.final else {}


def measures_of_parity(*, broken: bool) -> Measures:
    """What a comparison of the two pipelines comes to."""
    return {Metric.PARITY_CHECKED: 1.0, Metric.PARITY_BROKEN: float(broken)}


def _of_latency(latency: Latency) -> Measures:
    took = latency.to_last_order
    last = {} if took is None else {Metric.LAST_ORDER_DELAY: took.total_seconds()}
    return {**last, Metric.OVER_BUDGET: float(bool(latency.breaks))}


def _end(status: RunStatus) -> Measures:
    return {
        Metric.RUN_ENDED: 1.0,
        Metric.RUN_FAILED: float(status in {RunStatus.FAILED, RunStatus.EXPIRED}),
        Metric.RUN_HALTED: float(status is RunStatus.HALTED),
    }


class Metrics:
    """Writes measures as lines in CloudWatch's embedded metric format. Without a stage it writes nothing."""

    def __init__(self, stage: str, clock: Clock, out: TextIO) -> None:
        self._stage = stage
        self._clock = clock
        self._out = out

    def end(self, outcome: ExecutionReport | RunRecord, latency: Latency | None = None) -> None:
        """Count a run's end and how long it took; what is not the end of a run counts nothing."""
        if isinstance(outcome, ExecutionReport):
            self._write(measures_of_report(outcome, latency), outcome)
        else:
            self._write(measures_of_record(outcome), outcome)

    def missed(self, run: RunRef) -> None:
        """Count a look at a day that lacks this run."""
        self._write({Metric.DAY_MISSED: 1.0}, run)

    def parity(self, run: RunRef, *, broken: bool) -> None:
        """Count the verdict on a run's cycle, always under the modular pipeline, whichever side made it."""
        self._write(measures_of_parity(broken=broken), replace(run, pipeline=Pipeline.MODULAR))

    def _write(self, measures: Measures, of: RunRef | Message) -> None:
        if self._stage and measures:
            line = emf(measures, stage=self._stage, pipeline=of.pipeline, at=self._clock.now())
            # Properties beside the metrics: to be searched for, never dimensions.
            self._out.write(json.dumps({**line, "run_id": str(of.run_id), "cycle_id": of.cycle_id}) + "\n")
            self._out.flush()


def emf(measures: Measures, *, stage: str, pipeline: Pipeline, at: datetime) -> dict[str, object]:
    """The measures as one document of the embedded metric format."""
    return {
        "_aws": {
            "Timestamp": int(at.timestamp() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [list(DIMENSIONS)],
                    "Metrics": [{"Name": metric.value, "Unit": metric.unit} for metric in measures],
                }
            ],
        },
        DIMENSIONS[0]: stage,
        DIMENSIONS[1]: pipeline.value,
        **{metric.value: value for metric, value in measures.items()},
    }
