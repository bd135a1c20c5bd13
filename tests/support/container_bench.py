"""A stage of containers as a test works with it: fire the schedule, deliver message by message, look at what became."""

import json
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from alchemiser_cli.history import read_run
from alchemiser_common import keys
from alchemiser_common.ids import Pipeline, cycle_id, run_id
from alchemiser_common.messages.event import RunEvent
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.messages.run import RunRecord
from alchemiser_common.messages.wire import decode
from alchemiser_common.ports.state import load
from alchemiser_local.event_source import Delivery, EventSource
from alchemiser_local.functions import Answered, Event, Function, Outcome
from alchemiser_local.provision import RUN_EVENTS
from alchemiser_local.scheduler import Attempt, Scheduler, cycle_event
from alchemiser_local.stage import LocalStage
from alchemiser_simulator import SimulatorControl
from alchemiser_simulator.control_models import MarketState
from alchemiser_trading.journal import Intent, Journal
from alchemiser_trading.plan import Plan
from support.containers import Boxes

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

COMPOSE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "compose.yaml").read_text())["services"]
ACCOUNT = "demo"
SPEED = 25.0
SCHEDULED = datetime(2020, 6, 3, 13, 45, tzinfo=UTC)
"""A Wednesday, 15 minutes after the open."""
OUT_OF = ("UVXY", Decimal(500))
"""Held before the cycle and not wanted by it: something to sell, so that buys wait for sells."""
FUNCTIONS = ("data", "strategy", "trading", "trading-2", "monolith")
DELIVERIES = 6
LEASE = timedelta(seconds=121)
TIMEOUTS = {"strategy": timedelta(seconds=30), "trading": timedelta(seconds=20)}


def compose_environment(service: str) -> dict[str, str]:
    """What compose.yaml tells a function."""
    found: dict[str, str] = COMPOSE[service]["environment"]
    return dict(found)


@dataclass
class ContainerBench:
    """The account, its queues, functions and exchange, from outside."""

    boxes: Boxes
    stage: LocalStage
    control: SimulatorControl
    pool: ThreadPoolExecutor
    pumped: list[Delivery] = field(default_factory=list)

    # ------------------------------------------------------------------------------------------ the scene
    def afresh(self) -> None:
        """Every container up, AWS empty and made anew, the exchange at the scheduled time with its opening books."""
        for role in ("aws", "alpaca"):
            self.boxes[role].start()
        for role in FUNCTIONS:
            self.start(role)
        self._post_aws("/moto-api/reset")
        assert self.stage.first_use(), "the stage was there before"
        self.control.reset(start=SCHEDULED)
        self.control.clear_faults()
        self.control.set_holding(*OUT_OF)
        self.pumped.clear()

    def start(self, role: str) -> None:
        """The function's container is up, and its runtime has begun."""
        if self.boxes[role].start():
            answer = self.invoke(role, {"probe": "version"})
            assert isinstance(answer, Answered), answer

    def _post_aws(self, path: str, body: str = "") -> None:
        request = urllib.request.Request(self.boxes["aws"].url + path, data=body.encode(), method="POST")
        urllib.request.urlopen(request, timeout=10).close()

    def let_time_pass(self) -> None:
        """To where the message is visible again and the lease has run out, without waiting for either."""
        self._post_aws("/clock", "100")
        self.control.advance(LEASE)

    # ------------------------------------------------------------------------------------------ the flow
    @property
    def sqs(self) -> "SQSClient":
        return self.stage.aws.session().client("sqs", endpoint_url=self.stage.aws.endpoint)

    def url_of(self, output: str) -> str:
        return self.sqs.get_queue_url(QueueName=self.stage.name(output))["QueueUrl"]

    @contextmanager
    def function(self, role: str) -> Iterator[Function]:
        function = Function(role, self.boxes[role].url, timeout=TIMEOUTS.get(role, timedelta(seconds=30)))
        try:
            yield function
        finally:
            function.close()

    def invoke(self, role: str, event: Event) -> Outcome:
        with self.function(role) as function:
            return function.invoke(event)

    def invoke_meanwhile(self, role: str, event: Event) -> Future[Outcome]:
        return self.pool.submit(self.invoke, role, event)

    def fire(self, *, retries: int = 2, pause: float = 0.0) -> Attempt:
        """The schedule fires at the data function."""
        with self.function("data") as function:
            dead = self.url_of("TriggerDeadLetters")
            scheduler = Scheduler(function, self.sqs, dead, retries=retries, pause=lambda: self._start_again(pause))
            return scheduler.fire(cycle_event(SCHEDULED))

    def _start_again(self, pause: float) -> None:
        time.sleep(pause)
        self.start("data")

    def deliver(self, stage: str) -> Delivery:
        """Deliver the next message to the strategy or the trading function."""
        output = {"strategy": "MarketDataQueue", "trading": "TradeDecisionQueue"}[stage]
        with self.function(stage) as function:
            delivery = EventSource(self.sqs, self.url_of(output), function).poll()
        assert delivery is not None, f"{output} had no message to deliver"
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
        from alchemiser_local.event_source import sqs_event

        url = self.url_of("TradeDecisionQueue")
        received = self.sqs.receive_message(
            QueueUrl=url, VisibilityTimeout=1, MessageSystemAttributeNames=["All"], MaxNumberOfMessages=1
        )["Messages"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self._post_aws("/clock", "2")
        return sqs_event(received[0], arn)

    # ------------------------------------------------------------------------------------------ what became
    @property
    def run(self) -> Any:
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


def assert_nothing_dead(bench: ContainerBench) -> None:
    for output in ("MarketDataDeadLetters", "TradeDecisionDeadLetters", "TriggerDeadLetters"):
        assert bench.dead(output) == [], f"{output} has messages"


def assert_orders_are_the_journals(bench: ContainerBench) -> None:
    """Every order at the exchange was written down first, once; nothing is open; no leg got more than its plan."""
    orders, intents = bench.truth().orders, bench.intents()
    unknown = [order.client_order_id for order in orders if order.client_order_id not in intents]
    assert not unknown, f"orders that no intent explains: {unknown}"
    assert len({order.client_order_id for order in orders}) == len(orders)
    still = [order.client_order_id for order in orders if order.status in {"new", "accepted", "partially_filled"}]
    assert not still, f"orders are still open: {still}"
    filled: dict[tuple[str, str], Decimal] = {}
    for order in orders:
        key = (order.symbol, order.side)
        filled[key] = filled.get(key, Decimal(0)) + order.filled_qty
    planned = {(leg.symbol, leg.side.value): leg.quantity for leg in bench.plan().legs}
    for key, quantity in filled.items():
        assert quantity <= planned.get(key, Decimal(0)), f"{key}: {quantity} filled, {planned.get(key)} planned"


def assert_as_undisturbed(bench: ContainerBench, holdings: dict[str, Decimal]) -> None:
    """The run completed, the account holds what it holds after a run that nobody disturbed, and everybody was told."""
    report = bench.report()
    assert report.status is RunStatus.COMPLETED, f"{report.status.value}: {report.reason}"
    assert_orders_are_the_journals(bench)
    held = bench.held()
    differing = {symbol: (held.get(symbol), holdings.get(symbol)) for symbol in held.keys() | holdings.keys()}
    differing = {symbol: pair for symbol, pair in differing.items() if pair[0] != pair[1]}
    assert not differing, f"held against undisturbed: {differing}; {report.reason}"
    assert_nothing_dead(bench)
    (event,) = bench.heard()
    assert (event.event.value, event.run_id) == ("RunCompleted", bench.run)
