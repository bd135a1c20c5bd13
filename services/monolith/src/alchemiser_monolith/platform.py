"""What a process works with: the real things that its settings name. The environment comes in as a mapping."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from alchemiser_common.adapters import Adapters, open_adapters
from alchemiser_common.embedded.memory_queue import MemoryQueue
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.broker import MarketReader
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.events import EventBus
from alchemiser_common.ports.queue import Queue
from alchemiser_common.ports.state import StateStore
from alchemiser_common.settings import Settings
from alchemiser_trading.bootstrap import Connection, connect

MARKET_DATA_QUEUE = "MarketDataQueue"
TRADE_DECISION_QUEUE = "TradeDecisionQueue"
_VISIBILITY = timedelta(minutes=5)
_RECEIVES_OF_A_DECISION = 7
"""As deployed: every hand-over is one, and a run may hand over until its deadline."""


@dataclass(frozen=True, slots=True)
class Platform:
    """One process's settings, clock, stores and broker, and the queues between its own stages.

    The queues are in memory whatever the backend: on AWS the deployed functions would take what a local pipeline sends.
    """

    settings: Settings
    variables: Mapping[str, str]
    clock: Clock
    state: StateStore
    archive: Archive
    events: EventBus
    connection: Connection
    market_data_queue: Queue
    trade_decision_queue: Queue

    @property
    def broker(self) -> MarketReader:
        """What reads from the broker."""
        return self.connection.reader


def open_platform(
    settings: Settings, variables: Mapping[str, str], clock: Clock, adapters: Adapters | None = None
) -> Platform:
    """Open the broker and the stores, by default those of the settings' backend. Raises every error those have."""
    adapters = adapters or open_adapters(settings, variables)
    return Platform(
        settings=settings,
        variables=variables,
        clock=clock,
        state=adapters.state(),
        archive=adapters.archive(),
        events=adapters.events(),
        connection=connect(settings, adapters, clock),
        market_data_queue=MemoryQueue(MARKET_DATA_QUEUE, clock, visibility=_VISIBILITY),
        trade_decision_queue=MemoryQueue(
            TRADE_DECISION_QUEUE, clock, visibility=_VISIBILITY, max_receives=_RECEIVES_OF_A_DECISION
        ),
    )
