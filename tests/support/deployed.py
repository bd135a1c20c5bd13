"""The functions as the template deploys them, at the exchange's time, with every AWS call recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from botocore.session import Session

from alchemiser_cli.simulated import open_market
from alchemiser_cli.stage.names import SERVICES
from alchemiser_cli.stage.universe_record import settle
from alchemiser_common import keys
from alchemiser_common.aws import clients
from alchemiser_common.aws.adapters import AwsAdapters
from alchemiser_common.aws.sqs_messages import delivery_of
from alchemiser_common.decision_time import decision_time
from alchemiser_common.ids import Pipeline
from alchemiser_common.lambda_entry import Handle
from alchemiser_common.lambda_events import Event, sqs_event
from alchemiser_common.settings import Settings
from alchemiser_common.settings_loading import load_settings
from alchemiser_simulator import ClockMode, PriceHistory, SimulatorConfig, SimulatorControl, SimulatorServer
from alchemiser_strategy.bootstrap import enabled_strategies
from alchemiser_trading.account.authority import set_authority
from deploy.calls import Call, requests_of
from deploy.expand import Stack, properties
from deploy.template import mapping
from support.aws_stack import LocalAws
from support.deployment import PLACE
from support.functions import BUILDS, SPEED

DAY = date(2020, 2, 3)
PLENTY = timedelta(minutes=15)
BEFORE = timedelta(hours=3)
"""What a deployment may take of the exchange's time."""


@dataclass
class Deployed:
    """A stack in moto, an exchange, and the services of the stack working on both."""

    aws: LocalAws
    stack: Stack
    exchange_url: str
    due: datetime
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        there = [name for name in SERVICES if f"{name.capitalize()}Function" in self.stack.resources]
        self.functions = {name: self._built(name) for name in there}
        self.write_universe()

    def trigger(self) -> dict[str, object]:
        """What the scheduler hands in."""
        return {"scheduled_at": self.due.isoformat()}

    def invoke(self, service: str, event: Event) -> dict[str, Any]:
        answer = self.functions[service](event, lambda: PLENTY)
        return answer.model_dump(mode="json")

    def delivery(self, queue: str) -> Event:
        """The oldest message of a queue, taken as Lambda's poller takes it, and gone."""
        sqs, url = self.aws.client("sqs"), str(self.stack.outputs[queue])
        (message,) = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        arn = f"arn:aws:sqs:{PLACE.region}:{PLACE.account}:{url.rpartition('/')[2]}"
        return sqs_event(delivery_of(message), arn, message["Attributes"].items())

    def lose_run_entry(self) -> None:
        """The list of runs forgets the cycle, as after the restoring of an older table."""
        entry = keys.run_entry("paper", self.due, Pipeline.MODULAR)
        key = {"pk": {"S": entry.partition}, "sk": {"S": entry.sort}}
        self.aws.client("dynamodb").delete_item(TableName=self.stack.outputs["Table"], Key=key)

    def write_universe(self) -> None:
        """As a deployment does, with rights of its own, which are not part of the recording."""
        if "data" in self.functions:
            needed = enabled_strategies(self._settings("strategy").strategies, {}).universe
            settle(AwsAdapters(self._settings("data")).state(), "paper", needed)

    def forget_corporate_actions(self) -> None:
        """The archive has no answers of the broker, so that the next reader asks and keeps them."""
        s3, bucket = self.aws.client("s3"), self.stack.outputs["Bucket"]
        for item in s3.list_objects_v2(Bucket=bucket, Prefix="corporate-actions/").get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=item["Key"])

    def give_authority(self, pipeline: Pipeline) -> None:
        """As the operator does: with rights of its own, which are not part of the recording."""
        state = AwsAdapters(
            self._settings("trading" if "TradingFunction" in self.stack.resources else "monolith")
        ).state()
        set_authority(state, "paper", pipeline, who="test", reason="a test", now=self.due)

    def _settings(self, service: str) -> Settings:
        """The function's own environment, with the exchange and the AWS of this machine."""
        function = properties(self.stack.resources[f"{service.capitalize()}Function"])
        variables = mapping(mapping(function["Environment"], "Environment")["Variables"], "Variables")
        here = {
            "ALCHEMISER_ENVIRONMENT": "simulated",
            "ALCHEMISER_BROKER__TRADING_URL": self.exchange_url,
            "ALCHEMISER_BROKER__DATA_URL": self.exchange_url,
            "ALCHEMISER_AWS__ENDPOINT_URL": self.aws.url,
        }
        return load_settings({**{name: str(value) for name, value in variables.items()}, **here}).settings

    def _built(self, service: str) -> Handle:
        """The function from its own composition root, with every call of its clients written down as its role's."""

        def recorded() -> Session:
            session = Session()
            session.get_component("event_emitter").register("provide-client-params.*.*", record)
            return session

        def record(params: dict[str, Any], model: Any, **_: object) -> None:
            found = requests_of(model.service_model.service_name, model.name, params, PLACE.account, PLACE.region)
            self.calls += [Call(f"{service.capitalize()}Role", request) for request in found]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(clients, "Session", recorded)
            return BUILDS[service](self._settings(service), {})


def with_a_jump(history: PriceHistory) -> PriceHistory:
    """One of the strategy's symbols doubles overnight, so that the broker is asked whether that was a split."""
    row, column = history.dates.index(date(2019, 11, 4)), history.symbols.index("KMLM")
    close = history.close.copy()
    close[row:, column] *= 2
    return PriceHistory(history.dates, history.symbols, close)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange for every phase, as the account is one: what a phase bought the next one finds."""

    url: str
    dues: tuple[datetime, ...]
    """The sessions' decision times, first to last."""


@contextmanager
def exchange(sessions: int) -> Iterator[Exchange]:
    """Some hours before the decision time of the first of some sessions; its time flows."""
    market = open_market(None)
    days = market.sessions_from(DAY, sessions)
    dues = tuple(decision_time(market.as_session(day), Settings().schedule) for day in days)
    config = SimulatorConfig(
        history=with_a_jump(market.history), start=dues[0] - BEFORE, clock=ClockMode.FLOWING, speed=SPEED
    )
    with SimulatorServer(config) as server:
        yield Exchange(server.url, dues)


def deployed(aws: LocalAws, stack: Stack, at: Exchange, session: int) -> Deployed:
    """The stack's functions at the decision time of one of the exchange's sessions.

    Without the event sources: moto would give the messages to its own stand-in for Lambda.
    """
    sources = stack.of_type("AWS::Lambda::EventSourceMapping")
    there = {name: item for name, item in stack.resources.items() if name not in sources}
    aws.deploy(replace(stack, resources=there))
    with SimulatorControl(at.url) as control:
        control.set_now(at.dues[session])
    return Deployed(aws, stack, at.url, at.dues[session])
