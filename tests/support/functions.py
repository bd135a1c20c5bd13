"""The four Lambda functions against moto and a simulated exchange, invoked as Lambda would."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from alchemiser_cli.simulated import Market, open_market
from alchemiser_cli.stage.universe_record import settle
from alchemiser_common.aws.adapters import AwsAdapters
from alchemiser_common.aws.sqs_queue import SqsQueue
from alchemiser_common.decision_time import decision_time
from alchemiser_common.ids import Pipeline, cycle_id, run_id
from alchemiser_common.lambda_entry import Build, LambdaEntry
from alchemiser_common.lambda_events import sqs_event
from alchemiser_common.messages.trigger import CycleTrigger
from alchemiser_common.settings import Settings
from alchemiser_common.settings_loading import load_settings
from alchemiser_data.bootstrap import data_function
from alchemiser_monolith.bootstrap import monolith_function
from alchemiser_simulator import ClockMode, SimulatorConfig, SimulatorServer
from alchemiser_strategy.bootstrap import enabled_strategies, strategy_function
from alchemiser_trading.account.authority import set_authority
from alchemiser_trading.bootstrap import trading_function
from support.aws import Aws

BUILDS: Mapping[str, Build] = {
    "data": data_function,
    "strategy": strategy_function,
    "trading": trading_function,
    "monolith": monolith_function,
}
TECL = {"ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"tecl":1.0}'}
SPEED = 60.0
"""Exchange seconds a real second."""


class QuarterHour:
    """Lambda's context with a fresh invocation's time."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


type Invoke = Callable[[Mapping[str, object]], dict[str, object]]


@dataclass(frozen=True)
class Deployment:
    """Functions that share one table, bucket, bus and pair of queues."""

    variables: dict[str, str]
    trigger: CycleTrigger
    events_url: str

    @property
    def settings(self) -> Settings:
        return load_settings(self.variables).settings

    @property
    def adapters(self) -> AwsAdapters:
        return AwsAdapters(self.settings)

    def entry(self, service: str) -> LambdaEntry:
        """A function's handler in a cold process."""
        return LambdaEntry(service, BUILDS[service], self.variables)

    def run(self, pipeline: Pipeline) -> UUID:
        """Id of the pipeline's run on the trigger."""
        return run_id(cycle_id(self.settings.account_alias, self.trigger.scheduled_at), pipeline)

    def give_authority(self, pipeline: Pipeline) -> None:
        state, alias = self.adapters.state(), self.settings.account_alias
        set_authority(state, alias, pipeline, who="test", reason="test", now=self.trigger.scheduled_at)


@contextmanager
def deployment(
    aws: Aws,
    changes: Mapping[str, str] | None = None,
    *,
    market: Market | None = None,
    day: date = date(2020, 2, 3),
    universe: Mapping[str, int] | None = None,
) -> Iterator[Deployment]:
    """Everything made as the deployment makes it, with an exchange that stands at a decision time.

    The stored universe is that of the strategies, or what is given.
    """
    market = market or open_market(None)
    due = decision_time(market.as_session(market.sessions_from(day, 1)[0]), Settings().schedule)
    bus, events_url = aws.make_bus()
    config = SimulatorConfig(history=market.history, start=due, clock=ClockMode.FLOWING, speed=SPEED)
    with SimulatorServer(config) as server:
        variables = {
            "ALCHEMISER_BACKEND": "aws",
            "ALCHEMISER_GIT_SHA": "0123abc",
            "ALCHEMISER_BROKER__TRADING_URL": server.url,
            "ALCHEMISER_BROKER__DATA_URL": server.url,
            "ALCHEMISER_AWS__ENDPOINT_URL": aws.url,
            "ALCHEMISER_AWS__TABLE": aws.make_table(),
            "ALCHEMISER_AWS__BUCKET": aws.make_bucket(),
            "ALCHEMISER_AWS__MARKET_DATA_QUEUE": aws.make_queue().url,
            "ALCHEMISER_AWS__TRADE_DECISION_QUEUE": aws.make_queue().url,
            "ALCHEMISER_AWS__EVENT_BUS": bus,
            **TECL,
            **(changes or {}),
        }
        made = Deployment(variables, CycleTrigger(scheduled_at=due), events_url)
        needed = enabled_strategies(made.settings.strategies, {}).universe if universe is None else universe
        settle(made.adapters.state(), made.settings.account_alias, needed)
        yield made


def poll(queue: SqsQueue, invoke: Invoke) -> list[dict[str, object]]:
    """Lambda's event source: one message at a time until the queue gives none; what failed is released, not deleted."""
    answers = []
    while received := queue.receive():
        (delivery,) = received
        answer = invoke(sqs_event(delivery, f"arn:aws:sqs:us-east-1:123456789012:{queue.name}"))
        answers.append(answer)
        if answer["batchItemFailures"]:
            queue.release(delivery)
        else:
            queue.delete(delivery)
    return answers


def cold_process(
    service: str, code: str, variables: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Python code after `import alchemiser_<service>.lambda_function as function`, with only these variables set."""
    return subprocess.run(
        [sys.executable, "-c", f"import alchemiser_{service}.lambda_function as function\n{code}"],
        env={"PATH": os.environ["PATH"], **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
