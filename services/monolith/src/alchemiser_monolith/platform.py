"""What a process works with: the real things that its settings name. The environment comes in as a mapping."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from alchemiser_common.adapters import Adapters, open_adapters
from alchemiser_common.embedded.memory_queue import MemoryQueue
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.events import EventBus
from alchemiser_common.ports.queue import Queue
from alchemiser_common.ports.state import StateStore
from alchemiser_common.settings import Settings
from alchemiser_trading.bootstrap import connect

if TYPE_CHECKING:
    from alchemiser_common.alpaca.broker import AlpacaBroker

MARKET_DATA_QUEUE = "MarketDataQueue"
TRADE_DECISION_QUEUE = "TradeDecisionQueue"
_VISIBILITY = timedelta(minutes=5)


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
    broker: "AlpacaBroker"
    paper_key: bool
    market_data_queue: Queue
    trade_decision_queue: Queue


def open_platform(
    settings: Settings, variables: Mapping[str, str], clock: Clock, adapters: Adapters | None = None
) -> Platform:
    """Open the broker and the stores, by default those of the settings' backend. Raises every error those have."""
    adapters = adapters or open_adapters(settings, variables)
    connection = connect(settings, adapters, clock)
    return Platform(
        settings=settings,
        variables=variables,
        clock=clock,
        state=adapters.state(),
        archive=adapters.archive(),
        events=adapters.events(),
        broker=connection.broker,
        paper_key=connection.paper_key,
        market_data_queue=MemoryQueue(MARKET_DATA_QUEUE, clock, visibility=_VISIBILITY),
        trade_decision_queue=MemoryQueue(TRADE_DECISION_QUEUE, clock, visibility=_VISIBILITY),
    )
