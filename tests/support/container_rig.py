"""A stage of containers as a test works with it: fire the schedule, deliver message by message, look at what became."""

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import yaml

from alchemiser_cli.stored_runs import read_run
from alchemiser_common import keys
from alchemiser_common.aws.sqs_messages import delivery_of
from alchemiser_common.ids import Pipeline, cycle_id, run_id
from alchemiser_common.lambda_events import sqs_event
from alchemiser_common.messages.event import RunEvent
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.messages.wire import decode
from alchemiser_common.ports.state import load
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.run import RunRecord
from alchemiser_simulator import SimulatorControl
from alchemiser_simulator.control.faults import Delay, When
from alchemiser_simulator.control.models import MarketState
from alchemiser_trading.journal.journal import Journal
from local.event_source import Delivery, EventSource
from local.functions import Answered, Event, Function, Outcome, Unreachable
from local.provision import RUN_EVENTS
from local.scheduler import Attempt, Scheduler, cycle_event
from local.stage import LocalStage, universe_of
from support.command import COMMAND
from support.containers import Boxes
from support.real_processes import until

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

COMPOSE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "compose.yaml").read_text())["services"]
ACCOUNT = "demo"
SPEED = 25.0
SCHEDULED = datetime(2020, 6, 3, 13, 45, tzinfo=UTC)
"""A Wednesday, 15 minutes after the open."""
OUT_OF = ("UVXY", Decimal(500))
"""Held before the cycle and not wanted by it: something to sell, so that buys wait for sells."""
SHORT_OF_TIME = "trading-2"
"""Another worker of the trading function, whose invocations may not take long."""
NEXT_RELEASE = "trading-next"
"""The trading function of a made-up next release, which writes one more field everywhere."""
WORKERS = ("trading", SHORT_OF_TIME, NEXT_RELEASE, "monolith")
FUNCTIONS = ("data", "strategy", *WORKERS)
QUEUES = {
    "strategy": "MarketDataQueue",
    "trading": "TradeDecisionQueue",
    SHORT_OF_TIME: "TradeDecisionQueue",
    NEXT_RELEASE: "TradeDecisionQueue",
}
DELIVERIES = 8
LEASE = timedelta(seconds=121)
TIMEOUTS = {
    "strategy": timedelta(seconds=30),
    "trading": timedelta(seconds=20),
    SHORT_OF_TIME: timedelta(seconds=10),
    NEXT_RELEASE: timedelta(seconds=20),
}


def compose_environment(service: str) -> dict[str, str]:
    """What compose.yaml tells a function."""
    found: dict[str, str] = COMPOSE[service]["environment"]
    return dict(found)


