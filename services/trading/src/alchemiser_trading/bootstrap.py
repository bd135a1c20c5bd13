"""Composes the trading service from settings: the locks first, then the key, then the broker."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from alchemiser_common.adapters import Adapters
from alchemiser_common.alpaca.keys import is_paper_key
from alchemiser_common.aws.adapters import AwsAdapters
from alchemiser_common.clocks import open_clock
from alchemiser_common.errors import MissingSecret
from alchemiser_common.lambda_entry import Handle
from alchemiser_common.metrics import Metrics
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.broker import Broker, MarketReader
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.events import EventBus
from alchemiser_common.ports.state import StateStore
from alchemiser_common.settings import Environment, Settings
from alchemiser_trading.handler import TradingFunction
from alchemiser_trading.runs.checks import check_arming
from alchemiser_trading.runs.ends import RunEnds
from alchemiser_trading.service import DecisionService, ShadowService, TradingService


@dataclass(frozen=True, slots=True)
class Connection:
    """The way to the broker: what reads, and what trades. A shadow has only the first: nothing in it can send."""

    reader: MarketReader
    broker: Broker | None


def connect(settings: Settings, adapters: Adapters, clock: Clock) -> Connection:
    """The broker that the settings allow. Raises NotArmed, MissingSecret, InvalidSettings or StoreUnavailable."""
    if settings.environment is Environment.LIVE and not settings.shadow:
        check_arming(settings, paper_key=False)  # the locks, before any key is looked for
    secrets = adapters.secrets()
    credentials = secrets.broker_credentials()
    if not settings.shadow:
        if credentials.access_token is not None:
            raise MissingSecret(
                "the broker secret holds a token, which is for a shadow: trading takes a pair of keys, "
                '{"key_id": "…", "secret_key": "…"}'
            )
        check_arming(settings, paper_key=is_paper_key(credentials))
    # alpaca-py, and with it pandas, is imported only once everything cheaper has been checked.
    from alchemiser_common.alpaca.broker import AlpacaBroker, AlpacaReader, open_alpaca

    if settings.shadow:
        return Connection(open_alpaca(AlpacaReader, settings, credentials, secrets, clock), None)
    broker = open_alpaca(AlpacaBroker, settings, credentials, secrets, clock)
    return Connection(broker, broker)


def trading_service(
    connection: Connection,
    *,
    state: StateStore,
    archive: Archive,
    events: EventBus,
    clock: Clock,
    settings: Settings,
    worker: str = "trading",
) -> DecisionService:
    """The service that trades, or its shadow where there is nothing to trade with."""
    ends = RunEnds(state, archive, events, clock)
    if connection.broker is None:
        return ShadowService(reader=connection.reader, state=state, ends=ends, clock=clock, settings=settings)
    return TradingService(
        broker=connection.broker, state=state, ends=ends, clock=clock, settings=settings, worker=worker
    )


def trading_function(settings: Settings, variables: Mapping[str, str]) -> Handle:
    """The function: always on AWS, for its file system ends with it. Raises as `connect`."""
    adapters, clock = AwsAdapters(settings), open_clock(settings)
    service = trading_service(
        connect(settings, adapters, clock),
        state=adapters.state(),
        archive=adapters.archive(),
        events=adapters.events(),
        clock=clock,
        settings=settings,
        worker=f"trading {variables.get('AWS_LAMBDA_LOG_STREAM_NAME', '')}".rstrip(),
    )
    return TradingFunction(service, Metrics(settings.aws.stage, clock, sys.stdout), settings.trading).handle
