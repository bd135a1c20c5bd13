"""Each alarm of the template fires on what the code really emits, or on what AWS itself counts, and only then."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alchemiser_cli.stage.names import PHASES
from alchemiser_common.ids import Pipeline, RunRef, cycle_id, run_id
from alchemiser_common.latency import latency_of
from alchemiser_common.messages.base import Stage, StageTime
from alchemiser_common.messages.report import ExecutionReport, LegStatus, RunStatus
from alchemiser_common.metrics import DIMENSIONS, NAMESPACE, Metric, Metrics, emf, measures_of_parity
from alchemiser_common.records.run import RunRecord
from alchemiser_common.settings import LatencySettings
from deploy.template import ROOT
from support.alarms import Alarm, Point, Series, points_of, read_alarms
from support.clock import ManualClock
from support.deployment import stack
from support.messages import make_report

SCHEDULED = datetime(2026, 11, 25, 14, 45, tzinfo=UTC)
AWS_METRICS = {
    "AWS/Lambda": {"Errors", "Throttles", "Duration"},
    "AWS/SQS": {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"},
}


def emitted(
    outcome: ExecutionReport | RunRecord, at: datetime = SCHEDULED, *, last_order: timedelta | None = None
) -> list[Point]:
    """The points that CloudWatch makes of the lines that the code writes."""
    out = io.StringIO()
    latency = None
    if last_order is not None:
        trace = (StageTime(stage=Stage.TRADING, started=SCHEDULED, finished=SCHEDULED + timedelta(minutes=59)),)
        latency = latency_of(SCHEDULED, trace, SCHEDULED + last_order, LatencySettings())
    Metrics("dev", ManualClock(at), out).end(outcome, latency)
    return [point for line in out.getvalue().splitlines() for point in points_of(json.loads(line))]


def report(
    pipeline: Pipeline = Pipeline.MODULAR, *, took: timedelta = timedelta(minutes=9), **changes: object
) -> ExecutionReport:
    cycle = cycle_id("paper", SCHEDULED)
    made = make_report().model_copy(
        update={
            "cycle_id": cycle,
            "run_id": run_id(cycle, pipeline),
            "pipeline": pipeline,
            "trace": (),
            "status": RunStatus.COMPLETED,
            "reason": "",
            **changes,
        }
    )
    for stage in Stage:
        made = made.traced(stage, SCHEDULED + timedelta(minutes=1), SCHEDULED + took)
    return made


def refused_leg() -> tuple[object, ...]:
    return (make_report().legs[0].model_copy(update={"status": LegStatus.REFUSED}),)


def missed() -> list[Point]:
    """The points of a watch that finds the day without a run of the pipeline that trades in phase cutover."""
    out = io.StringIO()
    Metrics("dev", ManualClock(SCHEDULED), out).missed(RunRef.of("paper", SCHEDULED, Pipeline.MODULAR))
    return [point for line in out.getvalue().splitlines() for point in points_of(json.loads(line))]


def parity(*, broken: bool) -> list[Point]:
    document = emf(measures_of_parity(broken=broken), stage="dev", pipeline=Pipeline.MODULAR, at=SCHEDULED)
    return points_of(json.loads(json.dumps(document)))


def aws(alarm: Alarm, value: float) -> list[Point]:
    """A point that AWS publishes itself, under the names it publishes."""
    assert alarm.series.name in AWS_METRICS[alarm.series.namespace]
    return [Point(alarm.series, SCHEDULED, value)]


def alarms(phase: str) -> dict[str, Alarm]:
    return read_alarms(stack(phase))


NOT_AUTHORISED = "NotAuthorised: account paper is traded by monolith (epoch 3, set by ops), not by modular"
OWN = {
    "DayMissedAlarm": (missed(), emitted(report(status=RunStatus.SKIPPED))),
    "RunFailedAlarm": (emitted(report(status=RunStatus.FAILED)), emitted(report())),
    "RunHaltedAlarm": (emitted(report(status=RunStatus.HALTED)), emitted(report(status=RunStatus.PARTIAL))),
    "AuthorityMismatchAlarm": (
        emitted(report(status=RunStatus.FAILED, reason=NOT_AUTHORISED, error="NotAuthorised")),
        emitted(report(status=RunStatus.FAILED, reason=f"WrongAccount: not {NOT_AUTHORISED}", error="WrongAccount")),
    ),
    "OrdersRefusedAlarm": (emitted(report(legs=refused_leg())), emitted(report())),
    "SlowRunAlarm": (
        emitted(report(), last_order=timedelta(seconds=301)),
        emitted(report(took=timedelta(minutes=59)), last_order=timedelta(seconds=299)),
    ),
}


@pytest.mark.parametrize("name", OWN)
def test_an_alarm_on_runs_fires_on_the_report_of_such_a_run(name: str) -> None:
    loud, quiet = OWN[name]
    alarm = alarms("cutover")[name]
    assert alarm.fires(loud, SCHEDULED + timedelta(minutes=1))
    assert not alarm.fires(quiet, SCHEDULED + timedelta(minutes=1))
    assert not alarm.fires([], SCHEDULED + timedelta(minutes=1))


def test_in_each_phase_the_alarms_watch_the_pipeline_that_trades() -> None:
    for phase in PHASES:
        trades = Pipeline.MODULAR if phase in {"cutover", "modular"} else Pipeline.MONOLITH
        for name in OWN:
            assert dict(alarms(phase)[name].series.dimensions) == {"Stage": "dev", "Pipeline": trades.value}, phase


def test_a_broken_parity_fires_in_shadow_and_an_equal_one_does_not() -> None:
    alarm = alarms("shadow")["ParityBrokenAlarm"]
    assert alarm.fires(parity(broken=True), SCHEDULED + timedelta(minutes=1))
    assert not alarm.fires(parity(broken=False), SCHEDULED + timedelta(minutes=1))
    assert "ParityBrokenAlarm" not in alarms("cutover")


THRESHOLDS = {
    **{f"{service}Errors": (1, 0) for service in ("Monolith", "Data", "Strategy", "Trading")},
    **{f"{service}Throttles": (1, 0) for service in ("Monolith", "Data", "Strategy", "Trading")},
    "MonolithSlow": (721_000, 719_000),
    "DataSlow": (97_000, 95_000),
    "StrategySlow": (49_000, 47_000),
    "TradingSlow": (721_000, 719_000),
    "MarketDataQueueOld": (601, 599),
    "TradeDecisionQueueOld": (2701, 2699),
    "MarketDataDeadLetters": (1, 0),
    "TradeDecisionDeadLetters": (1, 0),
    "TriggerDeadLetters": (1, 0),
}
"""Milliseconds, seconds and counts, each just over and just under."""


@pytest.mark.parametrize(("name", "values"), THRESHOLDS.items())
def test_an_alarm_on_what_aws_counts_fires_just_over_its_threshold(name: str, values: tuple[float, float]) -> None:
    alarm = alarms("cutover")[f"{name}Alarm"]
    over, under = values
    assert alarm.fires(aws(alarm, over), SCHEDULED + timedelta(minutes=1))
    assert not alarm.fires(aws(alarm, under), SCHEDULED + timedelta(minutes=1))


def test_every_alarm_is_tried_here_and_leads_somewhere() -> None:
    tried = {*OWN, "ParityBrokenAlarm", "MonolithMissedRunAlarm", "ModularMissedRunAlarm"}
    tried |= {f"{name}Alarm" for name in THRESHOLDS}
    assert {name for phase in PHASES for name in alarms(phase)} == tried
    topic = "arn:aws:sns:us-east-1:123456789012:alchemiser-dev-alarms"
    for alarm in (alarm for phase in PHASES for alarm in alarms(phase).values()):
        assert alarm.actions == (topic,)
        runbook = Path(alarm.description.rpartition("See ")[2].rstrip("."))
        assert (ROOT / runbook).is_file(), alarm.name
    assert read_alarms(stack("cutover", AlarmsEnabled="false")) == {}


def week(missing: int | None = None) -> list[Point]:
    """A run's end each day for a week from a Sunday on, at its usual times: weekend and holiday end as skipped."""
    points = []
    for day in range(8):
        if day != missing:
            scheduled = datetime(2026, 11, 22, 14, 45, tzinfo=UTC) + timedelta(days=day)
            trades = scheduled.weekday() < 5 and scheduled.day != 26
            at = scheduled + (timedelta(minutes=5 + 15 * (day % 4)) if trades else timedelta(seconds=4))
            points += emitted(report() if trades else skipped(scheduled), at)
    return points


