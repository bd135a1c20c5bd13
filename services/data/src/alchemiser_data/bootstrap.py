"""Composes the data service: for whoever hands it its parts, and from settings for the function on its own."""

import sys
from collections.abc import Mapping

from alchemiser_common.alpaca.broker import AlpacaReader, open_alpaca
from alchemiser_common.aws.adapters import AwsAdapters
from alchemiser_common.clocks import open_clock
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ids import Pipeline
from alchemiser_common.lambda_entry import Handle
from alchemiser_common.metrics import Metrics
from alchemiser_common.settings import DataSettings, Settings
from alchemiser_data.handler import DataFunction
from alchemiser_data.provider import UnifiedDataProvider, Universe
from alchemiser_data.service import DataService


def data_function(settings: Settings, _variables: Mapping[str, str]) -> Handle:
    """The function with its read-only broker. Raises InvalidSettings, MissingSecret or StoreUnavailable."""
    adapters, clock = AwsAdapters(settings), open_clock(settings)
    needed, queue, secrets = given_universe(settings.data), adapters.market_data_queue(), adapters.secrets()
    broker = open_alpaca(AlpacaReader, settings, secrets.broker_credentials(), secrets, clock)
    provider = UnifiedDataProvider(broker, clock, needed, settings.data)
    service = DataService(provider, adapters.state(), adapters.archive(), clock, settings, Pipeline.MODULAR)
    function = DataFunction(service, queue, Metrics(settings.aws.stage, clock, sys.stdout))
    return lambda event, _time_left: function.handle(event)


def given_universe(settings: DataSettings) -> Universe:
    """What the settings say the strategies need; this service does not know them. Raises InvalidSettings."""
    if not settings.universe:
        raise InvalidSettings(
            "data.universe is empty; `alchemiser universe` prints what the enabled strategies need, "
            "as ALCHEMISER_DATA__UNIVERSE and ALCHEMISER_DATA__LOOKBACK"
        )
    return Universe(settings.universe, settings.lookback)
