"""When schedules fire and messages come again: each run has its time, and nothing is tried once it could not trade."""

import json
import re
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from alchemiser_cli.stage.names import PHASES, RECEIVES
from alchemiser_common.decision_time import decision_time
from alchemiser_common.lambda_events import read_trigger
from alchemiser_common.messages.snapshot import MarketSession
from alchemiser_common.settings import Settings
from deploy.expand import Stack
from deploy.template import ROOT, mapping
from support.deployment import settings_of, stack


def seconds(found: Stack, queue: str, function: str) -> tuple[int, int, int]:
    """Visibility, timeout and receives of a queue and the function it feeds."""
    own = found.of_type("AWS::SQS::Queue")[queue]
    redrive = mapping(own["RedrivePolicy"], "RedrivePolicy")
    timeout = found.of_type("AWS::Lambda::Function")[function]["Timeout"]
    return int(str(own["VisibilityTimeout"])), int(str(timeout)), int(str(redrive["maxReceiveCount"]))


def test_a_snapshot_waits_six_timeouts_and_is_given_up_while_its_decision_could_still_trade() -> None:
    """The strategy function hands nothing over: three receives are three failures."""
    visibility, timeout, receives = seconds(stack("shadow"), "MarketDataQueue", "StrategyFunction")
    assert visibility >= 6 * timeout
    assert receives == RECEIVES["MarketDataQueue"]
    assert receives * visibility < 60 * Settings().schedule.deadline_minutes


def test_a_run_may_hand_over_until_its_deadline_and_the_queue_still_has_a_delivery_to_end_it() -> None:
    """A message comes again a visibility after it came, whatever became of the delivery."""
    visibility, timeout, receives = seconds(stack("shadow"), "TradeDecisionQueue", "TradingFunction")
    assert receives == RECEIVES["TradeDecisionQueue"]
    defaults = Settings()
    deadline, handover = 60 * defaults.schedule.deadline_minutes, defaults.execution.handover_seconds
    begins = [number * visibility for number in range(receives)]
    after = [begin for begin in begins if begin >= deadline]
    assert len(after) >= 2, "one may be lost"
    assert timeout < visibility, "Lambda's rule"
    assert visibility - (timeout - handover) < defaults.execution.lease_seconds, "between hand-over and next delivery"


DECISIONS = {
    "after the open": {},
    "before the close": {
        "DecisionTime": "cron(40 15 ? * * *)",
        "EarlyDecisionTime": "cron(40 12 ? * * *)",
        "WatchTime": "cron(5/10 9-16 ? * MON-FRI *)",
    },
}


def fires(expression: str) -> list[int]:
    """Minutes of the day at which a schedule fires."""
    minute, hour = re.findall(r"[0-9/-]+", expression)[:2]
    first, _, step = minute.partition("/")
    begin, _, end = hour.partition("-")
    minutes = range(int(first), 60, int(step)) if step else [int(first)]
    return [60 * at + past for at in range(int(begin), int(end or begin) + 1) for past in minutes]


@pytest.mark.parametrize("changes", DECISIONS.values(), ids=DECISIONS)
def test_the_watch_comes_every_ten_minutes_from_any_decision_until_its_run_has_ended(changes: dict[str, str]) -> None:
    """The monolith has nobody else: AWS tries it three times at most, and a hand-over is answered, not tried again."""
    found, defaults = stack("monolith", **changes), Settings()
    watch = found.of_type("AWS::Scheduler::Schedule")["OverdueWatch"]
    comes = fires(str(watch["ScheduleExpression"]))
    assert {later - earlier for earlier, later in pairwise(comes)} == {10}
    assert watch["ScheduleExpressionTimezone"] == found.parameters["ExchangeTimeZone"]
    for name in ("DecisionTime", "EarlyDecisionTime"):
        for decides in fires(str(found.parameters[name])) if found.parameters[name] else ():
            assert min(abs(decides - at) for at in comes) == 5, "as far from the decision's own delivery as can be"
            deadline = min(decides + defaults.schedule.deadline_minutes, 16 * 60)
            assert comes[0] <= decides
            assert any(deadline < at <= deadline + 10 for at in comes)


