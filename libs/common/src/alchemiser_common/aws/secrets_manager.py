"""The broker's key in Secrets Manager, as {"key_id": …, "secret_key": …}; for a shadow also {"oauth_token": …}.

Nothing is kept here: whoever got a key keeps it, and asks again when the broker refuses it.
"""

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import SecretStr

from alchemiser_common.aws.faults import Asking, code_of
from alchemiser_common.errors import MissingSecret
from alchemiser_common.ports.secrets import BrokerCredentials, checked_key

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient


class SecretsManagerSecrets:
    """The secret of that name or ARN."""

    def __init__(self, client: "SecretsManagerClient", secret: str) -> None:
        self._client = client
        self._secret = secret

    def broker_credentials(self) -> BrokerCredentials:
        """The Alpaca key as it is now. Raises MissingSecret naming the secret and the field, never a value;
        StoreUnavailable if AWS does not answer or refuses the role.
        """
        try:
            content = json.loads(self._read())
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise MissingSecret(f"secret {self._secret} is no JSON object; {self._remedy}")
        if "oauth_token" in content:
            return BrokerCredentials(access_token=self._field(content, "oauth_token"))
        return BrokerCredentials(key_id=self._field(content, "key_id"), secret_key=self._field(content, "secret_key"))

    def _read(self) -> str:
        with Asking(f"secret {self._secret}", "aws.broker_secret"):
            try:
                return self._client.get_secret_value(SecretId=self._secret).get("SecretString", "")
            except ClientError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise
        raise MissingSecret(f"secret {self._secret} does not exist, or has no value yet; {self._remedy}")

    def _field(self, content: dict[str, object], name: str) -> SecretStr:
        return checked_key(f"{name} of secret {self._secret}", content.get(name), self._remedy)

    @property
    def _remedy(self) -> str:
        return (
            'put {"key_id": "…", "secret_key": "…"} into it: '
            f"aws secretsmanager put-secret-value --secret-id {self._secret}"
        )
