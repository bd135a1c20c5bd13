"""The functions as the template deploys them, composed to run at the exchange's time, with every AWS call recorded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from alchemiser_cli.simulated import Exchange, embedded_exchange, open_market
from alchemiser_common import keys
from alchemiser_common.alpaca.broker import ReadOnlyAlpacaBroker
from alchemiser_common.alpaca.opening import open_broker
from alchemiser_common.aws.adapters import AwsAdapters
from alchemiser_common.ids import Pipeline
from alchemiser_common.lambda_entry import Handle
from alchemiser_common.settings import Settings, load_settings
from alchemiser_data.bootstrap import given_universe
from alchemiser_data.handler import DataFunction
from alchemiser_data.provider import UnifiedDataProvider
from alchemiser_data.service import DataService
from alchemiser_data.session import decision_time
from alchemiser_monolith.bootstrap import monolith
from alchemiser_monolith.handler import MonolithFunction
from alchemiser_monolith.platform import open_platform
from alchemiser_strategy.bootstrap import enabled_strategies
from alchemiser_strategy.handler import StrategyFunction
from alchemiser_strategy.service import StrategyService
from alchemiser_trading.authority import set_authority
from alchemiser_trading.bootstrap import connect
from alchemiser_trading.handler import TradingFunction
from alchemiser_trading.service import TradingService
from deploy.calls import Call, requests_of
from deploy.expand import Stack, properties
from deploy.template import mapping
from support.aws_stack import LocalAws
from support.deployment import PLACE, SERVICES

DAY = date(2020, 2, 3)
PLENTY = timedelta(minutes=15)


@dataclass
class Deployed:
    """A stack in moto, an exchange, and the services of the stack working on both."""

    aws: LocalAws
    stack: Stack
    exchange: Exchange
    minutes: int = 0
    """After the usual time of the day's decision: another cycle of the same session."""
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        market = open_market(None)
        usual = decision_time(market.as_session(market.sessions_from(DAY, 1)[0]), Settings().schedule)
        self._due = usual + timedelta(minutes=self.minutes)
        self.exchange.clock.move_to(self._due)
        builders: dict[str, Callable[[], Handle]] = {
            "data": self._data,
            "strategy": self._strategy,
            "trading": self._trading,
            "monolith": self._monolith,
        }
        self.functions = {
            name: builders[name]() for name in SERVICES if f"{name.capitalize()}Function" in self.stack.resources
        }

    def trigger(self) -> dict[str, object]:
        """What the scheduler hands in."""
        return {"scheduled_at": self._due.isoformat()}

    def invoke(self, service: str, event: dict[str, object]) -> dict[str, Any]:
        answer = self.functions[service](event, lambda: PLENTY)
        return answer.model_dump(mode="json")

    def delivery(self, queue: str) -> dict[str, object]:
        """The oldest message of a queue, taken as Lambda's poller takes it, and gone."""
        sqs, url = self.aws.client("sqs"), str(self.stack.outputs[queue])
        (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return {"Records": [{"messageId": message["MessageId"], "body": message["Body"]}]}

    def lose_run_entry(self) -> None:
        """The list of runs forgets the cycle, as after the restoring of an older table."""
        entry = keys.run_entry("paper", self._due, Pipeline.MODULAR)
        key = {"pk": {"S": entry.partition}, "sk": {"S": entry.sort}}
        self.aws.client("dynamodb").delete_item(TableName=self.stack.outputs["Table"], Key=key)

    def give_authority(self, pipeline: Pipeline) -> None:
        """As the operator does: with rights of its own, which are not part of the recording."""
        state = AwsAdapters(
            self._settings("trading" if "TradingFunction" in self.stack.resources else "monolith")
        ).state()
        set_authority(state, "paper", pipeline, who="test", reason="a test", now=self.exchange.clock.now())

    def _settings(self, service: str) -> Settings:
        """The function's own environment, with the exchange and the AWS of this machine."""
        function = properties(self.stack.resources[f"{service.capitalize()}Function"])
        variables = mapping(mapping(function["Environment"], "Environment")["Variables"], "Variables")
        here = {
            "ALCHEMISER_ENVIRONMENT": "simulated",
            "ALCHEMISER_BROKER__TRADING_URL": self.exchange.url,
            "ALCHEMISER_BROKER__DATA_URL": self.exchange.url,
            "ALCHEMISER_AWS__ENDPOINT_URL": self.aws.url,
        }
        return load_settings({**{name: str(value) for name, value in variables.items()}, **here}).settings

    def _adapters(self, service: str, settings: Settings) -> AwsAdapters:
        """The adapters, with every call they make written down as the role's."""
        adapters, role = AwsAdapters(settings), f"{service.capitalize()}Role"

        def record(params: dict[str, Any], model: Any, **_: object) -> None:
            service_name = model.service_model.service_name
            found = requests_of(service_name, model.name, params, PLACE.account, PLACE.region)
            self.calls += [Call(role, request) for request in found]

        emitter = adapters._clients._session.get_component("event_emitter")
        emitter.register("provide-client-params.*.*", record)
        return adapters

    def _data(self) -> Handle:
        settings = self._settings("data")
        adapters, clock = self._adapters("data", settings), self.exchange.clock
        secrets = adapters.secrets()
        broker = open_broker(ReadOnlyAlpacaBroker, settings, secrets.broker_credentials(), secrets, clock)
        provider = UnifiedDataProvider(broker, clock, given_universe(settings.data), settings.data)
        service = DataService(provider, adapters.state(), adapters.archive(), clock, settings, Pipeline.MODULAR)
        function = DataFunction(service, adapters.market_data_queue())
        return lambda event, _: function.handle(event)

    def _strategy(self) -> Handle:
        settings = self._settings("strategy")
        service = StrategyService(enabled_strategies(settings.strategies, {}), self.exchange.clock)
        function = StrategyFunction(service, self._adapters("strategy", settings).trade_decision_queue())
        return lambda event, _: function.handle(event)

    def _trading(self) -> Handle:
        settings = self._settings("trading")
        adapters, clock = self._adapters("trading", settings), self.exchange.clock
        connection = connect(settings, adapters, clock)
        return TradingFunction(
            TradingService(
                broker=connection.broker,
                state=adapters.state(),
                archive=adapters.archive(),
                events=adapters.events(),
                clock=clock,
                settings=settings,
                paper_key=connection.paper_key,
            )
        ).handle

    def _monolith(self) -> Handle:
        settings = self._settings("monolith")
        platform = open_platform(settings, {}, self.exchange.clock, self._adapters("monolith", settings))
        watch = TradingService(
            broker=platform.broker,
            state=platform.state,
            archive=platform.archive,
            events=platform.events,
            clock=platform.clock,
            settings=settings,
            paper_key=platform.paper_key,
        )
        return MonolithFunction(monolith(platform), TradingFunction(watch)).handle


@contextmanager
def deployed(aws: LocalAws, stack: Stack, *, minutes: int = 0) -> Iterator[Deployed]:
    """The stack's functions on a new exchange at the session's decision time.

    Without the event sources: moto would give the messages to its own stand-in for Lambda.
    """
    sources = stack.of_type("AWS::Lambda::EventSourceMapping")
    there = {name: item for name, item in stack.resources.items() if name not in sources}
    aws.deploy(replace(stack, resources=there))
    with embedded_exchange(open_market(None), start=DAY, state=None) as exchange:
        yield Deployed(aws, stack, exchange, minutes)
