"""What a process works with: the real things that its settings name. The environment comes in as a mapping."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from alchemiser_common.embedded.archived_events import ArchivedEvents
from alchemiser_common.embedded.directory_archive import DirectoryArchive
from alchemiser_common.embedded.environment_secrets import EnvironmentSecrets
from alchemiser_common.embedded.memory_queue import MemoryQueue
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.events import EventBus
from alchemiser_common.ports.queue import Queue
from alchemiser_common.ports.secrets import BrokerCredentials
from alchemiser_common.ports.state import StateStore
from alchemiser_common.settings import Environment, Settings
from alchemiser_trading.checks import check_arming

if TYPE_CHECKING:
    from alchemiser_common.alpaca.broker import AlpacaBroker

MARKET_DATA_QUEUE = "MarketDataQueue"
TRADE_DECISION_QUEUE = "TradeDecisionQueue"
_VISIBILITY = timedelta(minutes=5)
_SIMULATOR_KEY = "PKSIMULATED"


@dataclass(frozen=True, slots=True)
class Platform:
    """One process's settings, clock, stores, queues and broker."""

    settings: Settings
    clock: Clock
    state: StateStore
    archive: Archive
    events: EventBus
    broker: "AlpacaBroker"
    paper_key: bool
    market_data_queue: Queue
    trade_decision_queue: Queue
    git_sha: str


def broker_credentials(settings: Settings, variables: Mapping[str, str]) -> BrokerCredentials:
    """The key of the environment. Raises MissingSecret. The simulator takes any."""
    if settings.environment is Environment.SIMULATED:
        return EnvironmentSecrets(
            {"APCA_API_KEY_ID": _SIMULATOR_KEY, "APCA_API_SECRET_KEY": _SIMULATOR_KEY}
        ).broker_credentials()
    return EnvironmentSecrets(variables).broker_credentials()


def open_platform(settings: Settings, variables: Mapping[str, str], clock: Clock) -> Platform:
    """Open the embedded stores below `settings.home` and the broker. Raises every error those have."""
    if settings.environment is Environment.LIVE and not settings.shadow:
        check_arming(settings, paper_key=False)  # the locks, before any key is looked for
    if settings.environment is Environment.SIMULATED and settings.broker.trading_url is None:
        raise InvalidSettings("environment is simulated, but broker.trading_url does not say where the simulator is")
    credentials = broker_credentials(settings, variables)
    if not settings.shadow:
        check_arming(settings, paper_key=credentials.paper)
    archive = DirectoryArchive(settings.home / "archive")
    return Platform(
        settings=settings,
        clock=clock,
        state=SqliteStateStore(settings.home / "state.db"),
        archive=archive,
        events=ArchivedEvents(archive),
        broker=_open_broker(settings, credentials, clock),
        paper_key=credentials.paper,
        market_data_queue=MemoryQueue(MARKET_DATA_QUEUE, clock, visibility=_VISIBILITY),
        trade_decision_queue=MemoryQueue(TRADE_DECISION_QUEUE, clock, visibility=_VISIBILITY),
        git_sha=variables.get("ALCHEMISER_GIT_SHA", "unknown"),
    )


def _open_broker(settings: Settings, credentials: BrokerCredentials, clock: Clock) -> "AlpacaBroker":
    """Imports alpaca-py, and with it pandas, only once everything cheaper has been checked."""
    from alchemiser_common.alpaca.broker import AlpacaBroker, ReadOnlyAlpacaBroker
    from alchemiser_common.alpaca.session import RequestPolicy

    policy = RequestPolicy(
        connect_timeout=settings.broker.connect_timeout_seconds,
        read_timeout=settings.broker.read_timeout_seconds,
        read_attempts=settings.broker.read_attempts,
    )
    # What only plans gets a broker that cannot trade, whatever its key can.
    broker = ReadOnlyAlpacaBroker if settings.shadow else AlpacaBroker
    return broker(
        credentials,
        clock,
        random.Random(),  # noqa: S311  (spreads retries, decides nothing)
        paper=settings.environment is not Environment.LIVE,
        trading_url=settings.broker.trading_url,
        data_url=settings.broker.data_url,
        bars_feed=settings.data.bars_feed,
        quotes_feed=settings.data.quotes_feed,
        policy=policy,
    )
