"""Opens the broker that the settings name."""

import random

from alchemiser_common.alpaca.broker import AlpacaBroker
from alchemiser_common.alpaca.http import RequestPolicy
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.secrets import BrokerCredentials, Secrets
from alchemiser_common.settings import Environment, Settings


def open_broker[B: AlpacaBroker](
    kind: type[B], settings: Settings, credentials: BrokerCredentials, secrets: Secrets, clock: Clock
) -> B:
    """A broker of that kind with `credentials`; `secrets` is asked again if the broker refuses them.

    Raises InvalidSettings if the environment is simulated and nothing says where the simulator is.
    """
    broker = settings.broker
    if settings.environment is Environment.SIMULATED and broker.trading_url is None:
        raise InvalidSettings("environment is simulated, but broker.trading_url does not say where the simulator is")
    return kind(
        credentials,
        clock,
        random.Random(),  # noqa: S311  (spreads retries, decides nothing)
        renewed=secrets.broker_credentials,
        paper=settings.environment is not Environment.LIVE,
        trading_url=broker.trading_url,
        data_url=broker.data_url,
        bars_feed=settings.data.bars_feed,
        quotes_feed=settings.data.quotes_feed,
        policy=RequestPolicy(
            connect_timeout=broker.connect_timeout_seconds,
            read_timeout=broker.read_timeout_seconds,
            read_attempts=broker.read_attempts,
        ),
    )