@dataclass
class ContainerRig:
    """The account, its queues, functions and exchange, from outside."""

    boxes: Boxes
    stage: LocalStage
    control: SimulatorControl
    pool: ThreadPoolExecutor
    pumped: list[Delivery] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    """Functions that were invoked since the scene was made."""

    @cached_property
    def universe(self) -> Mapping[str, int]:
        """What the strategies in the image need."""
        return universe_of(self.function("strategy"))

    # ------------------------------------------------------------------------------------------ the scene
    def afresh(self) -> None:
        """Every container up, AWS empty and made anew, the exchange at the scheduled time with its opening books."""
        for role in ("aws", "alpaca"):
            self.boxes[role].start()
        # The exchange's time goes back, which it never does to a process: what has counted requests in it begins anew.
        renewed = [self.pool.submit(self._renew, role) for role in WORKERS if role in self.used]
        self.used.clear()
        for role in FUNCTIONS:
            self.start(role)
        for future in renewed:
            future.result(60)
        self._post_aws("/moto-api/reset")
        assert self.stage.first_use(self.universe), "the stage was there before"
        self.control.reset(start=SCHEDULED)
        self.control.clear_faults()
        self.control.set_holding(*OUT_OF)
        self.pumped.clear()

    def _renew(self, role: str) -> None:
        self.boxes[role].renew()
        self.start(role)

    def start(self, role: str) -> None:
        """The function's container is up, and its runtime has begun."""
        if self.boxes[role].start():
            answer = self.function(role).invoke({"probe": "version"})
            assert isinstance(answer, Answered), answer

    def _post_aws(self, path: str, body: str = "") -> None:
        request = urllib.request.Request(self.boxes["aws"].url + path, data=body.encode(), method="POST")
        urllib.request.urlopen(request, timeout=10).close()

    def forget_the_visibility(self) -> None:
        """What was delivered is visible again."""
        self._post_aws("/clock", "100")

    def let_time_pass(self) -> None:
        """To where the message is visible again and the lease has run out, without waiting for either."""
        self.forget_the_visibility()
        self.control.advance(LEASE)

    @contextmanager
    def carried_over(self) -> Iterator[None]:
        """What table, archive and decision queue held before is there afterwards, as AWS would have it."""
        table, bucket = self.stage.name("Table"), self.stage.name("Bucket")
        dynamodb, s3 = self.stage.aws.clients.dynamodb, self.stage.aws.clients.s3
        items = dynamodb.scan(TableName=table)["Items"]
        names = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]]
        objects = {name: s3.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names}
        (message,) = self.sqs.receive_message(QueueUrl=self.url_of("TradeDecisionQueue"))["Messages"]
        yield
        assert self.stage.first_use(self.universe), "it kept its state"
        for item in items:
            dynamodb.put_item(TableName=table, Item=item)
        for name, body in objects.items():
            s3.put_object(Bucket=bucket, Key=name, Body=body)
        self.send("trading", message["Body"])

    # ------------------------------------------------------------------------------------------ the flow
    @property
    def sqs(self) -> "SQSClient":
        return self.stage.aws.clients.sqs

    def url_of(self, output: str) -> str:
        return self.sqs.get_queue_url(QueueName=self.stage.name(output))["QueueUrl"]

    def function(self, role: str) -> Function:
        return Function(role, self.boxes[role].url, timeout=TIMEOUTS.get(role, timedelta(seconds=30)))

    def invoke(self, role: str, event: Event) -> Outcome:
        self.used.add(role)
        return self.function(role).invoke(event)

    def fire(self, *, retries: int = 2, pause: float = 0.0) -> Attempt:
        """The schedule fires at the data function."""
        function, dead = self.function("data"), self.url_of("TriggerDeadLetters")
        scheduler = Scheduler(function, self.sqs, dead, retries=retries, pause=lambda: self._start_again(pause))
        return scheduler.fire(cycle_event(SCHEDULED))

    def _start_again(self, pause: float) -> None:
        time.sleep(pause)
        self.start("data")

    def source(self, role: str) -> EventSource:
        """The mapping of the function's queue."""
        self.used.add(role)
        return EventSource(self.sqs, self.url_of(QUEUES[role]), self.function(role))

    def deliver(self, role: str) -> Delivery:
        """Deliver the next message to the strategy or the trading function."""
        delivery = self.source(role).poll()
        assert delivery is not None, f"{QUEUES[role]} had no message to deliver"
        self.pumped.append(delivery)
        return delivery

    def deliver_meanwhile(self, stage: str) -> Future[Delivery]:
        return self.pool.submit(self.deliver, stage)

    def deliver_until_done(self, stage: str) -> Delivery:
        """Deliver the message as often as the queue allows, containers that are down being started first."""
        for _ in range(DELIVERIES):
            self.start(stage)
            delivery = self.deliver(stage)
            if delivery.done or delivery.last:
                return delivery
            self.let_time_pass()
        raise AssertionError(f"{stage} was not done after {DELIVERIES} deliveries: {self.pumped}")

    def up_to_the_decision(self) -> None:
        """Data and strategy have done their work; the decision is in its queue."""
        attempt = self.fire()
        assert isinstance(attempt.outcome, Answered), attempt
        delivery = self.deliver("strategy")
        assert delivery.done, delivery

    def decision_event(self) -> Event:
        """The decision as an SQS event of its own, for deliveries beside the queue's. The queue's stays deliverable."""
        url = self.url_of("TradeDecisionQueue")
        received = self.sqs.receive_message(
            QueueUrl=url, VisibilityTimeout=1, MessageSystemAttributeNames=["All"], MaxNumberOfMessages=1
        )["Messages"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self._post_aws("/clock", "2")
        return sqs_event(delivery_of(received[0]), arn, received[0]["Attributes"].items())

    def give_up_after(self, receives: int) -> None:
        """The decision queue gives a message up sooner than deployed: a test need not kill as often."""
        url = self.url_of("TradeDecisionQueue")
        known = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
        policy = json.loads(known["RedrivePolicy"]) | {"maxReceiveCount": receives}
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})

    def send(self, role: str, body: str) -> None:
        """Put a message into the function's queue."""
        self.sqs.send_message(
            QueueUrl=self.url_of(QUEUES[role]),
            MessageBody=body,
            MessageGroupId=ACCOUNT,
            MessageDeduplicationId=uuid4().hex,
        )

    def messages(self, output: str) -> int:
        """How many a queue holds, delivered ones included."""
        found = self.sqs.get_queue_attributes(QueueUrl=self.url_of(output), AttributeNames=["All"])["Attributes"]
        return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])

    def alchemiser(self, *arguments: str) -> str:
        """What the operator's command prints, given this stage's settings."""
        command = [*COMMAND, *arguments]
        settings = self.stage.variables(self.boxes["alpaca"].url)
        done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout

    # ------------------------------------------------------------------------------------------ what became
    @property
    def run(self) -> UUID:
        return run_id(cycle_id(ACCOUNT, SCHEDULED), Pipeline.MODULAR)

    def status(self) -> str:
        summary = read_run(self.stage.state, self.run)
        return "unknown" if summary is None else summary.status

    def report(self) -> ExecutionReport:
        summary = read_run(self.stage.state, self.run)
        assert summary is not None, "nothing is stored about the run"
        assert summary.report is not None, f"the run stands at {summary.status}: {summary.reason}"
        return summary.report

    def record(self) -> RunRecord:
        known = load(self.stage.state, keys.data_record(self.run), RunRecord)
        assert known is not None
        return known.value

    def journal(self) -> Journal:
        journal = Journal.load(self.stage.state, self.run)
        assert journal is not None, "the run has no journal"
        return journal

    def plan(self) -> Plan:
        return self.journal().required_plan()

    def intents(self) -> dict[str, Intent]:
        return {intent.client_order_id: intent for intent in self.journal().intents()}

    def truth(self) -> MarketState:
        return self.control.state()

    def has_orders(self) -> bool:
        return bool(self.truth().orders)

    def has_part_of_an_order(self) -> bool:
        return any(0 < order.filled_qty < (order.qty or 0) for order in self.truth().orders)

    def has_a_buy(self) -> bool:
        return any(order.side == "buy" for order in self.truth().orders)

    def held(self) -> dict[str, Decimal]:
        return {holding.symbol: holding.qty for holding in self.truth().holdings}

    def dead(self, output: str) -> list[str]:
        """Bodies of a queue's dead letters."""
        found = self.sqs.receive_message(QueueUrl=self.url_of(output), MaxNumberOfMessages=10, VisibilityTimeout=0).get(
            "Messages", []
        )
        return [message["Body"] for message in found]

    def heard(self) -> list[RunEvent]:
        """Run events on the bus, repeated ones once."""
        url = self.sqs.get_queue_url(QueueName=RUN_EVENTS)["QueueUrl"]
        events: dict[object, RunEvent] = {}
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                event = decode(json.dumps(json.loads(message["Body"])["detail"]), RunEvent)
                events[event.event_id] = event
        return list(events.values())