@pytest.mark.parametrize("pipeline", ["modular", "monolith"])
def test_the_documented_timeline_of_a_leg_that_never_fills_is_the_templates(pipeline: str) -> None:
    """Whatever comes while nobody has the account works until its process or the deadline is over."""
    found, defaults = stack("cutover"), Settings()
    visibility, timeout, receives = seconds(found, "TradeDecisionQueue", "TradingFunction")
    deadline, handover = 60 * defaults.schedule.deadline_minutes, int(defaults.execution.handover_seconds)
    (decides,) = fires(str(found.parameters["DecisionTime"]))
    comes = [(60 * (at - decides), "watch") for at in fires(str(found.parameters["WatchTime"])) if at > decides]
    if pipeline == "modular":
        comes += [(number * visibility, "message") for number in range(receives)]
    else:
        comes += [(0, "cycle")]
    cells, free, worked = list[str](), 0, 0
    for begins, what in sorted(comes):
        if free <= begins < deadline:
            free = min(begins + timeout - handover, deadline)
            worked += free - begins
            cells += [f"{begins // 60}:{begins % 60:02} {what}", f"{free // 60}:{free % 60:02}"]
    page = (ROOT / "docs" / "trading.md").read_text(encoding="utf-8")
    assert f"| {pipeline} | {' | '.join(cells)} |" in page
    assert f"{round(worked / 60)} of its 60 minutes" in page or f"{round(worked / 60)} in the monolith" in page


def test_a_watch_that_failed_is_not_tried_when_the_next_one_comes() -> None:
    found = stack("cutover")
    config = found.of_type("AWS::Lambda::EventInvokeConfig")["TradingFunctionEventInvokeConfig"]
    assert int(str(config["MaximumEventAgeInSeconds"])) <= 600


def test_no_trigger_and_no_invocation_is_tried_when_its_run_could_not_trade_any_more() -> None:
    defaults = Settings().schedule
    for phase in PHASES:
        found = stack(phase)
        for name, schedule in found.of_type("AWS::Scheduler::Schedule").items():
            retry = mapping(mapping(schedule["Target"], "Target")["RetryPolicy"], "RetryPolicy")
            assert int(str(retry["MaximumEventAgeInSeconds"])) <= 60 * defaults.window_minutes, name
            assert int(str(retry["MaximumRetryAttempts"])) <= 2, name
            assert mapping(schedule["Target"], "Target")["DeadLetterConfig"], name
        for name, config in found.of_type("AWS::Lambda::EventInvokeConfig").items():
            limit = defaults.window_minutes if name.startswith("Data") else defaults.deadline_minutes
            assert int(str(config["MaximumEventAgeInSeconds"])) <= 60 * limit, name
            assert config["Qualifier"] == "live"


def test_the_scheduler_hands_in_its_own_time_and_both_pipelines_the_same() -> None:
    schedules = stack("shadow").of_type("AWS::Scheduler::Schedule")
    texts = {str(mapping(schedules[f"{who}Schedule"]["Target"], "Target")["Input"]) for who in ("Monolith", "Modular")}
    (text,) = texts
    filled = text.replace("<aws.scheduler.scheduled-time>", "2026-11-25T14:45:00Z")
    assert read_trigger(json.loads(filled)).scheduled_at == datetime(2026, 11, 25, 14, 45, tzinfo=UTC)
    assert len({str(schedules[f"{who}Schedule"]["ScheduleExpression"]) for who in ("Monolith", "Modular")}) == 1


@pytest.mark.parametrize("day", ["2026-07-06", "2026-11-25", "2026-11-27"], ids=["summer", "winter", "early close"])
@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, ["DecisionTime"]),
        (
            {
                "DecisionAnchor": "close",
                "DecisionOffsetMinutes": "20",
                "DecisionTime": "cron(40 15 ? * * *)",
                "EarlyDecisionTime": "cron(40 12 ? * * *)",
            },
            ["DecisionTime", "EarlyDecisionTime"],
        ),
    ],
    ids=["after the open", "before the close"],
)
def test_one_schedule_fires_at_each_sessions_decision_time(
    day: str, changes: dict[str, str], wanted: list[str]
) -> None:
    found = stack("modular", **changes)
    schedule = settings_of(found, "data").schedule
    zone = ZoneInfo(str(found.parameters["ExchangeTimeZone"]))
    date = datetime.fromisoformat(day).date()
    closes = time(13) if day == "2026-11-27" else time(16)
    session = MarketSession(
        day=date,
        previous_day=date - timedelta(days=1),
        opens=datetime.combine(date, time(9, 30), zone),
        closes=datetime.combine(date, closes, zone),
    )
    fires = []
    for name in wanted:
        minute, hour = map(int, re.findall(r"\d+", str(found.parameters[name]))[:2])
        fires.append(datetime.combine(date, time(hour, minute), zone).astimezone(UTC))
    assert decision_time(session, schedule) in fires
    assert len(found.of_type("AWS::Scheduler::Schedule")) == len(wanted) + 1
