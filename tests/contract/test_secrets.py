"""Secrets are found or asked for by name, and never shown."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from pydantic import SecretStr

from alchemiser_common.alpaca.broker import AlpacaReader, open_alpaca
from alchemiser_common.alpaca.key_scope import may_trade
from alchemiser_common.alpaca.keys import is_paper_key
from alchemiser_common.aws.secrets_manager import SecretsManagerSecrets
from alchemiser_common.embedded.environment_secrets import KEY_ID, SECRET_KEY, EnvironmentSecrets
from alchemiser_common.errors import MissingSecret
from alchemiser_common.ports.secrets import BrokerCredentials, Secrets
from alchemiser_common.settings import BrokerSettings, Environment, Settings
from alchemiser_simulator import SimulatorConfig, SimulatorServer, sample_history
from alchemiser_trading.bootstrap import connect
from support.aws import Aws
from support.clock import ManualClock

type Give = Callable[[dict[str, str]], Secrets]
"""Makes secrets that hold these fields: key_id, secret_key."""


@pytest.fixture(params=["environment", "secrets manager"])
def give(request: pytest.FixtureRequest) -> Give:
    if request.param == "environment":
        names = {"key_id": KEY_ID, "secret_key": SECRET_KEY}
        return lambda fields: EnvironmentSecrets({names[name]: value for name, value in fields.items()})
    aws: Aws = request.getfixturevalue("aws")
    return lambda fields: SecretsManagerSecrets(aws.clients.secrets, aws.make_secret(json.dumps(fields)))


def test_credentials_are_read_and_hidden(give: Give) -> None:
    credentials = give({"key_id": "PKTEST123", "secret_key": "hush-hush"}).broker_credentials()
    assert credentials.secret_key.get_secret_value() == "hush-hush"
    assert is_paper_key(credentials)
    for shown in (repr(credentials), str(credentials), credentials.model_dump_json()):
        assert "hush" not in shown
        assert "PKTEST123" not in shown


@pytest.mark.parametrize(
    ("fields", "at_fault", "words"),
    [
        ({}, "key_id", "is not set; put"),
        ({"key_id": "PKTEST123"}, "secret_key", "is not set; put"),
        ({"key_id": "  ", "secret_key": "hush-hush"}, "key_id", "is not set; put"),
        ({"key_id": "PKTEST123", "secret_key": "hush hush"}, "secret_key", "is malformed"),
        ({"key_id": "PK", "secret_key": "hush-hush"}, "key_id", "is malformed: 2 characters"),
    ],
)
def test_an_absent_or_malformed_field_is_named_with_a_remedy_and_not_shown(
    give: Give, fields: dict[str, str], at_fault: str, words: str
) -> None:
    secrets = give(fields)
    variables = {"key_id": KEY_ID, "secret_key": SECRET_KEY}
    name = variables[at_fault] if isinstance(secrets, EnvironmentSecrets) else at_fault
    with pytest.raises(MissingSecret) as missing:
        secrets.broker_credentials()
    assert str(missing.value).startswith(name)
    assert words in str(missing.value)
    assert "hush" not in str(missing.value)


@pytest.mark.parametrize("text", ["hush-hush", '["hush"]', '{"key_id": "hush'], ids=["text", "list", "truncated"])
def test_a_secret_that_is_no_json_object_is_named_and_not_shown(aws: Aws, text: str) -> None:
    name = aws.make_secret(text)
    with pytest.raises(MissingSecret, match=f"secret {name} is no JSON object; put") as missing:
        SecretsManagerSecrets(aws.clients.secrets, name).broker_credentials()
    assert "hush" not in str(missing.value)


def test_an_absent_secret_is_named_with_the_command_that_fills_it(aws: Aws) -> None:
    with pytest.raises(MissingSecret, match=r"secret alpaca-none does not exist.*put-secret-value --secret-id"):
        SecretsManagerSecrets(aws.clients.secrets, "alpaca-none").broker_credentials()


def test_a_shadows_token_is_a_key_of_its_own_form(aws: Aws) -> None:
    name = aws.make_secret(json.dumps({"oauth_token": "hush-hush-token"}))
    credentials = SecretsManagerSecrets(aws.clients.secrets, name).broker_credentials()
    assert credentials.arguments == {"oauth_token": "hush-hush-token"}
    assert "hush" not in f"{credentials!r} {credentials.model_dump_json()}"


def test_a_token_reads_as_alpaca_wants_it_and_trades_nothing() -> None:
    reading = frozenset({"a-token-of-a-shadow"})
    config = SimulatorConfig(
        history=sample_history(), start=datetime(2020, 2, 3, 15, tzinfo=UTC), reading_tokens=reading
    )
    with SimulatorServer(config) as server:
        broker = BrokerSettings(trading_url=server.url, data_url=server.url)
        token = BrokerCredentials(access_token=SecretStr("a-token-of-a-shadow"))
        clock = ManualClock(datetime(2020, 2, 3, 15, tzinfo=UTC))
        scoped = BrokerCredentials(access_token=SecretStr("another-token"))
        assert may_trade(scoped, broker, clock, uuid4(), paper=True)
        assert not may_trade(token, broker, clock, uuid4(), paper=True)
        settings = Settings(environment=Environment.PAPER, broker=broker, shadow=True)
        reader = open_alpaca(AlpacaReader, settings, token, _Only(token), clock)
        assert reader.account().equity > 0
        assert not hasattr(reader, "submit"), "the type has no way to send one"
        with pytest.raises(MissingSecret, match="holds a token, which is for a shadow"):
            connect(settings.model_copy(update={"shadow": False}), _Adapters(token), clock)  # type: ignore[arg-type]


class _Only:
    """Secrets that hold one key."""

    def __init__(self, credentials: BrokerCredentials) -> None:
        self._credentials = credentials

    def broker_credentials(self) -> BrokerCredentials:
        return self._credentials


class _Adapters:
    def __init__(self, credentials: BrokerCredentials) -> None:
        self._credentials = credentials

    def secrets(self) -> Secrets:
        return _Only(self._credentials)
