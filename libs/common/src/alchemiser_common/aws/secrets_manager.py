"""The broker's key in Secrets Manager, as {"key_id": …, "secret_key": …}; read again after a while, or when asked."""

import json
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import SecretStr

from alchemiser_common.aws.faults import Asking, code_of
from alchemiser_common.errors import MissingSecret
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.secrets import BrokerCredentials, checked_key

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

TIME_TO_LIVE = timedelta(minutes=5)
"""A rotated key is seen after this long at the latest, and by the next run in any case."""


class SecretsManagerSecrets:
    """The secret of that name or ARN, kept for five minutes of `clock`."""

    def __init__(self, client: "SecretsManagerClient", secret: str, clock: Clock) -> None:
        self._client = client
        self._secret = secret
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[datetime, BrokerCredentials] | None = None

    def broker_credentials(self) -> BrokerCredentials:
        """The Alpaca key. Raises MissingSecret naming the secret and the field at fault, never a value."""
        with self._lock:
            now = self._clock.now()
            if self._known is not None and now - self._known[0] < TIME_TO_LIVE:
                return self._known[1]
            credentials = self._parse(self._read())
            self._known = now, credentials
            return credentials

    def forget(self) -> None:
        """Ask Secrets Manager next time: the broker refused the key."""
        with self._lock:
            self._known = None

    def _read(self) -> str:
        with Asking(f"secret {self._secret}", "aws.broker_secret"):
            try:
                return self._client.get_secret_value(SecretId=self._secret).get("SecretString", "")
            except ClientError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise
        raise MissingSecret(f"secret {self._secret} does not exist, or has no value yet; {self._remedy}")

    def _parse(self, text: str) -> BrokerCredentials:
        try:
            content = json.loads(text)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise MissingSecret(f"secret {self._secret} is no JSON object; {self._remedy}")
        return BrokerCredentials(key_id=self._field(content, "key_id"), secret_key=self._field(content, "secret_key"))

    def _field(self, content: dict[str, object], name: str) -> SecretStr:
        return checked_key(f"{name} of secret {self._secret}", content.get(name), self._remedy)

    @property
    def _remedy(self) -> str:
        return (
            'put {"key_id": "…", "secret_key": "…"} into it: '
            f"aws secretsmanager put-secret-value --secret-id {self._secret}"
        )
