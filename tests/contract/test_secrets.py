"""Secrets are found or asked for by name, and never shown."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from alchemiser_common.aws.secrets_manager import TIME_TO_LIVE, SecretsManagerSecrets
from alchemiser_common.embedded.environment_secrets import KEY_ID, SECRET_KEY, EnvironmentSecrets
from alchemiser_common.errors import MissingSecret
from alchemiser_common.ports.secrets import Secrets
from support.aws import Aws
from support.clock import ManualClock

NOW = datetime(2026, 1, 5, tzinfo=UTC)

type Give = Callable[[dict[str, str]], Secrets]
"""Makes secrets that hold these fields: key_id, secret_key."""


@pytest.fixture(params=["environment", "secrets manager"])
def give(request: pytest.FixtureRequest) -> Give:
    if request.param == "environment":
        names = {"key_id": KEY_ID, "secret_key": SECRET_KEY}
        return lambda fields: EnvironmentSecrets({names[name]: value for name, value in fields.items()})
    aws: Aws = request.getfixturevalue("aws")
    return lambda fields: SecretsManagerSecrets(
        aws.clients.secrets, aws.make_secret(json.dumps(fields)), ManualClock(NOW)
    )


def test_credentials_are_read_and_hidden(give: Give) -> None:
    credentials = give({"key_id": "PKTEST123", "secret_key": "hush-hush"}).broker_credentials()
    assert credentials.secret_key.get_secret_value() == "hush-hush"
    assert credentials.paper
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
        SecretsManagerSecrets(aws.clients.secrets, name, ManualClock(NOW)).broker_credentials()
    assert "hush" not in str(missing.value)


def test_an_absent_secret_is_named_with_the_command_that_fills_it(aws: Aws) -> None:
    with pytest.raises(MissingSecret, match=r"secret alpaca-none does not exist.*put-secret-value --secret-id"):
        SecretsManagerSecrets(aws.clients.secrets, "alpaca-none", ManualClock(NOW)).broker_credentials()


def test_a_rotated_key_is_seen_after_its_time_to_live_or_at_once_when_the_broker_refused_the_old(aws: Aws) -> None:
    clock, name = ManualClock(NOW), aws.make_secret('{"key_id": "PKOLD", "secret_key": "old-secret"}')
    secrets = SecretsManagerSecrets(aws.clients.secrets, name, clock)

    def rotate(key_id: str) -> None:
        aws.clients.secrets.put_secret_value(
            SecretId=name, SecretString=json.dumps({"key_id": key_id, "secret_key": "a-secret"})
        )

    def seen() -> str:
        return secrets.broker_credentials().key_id.get_secret_value()

    assert seen() == "PKOLD"
    rotate("PKNEW")
    clock.advance(TIME_TO_LIVE - timedelta(seconds=1))
    assert seen() == "PKOLD"
    clock.advance(timedelta(seconds=1))
    assert seen() == "PKNEW"
    rotate("PKNEWEST")
    secrets.forget()
    assert seen() == "PKNEWEST"