def skipped(scheduled: datetime) -> RunRecord:
    cycle = cycle_id("paper", scheduled)
    return RunRecord(
        run_id=run_id(cycle, Pipeline.MODULAR),
        cycle_id=cycle,
        pipeline=Pipeline.MODULAR,
        account_alias="paper",
        scheduled_at=scheduled,
        status=RunStatus.SKIPPED,
        updated_at=scheduled,
    )


def hours(first: datetime, last: datetime) -> list[datetime]:
    return [first + timedelta(hours=number) for number in range(int((last - first) / timedelta(hours=1)) + 1)]


def test_a_missed_run_is_noticed_by_noon_of_its_day_and_weekends_and_holidays_are_not_missed_runs() -> None:
    alarm = alarms("modular")["ModularMissedRunAlarm"]
    span = hours(datetime(2026, 11, 23, 17, tzinfo=UTC), datetime(2026, 11, 29, 17, tzinfo=UTC))
    assert [hour for hour in span if alarm.fires(week(), hour)] == []
    for day, date in ((2, 24), (6, 28)):
        fired = [hour for hour in span if alarm.fires(week(missing=day), hour)]
        assert fired[0] <= datetime(2026, 11, date, 18, tzinfo=UTC), "noon or 13:00 in New York"
        assert fired[0] >= datetime(2026, 11, date, 15, tzinfo=UTC)


