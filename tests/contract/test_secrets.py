"""Secrets are found or asked for by name, and never shown."""

import pytest

from alchemiser_common.embedded.environment_secrets import KEY_ID, SECRET_KEY, EnvironmentSecrets
from alchemiser_common.errors import MissingSecret


def test_credentials_are_read_and_hidden() -> None:
    credentials = EnvironmentSecrets({KEY_ID: "PKTEST123", SECRET_KEY: "hush-hush"}).broker_credentials()
    assert credentials.secret_key.get_secret_value() == "hush-hush"
    assert credentials.paper
    for shown in (repr(credentials), str(credentials), credentials.model_dump_json()):
        assert "hush" not in shown
        assert "PKTEST123" not in shown


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "APCA_API_KEY_ID is not set"),
        ({KEY_ID: "PKTEST123"}, "APCA_API_SECRET_KEY is not set"),
        ({KEY_ID: "  ", SECRET_KEY: "hush-hush"}, "APCA_API_KEY_ID is not set"),
        ({KEY_ID: "PKTEST123", SECRET_KEY: "hush hush"}, "APCA_API_SECRET_KEY is malformed"),
        ({KEY_ID: "PK", SECRET_KEY: "hush-hush"}, "APCA_API_KEY_ID is malformed: 2 characters"),
    ],
)
def test_an_absent_or_malformed_secret_is_named_with_a_remedy_and_not_shown(
    environment: dict[str, str], words: str
) -> None:
    with pytest.raises(MissingSecret) as missing:
        EnvironmentSecrets(environment).broker_credentials()
    assert words in str(missing.value)
    assert "hush" not in str(missing.value)
