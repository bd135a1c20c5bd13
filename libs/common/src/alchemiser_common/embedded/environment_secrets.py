"""Secrets from environment variables or a .env file, handed in as a mapping."""

from collections.abc import Mapping

from pydantic import SecretStr

from alchemiser_common.ports.secrets import BrokerCredentials, checked_key

KEY_ID = "APCA_API_KEY_ID"
SECRET_KEY = "APCA_API_SECRET_KEY"  # noqa: S105  (the variable's name)


class EnvironmentSecrets:
    """Reads the two variables that Alpaca's own tools read."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def broker_credentials(self) -> BrokerCredentials:
        """The Alpaca key. Raises MissingSecret naming the variable at fault, never its value."""
        return BrokerCredentials(key_id=self._read(KEY_ID), secret_key=self._read(SECRET_KEY))

    def _read(self, name: str) -> SecretStr:
        return checked_key(
            name,
            self._environment.get(name),
            f"put {KEY_ID} and {SECRET_KEY} into .env or the environment; "
            "create a key at https://app.alpaca.markets under 'Paper' > 'API Keys'",
        )


def simulated_secrets() -> EnvironmentSecrets:
    """A key for the simulator, which takes any."""
    return EnvironmentSecrets({KEY_ID: "PKSIMULATED", SECRET_KEY: "PKSIMULATED"})
