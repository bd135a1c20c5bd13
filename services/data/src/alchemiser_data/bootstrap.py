"""Composes the data service: for whoever hands it its parts, and from settings for the function on its own."""

import sys
from collections.abc import Mapping

from alchemiser_common import keys
from alchemiser_common.alpaca.broker import AlpacaReader, open_alpaca
from alchemiser_common.aws.adapters import AwsAdapters
from alchemiser_common.clocks import open_clock
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ids import Pipeline
from alchemiser_common.lambda_entry import Handle
from alchemiser_common.lambda_events import Event
from alchemiser_common.messages.base import Frozen
from alchemiser_common.metrics import Metrics
from alchemiser_common.ports.clock import TimeLeft
from alchemiser_common.ports.state import StateStore, load
from alchemiser_common.records.universe import Universe as UniverseRecord
from alchemiser_common.settings import Settings
from alchemiser_data.handler import DataFunction
from alchemiser_data.probing import DataProbes
from alchemiser_data.provider import UnifiedDataProvider, Universe
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
    metrics = Metrics(settings.aws.stage, clock, sys.stdout)
    probes = DataProbes(broker, state, archive, clock, settings)

    def handle(event: Event, _time_left: TimeLeft) -> Frozen:
        if (answer := probes.answer(event)) is not None:
            return answer
        provider = UnifiedDataProvider(broker, clock, recorded(state, settings.account_alias), settings.data)
        service = DataService(provider, state, archive, clock, settings, Pipeline.MODULAR)
        return DataFunction(service, queue, metrics).handle(event)

    return handle


def recorded(state: StateStore, account_alias: str) -> Universe:
    """What the deployment recorded for the strategies that are live. Raises InvalidSettings if there is none."""
    known = load(state, keys.universe_record(account_alias), UniverseRecord)
    if known is None:
        raise InvalidSettings(
            f"account {account_alias} has no universe in the state store: `alchemiser deploy` writes it for the "
            "strategies that are live"
        )
    return Universe(known.value.symbols, max(known.value.bars.values()))
