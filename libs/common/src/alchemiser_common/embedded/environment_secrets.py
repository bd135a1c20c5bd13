"""Secrets from environment variables or a .env file, handed in as a mapping."""

from collections.abc import Mapping

from pydantic import SecretStr

from alchemiser_common.errors import MissingSecret
from alchemiser_common.ports.secrets import BrokerCredentials

KEY_ID = "APCA_API_KEY_ID"
SECRET_KEY = "APCA_API_SECRET_KEY"  # noqa: S105  (the variable's name)
_MIN_LENGTH = 4


class EnvironmentSecrets:
    """Reads the two variables that Alpaca's own tools read."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def broker_credentials(self) -> BrokerCredentials:
        """The Alpaca key. Raises MissingSecret naming the variable at fault, never its value."""
        return BrokerCredentials(key_id=self._read(KEY_ID), secret_key=self._read(SECRET_KEY))

    def _read(self, name: str) -> SecretStr:
        value = self._environment.get(name, "")
        if not value.strip():
            raise MissingSecret(
                f"{name} is not set. Put {KEY_ID} and {SECRET_KEY} into .env or the environment; "
                "create a key at https://app.alpaca.markets under 'Paper' > 'API Keys'"
            )
        if len(value) < _MIN_LENGTH or any(character.isspace() or not character.isprintable() for character in value):
            raise MissingSecret(f"{name} is malformed: {len(value)} characters, or with spaces; copy it again")
        return SecretStr(value)
