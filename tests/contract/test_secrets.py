"""Secrets are found or asked for by name, and never shown."""

import json
from collections.abc import Callable

import pytest

from alchemiser_common.alpaca.keys import is_paper_key
from alchemiser_common.aws.secrets_manager import SecretsManagerSecrets
from alchemiser_common.embedded.environment_secrets import KEY_ID, SECRET_KEY, EnvironmentSecrets
from alchemiser_common.errors import MissingSecret
from alchemiser_common.ports.secrets import Secrets
from support.aws import Aws

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
