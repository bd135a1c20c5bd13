"""What AWS does between the drill's functions: schedules, queues, metrics and alarms, at the exchange's time.

Who is scheduled, fed and watched is read from the deployed stack; its functions are invoked through their alias. Must
never know better than the stack what a phase has.
"""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import docker as engine

from alchemiser_common.json_value import Json
from alchemiser_simulator import SimulatorControl
from deploy.template import mapping
from local.event_source import Delivery, EventSource
from local.functions import Event, Failed, Outcome, Overran, Unreachable, outcome_of
from local.scheduler import Attempt, Scheduler, cycle_event
from support.alarms import Alarm, Point, Series, points_of, read_alarms
from support.deployment import stack
from support.stages import StageOnMoto
from support.warm_containers import LABEL

QUEUES = {"strategy": "MarketDataQueue", "trading": "TradeDecisionQueue"}
DEAD_LETTERS = ("MarketDataDeadLetters", "TradeDecisionDeadLetters", "TriggerDeadLetters")
_MINUTE = timedelta(minutes=1)
_MOST_DELIVERIES = 20


@dataclass(frozen=True)
class LiveFunction:
    """A function through its alias; `count` is told how each invocation ended and how many seconds it took."""

    name: str
    timeout: timedelta
    client: Any
    count: Callable[[str, Outcome, float], None]

    def invoke(self, event: Event) -> Outcome:
        """What the live version comes to."""
        started = time.monotonic()
        answer = self.client.invoke(FunctionName=self.name, Qualifier="live", Payload=json.dumps(event).encode())
        outcome = outcome_of(200, answer["Payload"].read().decode())
        self.count(self.name, outcome, time.monotonic() - started)
        return outcome


