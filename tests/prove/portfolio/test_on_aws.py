"""One cycle of the whole portfolio through the functions as deployed, in moto, each call held to its role."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest

from alchemiser_cli.simulated import Market
from alchemiser_common.decision_time import decision_time
from alchemiser_common.ids import Pipeline
from alchemiser_common.settings import Settings
from alchemiser_simulator import ClockMode, SimulatorConfig, SimulatorServer
from alchemiser_simulator.market.sessions import SessionCalendar
from benchmarks import portfolio
from deploy.expand import Stack
from deploy.review import review
from support.aws_stack import LocalAws, local_aws
from support.deployed import Deployed
from support.deployment import stack
from support.portfolio_line import CASH, Stock, settings_of

KEY = json.dumps({"key_id": "PKSIMULATED", "secret_key": "not-a-secret"})
SPEED = 6.0
"""Slow enough for a busy machine to read all bars within the decision window."""
ROLES = ("DataRole", "StrategyRole", "TradingRole", "MonolithRole")


@dataclass
class WithOwnStrategies(Deployed):
    """Functions whose images hold a folder of one's own strategies."""

    own: Settings = field(default_factory=Settings)

    def _settings(self, service: str) -> Settings:
        found = super()._settings(service)
        return found.model_copy(update={"strategies": self.own.strategies, "trading": self.own.trading})


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
    with local_aws() as server:
        yield server


@contextmanager
def deployed(aws: LocalAws, found: Stack, own: Settings, stock: Stock) -> Iterator[Deployed]:
    """The stack's functions on an exchange at the last session's decision time."""
    sources = found.of_type("AWS::Lambda::EventSourceMapping")
    aws.deploy(replace(found, resources={name: item for name, item in found.resources.items() if name not in sources}))
    market = Market(stock.history, SessionCalendar(stock.history.dates), "")
    due: datetime = decision_time(market.as_session(market.sessions_from(portfolio.span()[-1], 1)[0]), own.schedule)
    config = SimulatorConfig(history=stock.history, start=due, cash=CASH, clock=ClockMode.FLOWING, speed=SPEED)
    with SimulatorServer(config) as server:
        yield WithOwnStrategies(aws, found, server.url, due, own=own)


def test_a_cycle_through_the_deployed_functions_needs_no_more_than_their_roles(
    aws: LocalAws, tmp_path: Path, figures: dict[str, object]
) -> None:
    stock = Stock(portfolio.symphonies(), portfolio.market_history())
    own = settings_of(tmp_path, stock)
    create = aws.client("secretsmanager").create_secret
    secrets = {
        "BrokerSecretArn": create(Name="alchemiser/dev/alpaca", SecretString=KEY)["ARN"],
        "ShadowSecretArn": create(Name="alchemiser/dev/shadow", SecretString=KEY)["ARN"],
    }
    with deployed(aws, stack("cutover", **secrets), own, stock) as system:
        system.give_authority(Pipeline.MODULAR)
        assert system.invoke("data", system.trigger())["status"] == "published"
        assert system.invoke("strategy", system.delivery("MarketDataQueue")) == {"batchItemFailures": []}
        assert system.invoke("trading", system.delivery("TradeDecisionQueue")) == {"batchItemFailures": []}
        shadow = system.invoke("monolith", system.trigger())
        assert shadow["status"] == "shadowed", shadow
        calls = system.calls
        found = {role: review(system.stack, role, calls) for role in ROLES}
    figures["on AWS (moto): calls by role"] = ", ".join(f"{role} {found[role].calls}" for role in ROLES)
    assert {role: item.missing for role, item in found.items()} == dict.fromkeys(ROLES, ())
