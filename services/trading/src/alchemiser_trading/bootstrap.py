"""Composes the trading service from settings: the locks first, then the key, then the broker."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alchemiser_common.adapters import Adapters
from alchemiser_common.aws.adapters import AwsAdapters
from alchemiser_common.clocks import open_clock
from alchemiser_common.lambda_entry import Handle
from alchemiser_common.metrics import Metrics
from alchemiser_common.ports.clock import Clock
from alchemiser_common.settings import Environment, Settings
from alchemiser_trading.handler import TradingFunction
from alchemiser_trading.runs.checks import check_arming
from alchemiser_trading.service import TradingService

if TYPE_CHECKING:
    from alchemiser_common.alpaca.broker import AlpacaBroker


@dataclass(frozen=True, slots=True)
class Connection:
    """The broker, and whether its key is a paper key."""

    broker: "AlpacaBroker"
    paper_key: bool


def connect(settings: Settings, adapters: Adapters, clock: Clock) -> Connection:
    """The broker that the settings allow. Raises NotArmed, MissingSecret, InvalidSettings or StoreUnavailable."""
    if settings.environment is Environment.LIVE and not settings.shadow:
        check_arming(settings, paper_key=False)  # the locks, before any key is looked for
    secrets = adapters.secrets()
    credentials = secrets.broker_credentials()
    if not settings.shadow:
        check_arming(settings, paper_key=credentials.paper)
    # alpaca-py, and with it pandas, is imported only once everything cheaper has been checked.
    from alchemiser_common.alpaca.broker import AlpacaBroker, ReadOnlyAlpacaBroker
    from alchemiser_common.alpaca.opening import open_broker

    # What only plans gets a broker that cannot trade, whatever its key can.
    kind = ReadOnlyAlpacaBroker if settings.shadow else AlpacaBroker
    return Connection(open_broker(kind, settings, credentials, secrets, clock), credentials.paper)


def trading_function(settings: Settings, variables: Mapping[str, str]) -> Handle:
    """The function: always on AWS, for its file system ends with it. Raises as `connect`."""
    adapters, clock = AwsAdapters(settings), open_clock(settings)
    connection = connect(settings, adapters, clock)
    service = TradingService(
        broker=connection.broker,
        state=adapters.state(),
        archive=adapters.archive(),
        events=adapters.events(),
        clock=clock,
        settings=settings,
        paper_key=connection.paper_key,
        worker=f"trading {variables.get('AWS_LAMBDA_LOG_STREAM_NAME', '')}".rstrip(),
    )
    return TradingFunction(service, Metrics(settings.aws.stage, clock, sys.stdout)).handle