@dataclass
class Platform:
    """The stage's schedules, queues and alarms. `label` marks its containers."""

    stage: StageOnMoto
    control: SimulatorControl
    label: str
    points: list[Point] = field(default_factory=list)
    _read: dict[str, int] = field(default_factory=dict)
    """Metric lines of each container that are counted already."""

    # ------------------------------------------------------------------------------------------ who is fed
    def schedules(self) -> dict[str, str]:
        """The enabled schedules: what each hands in, by the service that gets it."""
        scheduler, group = self.stage.client("scheduler"), f"alchemiser-{self.stage.name}"
        found = {}
        for item in scheduler.list_schedules(GroupName=group)["Schedules"]:
            own = scheduler.get_schedule(GroupName=group, Name=item["Name"])
            if own["State"] == "ENABLED":
                service = own["Target"]["Arn"].split(":")[-2].rpartition("-")[2]
                found[f"{item['Name']}:{service}"] = own["Target"]["Input"]
        return found

    def scheduled(self) -> tuple[str, ...]:
        """The services that get the decision time."""
        return tuple(name.partition(":")[2] for name in self.schedules() if not name.startswith("overdue:"))

    def watched(self) -> str:
        """The service that is asked to go on with what nobody works on."""
        (service,) = (name.partition(":")[2] for name in self.schedules() if name.startswith("overdue:"))
        return service

    def fed(self) -> tuple[str, ...]:
        """The services that their queues feed, in the order in which data flow."""
        mappings = self.stage.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        arns = [item["FunctionArn"] for item in mappings if item["State"] == "Enabled"]
        return tuple(service for service in QUEUES if any(f"-{service}" in arn for arn in arns))

    # ------------------------------------------------------------------------------------------ feeding
    def function(self, service: str) -> LiveFunction:
        """The service's function as schedules and queues invoke it."""
        name = f"alchemiser-{self.stage.name}-{service}"
        timeout = self._lambda.get_function_configuration(FunctionName=name, Qualifier="live")["Timeout"]
        return LiveFunction(name, timedelta(seconds=timeout), self._lambda, self._count)

    def fire(self, service: str, due: datetime) -> Attempt:
        """The schedule fires."""
        return self._scheduler(service).fire(cycle_event(due))

    def watch(self) -> Attempt:
        """The watch asks whoever trades."""
        return self._scheduler(self.watched()).fire({"watch": "overdue"})

    def deliver(self, service: str) -> Delivery | None:
        """The next message of the service's queue, if one may be delivered."""
        return EventSource(self.stage.client("sqs"), self._url(QUEUES[service]), self.function(service)).poll()

    def deliver_all(self) -> list[Delivery]:
        """Every message on its way; one that its function failed stays until its visibility is over."""
        found: list[Delivery] = []
        for service in self.fed():
            for _ in range(_MOST_DELIVERIES):
                delivery = self.deliver(service)
                if delivery is None:
                    break
                found.append(delivery)
        return found

    def wait_out_the_visibility(self, seconds: float) -> None:
        """The queues' clock and the exchange's go on together."""
        clock = urllib.request.Request(f"{self.stage.url}/clock", data=str(seconds).encode(), method="POST")
        urllib.request.urlopen(clock, timeout=10).close()
        self.control.advance(seconds)

    def _scheduler(self, service: str) -> Scheduler:
        sqs, dead = self.stage.client("sqs"), self._url("TriggerDeadLetters")
        return Scheduler(self.function(service), sqs, dead, retries=2, pause=lambda: None)

    def _url(self, output: str) -> str:
        return str(self._outputs[output])

    @cached_property
    def _outputs(self) -> dict[str, str]:
        """Of what is there in every phase."""
        found = self.stage.stage().deployed().outputs
        return dict(found)

    @cached_property
    def _lambda(self) -> Any:
        """A client as patient as a whole run of the monolith."""
        return self.stage.stage().clients.client("lambda", read_timeout_seconds=900)

    # ------------------------------------------------------------------------------------------ what is counted
    def _count(self, function: str, outcome: Outcome, seconds: float) -> None:
        """What Lambda itself counts."""
        failed = isinstance(outcome, Failed | Overran | Unreachable)
        named, now = frozenset({("FunctionName", function)}), self.control.clock().now
        self.points.append(Point(Series("AWS/Lambda", "Errors", named), now, float(failed)))
        self.points.append(Point(Series("AWS/Lambda", "Duration", named), now, seconds * 1000))

    def dead_letters(self) -> int:
        """In all three queues."""
        sqs = self.stage.client("sqs")
        total = 0
        for output in DEAD_LETTERS:
            attributes = sqs.get_queue_attributes(
                QueueUrl=self._url(output), AttributeNames=["ApproximateNumberOfMessages"]
            )["Attributes"]
            waiting = int(attributes["ApproximateNumberOfMessages"])
            queue = self._url(output).rpartition("/")[2]
            series = Series("AWS/SQS", "ApproximateNumberOfMessagesVisible", frozenset({("QueueName", queue)}))
            self.points.append(Point(series, self.control.clock().now, float(waiting)))
            total += waiting
        return total

    def read_metrics(self) -> int:
        """Make points of the containers' new metric lines, as CloudWatch does; how many lines those were."""
        fresh = [points_of(line) for line in self._new_metric_lines()]
        for points in fresh:
            self.points += points
        return len(fresh)

    def _new_metric_lines(self) -> Iterator[dict[str, Json]]:
        for container in self.containers():
            lines = [line for line in container.logs().decode().splitlines() if line.startswith('{"_aws"')]
            known = self._read.get(container.id or "", 0)
            self._read[container.id or ""] = len(lines)
            yield from (dict(mapping(json.loads(line), "metric line")) for line in lines[known:])

    def containers(self, function: str | None = None) -> list[Any]:
        """The stage's containers, those that have ended too; of one function those that run."""
        labels = [f"{LABEL}={self.label}"] + ([f"function={function}"] if function else [])
        found: list[Any] = self._engine.containers.list(all=function is None, filters={"label": labels})
        return found

    @cached_property
    def _engine(self) -> Any:
        return engine.from_env()

    def remove_containers(self) -> None:
        """At the end of the drill."""
        for container in self.containers():
            container.remove(force=True, v=True)

    # ------------------------------------------------------------------------------------------ alarms
    def alarms(self, phase: str) -> dict[str, Alarm]:
        """The alarms of the deployed template, by logical id."""
        return read_alarms(stack(phase, AccountAlias=self._outputs["AccountAlias"]))

    def fired(self, phase: str, since: datetime) -> set[str]:
        """The alarms that went off from `since` to now: CloudWatch looks every minute."""
        now = self.control.clock().now + _MINUTE
        moments = list(_minutes(since, now))
        found = {
            name
            for name, alarm in self.alarms(phase).items()
            if alarm.missing != "breaching" and any(alarm.fires(self.points, moment) for moment in moments)
        }
        return {name.removesuffix("Alarm") for name in found}

    def set_alarms(self, phase: str) -> set[str]:
        """Bring the deployed alarms into the state in which CloudWatch would have them now; those that are firing.

        `missing` data of a day are not played: the alarm that hangs on them watches 26 hours, and each day has a run.
        """
        now, cloudwatch = self.control.clock().now + timedelta(seconds=1), self.stage.client("cloudwatch")
        deployed = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix="alchemiser-")
        known = {item["AlarmName"]: item["StateValue"] for page in deployed for item in page["MetricAlarms"]}
        firing = set()
        for name, alarm in self.alarms(phase).items():
            fires = alarm.missing != "breaching" and alarm.fires(self.points, now)
            state = "ALARM" if fires else "OK"
            if known[alarm.name] != state:
                cloudwatch.set_alarm_state(AlarmName=alarm.name, StateValue=state, StateReason="the drill's metrics")
            if fires:
                firing.add(name.removesuffix("Alarm"))
        return firing


def _minutes(since: datetime, until: datetime) -> Iterator[datetime]:
    moment = since
    while moment <= until:
        yield moment
        moment += _MINUTE