def assert_nothing_dead(rig: ContainerRig) -> None:
    for output in ("MarketDataDeadLetters", "TradeDecisionDeadLetters", "TriggerDeadLetters"):
        assert rig.dead(output) == [], f"{output} has messages"


def assert_orders_are_the_journals(rig: ContainerRig) -> None:
    """Every order at the exchange was written down first, once; nothing is open; no leg got more than its plan."""
    orders, intents = rig.truth().orders, rig.intents()
    unknown = [order.client_order_id for order in orders if order.client_order_id not in intents]
    assert not unknown, f"orders that no intent explains: {unknown}"
    assert len({order.client_order_id for order in orders}) == len(orders)
    still = [order.client_order_id for order in orders if order.status in {"new", "accepted", "partially_filled"}]
    assert not still, f"orders are still open: {still}"
    filled: dict[tuple[str, str], Decimal] = {}
    for order in orders:
        key = (order.symbol, order.side)
        filled[key] = filled.get(key, Decimal(0)) + order.filled_qty
    planned = {(leg.symbol, leg.side.value): leg.quantity for leg in rig.plan().legs}
    for key, quantity in filled.items():
        assert quantity <= planned.get(key, Decimal(0)), f"{key}: {quantity} filled, {planned.get(key)} planned"


def assert_as_undisturbed(rig: ContainerRig, holdings: dict[str, Decimal], *, heard: bool = True) -> None:
    """The run completed, the account holds what it holds after a run that nobody disturbed, and the bus was told.

    `heard=False` where the test has listened to the bus itself.
    """
    report = rig.report()
    assert report.status is RunStatus.COMPLETED, f"{report.status.value}: {report.reason}"
    assert_orders_are_the_journals(rig)
    held = rig.held()
    differing = {symbol: (held.get(symbol), holdings.get(symbol)) for symbol in held.keys() | holdings.keys()}
    differing = {symbol: pair for symbol, pair in differing.items() if pair[0] != pair[1]}
    assert not differing, f"held against undisturbed: {differing}; {report.reason}"
    assert_nothing_dead(rig)
    if heard:
        (event,) = rig.heard()
        assert (event.event.event_name, event.run_id) == ("RunCompleted", rig.run)


def kill_while_it_works(rig: ContainerRig, role: str, there: Callable[[], bool], what: str) -> None:
    """Deliver the next message, kill the function when it is there; the message stays in its queue.

    From then on the exchange answers no question, so that it still is there when the kill comes. Orders are not held
    back: they would arrive later, maybe in the next test.
    """
    working = rig.deliver_meanwhile(role)
    until(lambda: there() or working.done(), what)
    rig.control.add_fault(Delay(match=When(method="GET", path="^/v2/"), seconds=20))
    kill(rig, role, working)
    rig.control.clear_faults()


def kill(rig: ContainerRig, role: str, working: Future[Delivery]) -> None:
    """Kill a function at work; then its message is deliverable again."""
    rig.boxes[role].kill()
    delivery = working.result(60)
    assert isinstance(delivery.outcome, Unreachable), f"it had ended before it was killed: {delivery}"
    assert not delivery.done
    rig.let_time_pass()