def test_the_missed_run_alarm_needs_nothing_of_the_services() -> None:
    """Nothing deployed, nothing emitted, nothing scheduled: it fires all the same."""
    for phase, name in (("monolith", "MonolithMissedRunAlarm"), ("shadow", "ModularMissedRunAlarm")):
        assert alarms(phase)[name].fires([], SCHEDULED)


def test_template_and_code_name_the_same_metrics() -> None:
    found = stack("shadow")
    dashboard = json.loads(str(found.resources["Dashboard"]["Properties"]["DashboardBody"]))  # type: ignore[index,call-overload]
    shown = {
        (row[1], tuple(row[2::2]))
        for widget in dashboard["widgets"]
        for row in widget["properties"]["metrics"]
        if row[0] == NAMESPACE
    }
    assert {name for name, _ in shown} == {metric.value for metric in Metric}
    assert {dimensions for _, dimensions in shown} == {DIMENSIONS}
    own = [alarm.series for phase in PHASES for alarm in alarms(phase).values() if alarm.series.namespace == NAMESPACE]
    assert {series.name for series in own} <= {metric.value for metric in Metric}
    assert all({name for name, _ in series.dimensions} == set(DIMENSIONS) for series in own)


def test_a_line_is_what_cloudwatch_reads_and_carries_the_run_beside_the_metrics() -> None:
    out = io.StringIO()
    Metrics("dev", ManualClock(SCHEDULED), out).end(report())
    (line,) = out.getvalue().splitlines()
    document = json.loads(line)
    assert document["run_id"] == str(report().run_id)
    points = {point.series.name: point.value for point in points_of(document)}
    assert points["RunEnded"] == 1
    assert points["SnapshotDelay"] == points["RunDelay"] == 540
    assert points["TradingDelay"] == 60
    assert len(points) <= 100, "CloudWatch's limit for one line"
    assert all(
        series.dimensions == frozenset({("Stage", "dev"), ("Pipeline", "modular")}) for series in names(document)
    )


def names(document: dict[str, object]) -> list[Series]:
    return [point.series for point in points_of(document)]  # type: ignore[arg-type]


def test_outside_a_deployment_and_before_a_runs_end_nothing_is_written() -> None:
    for stage, outcome in (("", report()), ("dev", report(status=RunStatus.EXECUTING))):
        out = io.StringIO()
        Metrics(stage, ManualClock(SCHEDULED), out).end(outcome)
        assert out.getvalue() == ""
