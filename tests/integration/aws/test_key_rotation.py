"""The broker's key is rotated in Secrets Manager while a process runs."""

import json
from collections.abc import Iterator

import pytest

from alchemiser_cli.simulated import open_market
from alchemiser_common.alpaca.broker import AlpacaBroker, open_alpaca
from alchemiser_common.aws.secrets_manager import SecretsManagerSecrets
from alchemiser_common.errors import BrokerRefused
from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import MarketOrder, OrderRequest
from alchemiser_common.ports.clock import SystemClock
from alchemiser_common.settings import Environment, Settings
from alchemiser_simulator import SimulatorConfig, SimulatorServer
from support.aws import Aws


@pytest.fixture(scope="module")
def exchange() -> Iterator[str]:
    """Takes only the new keys."""
    market = open_market(None)
    start = market.sessions_from(market.default_start, 1)[0].opens
    config = SimulatorConfig(history=market.history, start=start, api_keys=frozenset({"PKNEWKEY", "AKLIVEKEY"}))
    with SimulatorServer(config) as server:
        yield server.url


@pytest.fixture
def secret(aws: Aws) -> str:
    return aws.make_secret('{"key_id": "PKOLDKEY", "secret_key": "old-secret"}')


@pytest.fixture
def broker(aws: Aws, exchange: str, secret: str) -> AlpacaBroker:
    settings = Settings.model_validate(
        {"environment": Environment.PAPER, "broker": {"trading_url": exchange, "data_url": exchange}}
    )
    secrets = SecretsManagerSecrets(aws.clients.secrets, secret)
    return open_alpaca(AlpacaBroker, settings, secrets.broker_credentials(), secrets, SystemClock())


def rotate(aws: Aws, secret: str, key_id: str) -> None:
    text = json.dumps({"key_id": key_id, "secret_key": "new-secret"})
    aws.clients.secrets.put_secret_value(SecretId=secret, SecretString=text)


def test_a_refused_key_is_read_again_and_the_refused_order_is_sent_once(
    aws: Aws, broker: AlpacaBroker, secret: str
) -> None:
    rotate(aws, secret, "PKNEWKEY")
    order = OrderRequest(
        client_order_id="after-rotation", symbol="SPY", side=Side.BUY, quantity=1, order_type=MarketOrder()
    )
    assert broker.submit(order).client_order_id == "after-rotation"
    assert broker.latest_trades(["SPY"]), "the data client has the new key too"
    assert [item.client_order_id for item in broker.open_orders().orders] in ([], ["after-rotation"])


def test_a_key_that_is_refused_and_not_rotated_stays_refused(broker: AlpacaBroker) -> None:
    with pytest.raises(BrokerRefused, match="HTTP 403: forbidden"):
        broker.account()


def test_a_live_key_never_takes_the_place_of_a_paper_key(aws: Aws, broker: AlpacaBroker, secret: str) -> None:
    rotate(aws, secret, "AKLIVEKEY")
    with pytest.raises(BrokerRefused, match="HTTP 403: forbidden"):
        broker.account()


def test_a_secret_that_cannot_be_read_leaves_the_brokers_own_refusal(
    aws: Aws, broker: AlpacaBroker, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    aws.clients.secrets.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    with pytest.raises(BrokerRefused, match="HTTP 403: forbidden"):
        broker.account()
    assert "key not renewed" in caplog.text
