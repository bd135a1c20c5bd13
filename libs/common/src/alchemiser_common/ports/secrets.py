"""Secrets: the broker's credentials, never shown."""

from typing import Protocol, Self, TypedDict

from pydantic import SecretStr, model_validator

from alchemiser_common.errors import MissingSecret
from alchemiser_common.masking import SHORTEST, mask_from_now_on
from alchemiser_common.messages.base import Frozen


class KeyPair(TypedDict):
    """How a client of the broker is given a pair of keys."""

    api_key: str
    secret_key: str


class Token(TypedDict):
    """How it is given a token."""

    oauth_token: str


class BrokerCredentials(Frozen):
    """An API key; printing it shows asterisks. Or an OAuth token in its place, which may lack the right to trade:
    Alpaca gives one pair of keys an account, so a shadow's own key is such a token.
    """

    key_id: SecretStr = SecretStr("")
    secret_key: SecretStr = SecretStr("")
    access_token: SecretStr | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        pair = bool(self.key_id.get_secret_value()) and bool(self.secret_key.get_secret_value())
        if pair == (self.access_token is not None):
            raise ValueError("give a pair of keys or a token")
        return self

    @property
    def arguments(self) -> KeyPair | Token:
        """For a client of the broker."""
        if self.access_token is not None:
            return {"oauth_token": self.access_token.get_secret_value()}
        return {"api_key": self.key_id.get_secret_value(), "secret_key": self.secret_key.get_secret_value()}


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
