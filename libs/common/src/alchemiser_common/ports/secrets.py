"""Secrets: the broker's credentials, never shown."""

from typing import Protocol

from pydantic import SecretStr

from alchemiser_common.errors import MissingSecret
from alchemiser_common.masking import SHORTEST, mask_from_now_on
from alchemiser_common.messages.base import Frozen


class BrokerCredentials(Frozen):
    """An API key; printing it shows asterisks."""

    key_id: SecretStr
    secret_key: SecretStr


def checked_key(name: str, value: object, remedy: str) -> SecretStr:
    """A half of a key as it was found under `name`; masked in all output from now on.

    Raises MissingSecret, which never shows the value.
    """
    if not isinstance(value, str) or not value.strip():
        raise MissingSecret(f"{name} is not set; {remedy}")
    if len(value) < SHORTEST or any(character.isspace() or not character.isprintable() for character in value):
        raise MissingSecret(f"{name} is malformed: {len(value)} characters, or with spaces; copy it again")
    mask_from_now_on(value)
    return SecretStr(value)


class Secrets(Protocol):
    """Gives the credentials of one broker environment."""

    def broker_credentials(self) -> BrokerCredentials:
        """The broker's key. Raises MissingSecret that says what to set and where to get it."""
        ...
