"""Composes the data service: for whoever hands it its parts, and from settings for the function on its own."""

import sys
from collections.abc import Mapping
from functools import partial

from alchemiser_common import keys
from alchemiser_common.alpaca.broker import AlpacaReader, open_alpaca
from alchemiser_common.aws.adapters import AwsAdapters
from alchemiser_common.clocks import open_clock
from alchemiser_common.errors import MarketDataRejected
from alchemiser_common.ids import Pipeline
from alchemiser_common.lambda_entry import Handle
from alchemiser_common.metrics import Metrics
from alchemiser_common.ports.state import StateStore, load
from alchemiser_common.records.universe import Universe
from alchemiser_common.settings import Settings
from alchemiser_data.handler import DataFunction
from alchemiser_data.probing import DataProbes
from alchemiser_data.provider import UnifiedDataProvider
from alchemiser_data.service import DataService


def data_function(settings: Settings, _variables: Mapping[str, str]) -> Handle:
    """The function with its read-only broker. Raises InvalidSettings, MissingSecret or StoreUnavailable."""
    adapters, clock = AwsAdapters(settings), open_clock(settings)
    queue, secrets, state, archive = (
        adapters.market_data_queue(),
        adapters.secrets(),
        adapters.state(),
        adapters.archive(),
    )
    broker = open_alpaca(AlpacaReader, settings, secrets.broker_credentials(), secrets, clock)
    universe = partial(stored_universe, state, settings.account_alias)
    provider = UnifiedDataProvider(broker, clock, universe, settings.data, archive)
    service = DataService(provider, state, archive, clock, settings, Pipeline.MODULAR)
    probes = DataProbes(broker, state, archive, clock, settings)
    function = DataFunction(service, queue, Metrics(settings.aws.stage, clock, sys.stdout), probes)
    return lambda event, _time_left: function.handle(event)


def stored_universe(state: StateStore, account_alias: str) -> Universe:
    """What the deployment wrote for the strategies that are live; this service does not know them.

    Raises MarketDataRejected if nothing is written, StateCorrupt or StoreUnavailable.
    """
    found = load(state, keys.universe_record(account_alias), Universe)
    if found is None:
        raise MarketDataRejected(
            f"no universe is on record for account {account_alias}: a deployment writes it with the strategies' image; "
            "alchemiser doctor"
        )
    return found.value
