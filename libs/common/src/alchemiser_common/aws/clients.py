"""Every AWS client of this project: made when first asked for, with timeouts and bounded retries.

What differs between a function, a person's command and an AWS on this machine is the session: where its credentials
come from. botocore alone: boto3 would add 65 modules and 50 ms to a cold start and nothing that is used here.
"""

from functools import cached_property
from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from alchemiser_common.errors import InvalidSettings
from alchemiser_common.settings import AwsSettings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_sqs.client import SQSClient


def surrounding_session(*, instance_roles: bool) -> Session:
    """Credentials of the process's surroundings: variables, profiles, the container's role.

    The instance metadata service is asked only with `instance_roles`: in a container it is not there, and finding that
    out takes seconds. Raises InvalidSettings for a profile that is not there and a file that cannot be read.
    """
    session = Session()
    try:
        provider = session.get_component("credential_provider")
    except BotoCoreError as error:
        raise InvalidSettings(
            f"AWS credentials: {error}; check AWS_PROFILE and the files it is looked up in"
        ) from error
    if not instance_roles:
        provider.remove("iam-role")
    return session


def keyed_session(key_id: str, secret_key: str) -> Session:
    """One key, whatever the surroundings have: for a stand-in for AWS, which takes any."""
    session = Session()
    session.set_credentials(key_id, secret_key)
    return session


class AwsClients:
    """Clients for the region and endpoint that the settings name, from one session.

    The default session is a function's. Raises InvalidSettings where no client can be made of the settings.
    """

    def __init__(self, settings: AwsSettings, session: Session | None = None) -> None:
        self._settings = settings
        self._session = session or surrounding_session(instance_roles=False)

    def client(self, service: str, *, read_timeout_seconds: float | None = None) -> object:
        """A new client of the service that botocore calls by that name, e.g. "sqs".

        `read_timeout_seconds` is for one whose answers take longer than the settings allow. Raises InvalidSettings.
        """
        settings = self._settings
        config = Config(
            region_name=settings.region,
            connect_timeout=settings.connect_timeout_seconds,
            read_timeout=read_timeout_seconds or settings.read_timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": settings.attempts},
            tcp_keepalive=True,
        )
        try:
            return self._session.create_client(service, endpoint_url=settings.endpoint_url, config=config)
        except (BotoCoreError, ValueError) as error:
            raise InvalidSettings(f"AWS client {service}: {error}; check aws.region and aws.endpoint_url") from error

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        return cast("DynamoDBClient", self.client("dynamodb"))

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        return cast("SQSClient", self.client("sqs"))

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return cast("S3Client", self.client("s3"))

    @cached_property
    def events(self) -> "EventBridgeClient":
        """EventBridge."""
        return cast("EventBridgeClient", self.client("events"))

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        """Secrets Manager."""
        return cast("SecretsManagerClient", self.client("secretsmanager"))
