"""The AWS clients of one process: made when first asked for, from one session, with timeouts and bounded retries.

botocore alone: boto3 would add 65 modules and 50 ms to a cold start and nothing that is used here.
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


class AwsClients:
    """Clients for the region and endpoint that the settings name; credentials come from the process's surroundings.

    The instance metadata service is never asked: in a container it is not there, and finding that out takes seconds.
    """

    def __init__(self, settings: AwsSettings) -> None:
        self._settings = settings
        self._config = Config(
            region_name=settings.region,
            connect_timeout=settings.connect_timeout_seconds,
            read_timeout=settings.read_timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": settings.attempts},
            tcp_keepalive=True,
        )
        self._session = Session()
        try:
            self._session.get_component("credential_provider").remove("iam-role")
        except BotoCoreError as error:  # a profile that is not there, a configuration file that cannot be read
            raise InvalidSettings(
                f"AWS credentials: {error}; check AWS_PROFILE and the files it is looked up in"
            ) from error

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        return cast("DynamoDBClient", self._client("dynamodb"))

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        return cast("SQSClient", self._client("sqs"))

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return cast("S3Client", self._client("s3"))

    @cached_property
    def events(self) -> "EventBridgeClient":
        """EventBridge."""
        return cast("EventBridgeClient", self._client("events"))

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        """Secrets Manager."""
        return cast("SecretsManagerClient", self._client("secretsmanager"))

    def _client(self, service: str) -> object:
        try:
            return self._session.create_client(service, endpoint_url=self._settings.endpoint_url, config=self._config)
        except (BotoCoreError, ValueError) as error:
            raise InvalidSettings(f"AWS client {service}: {error}; check aws.region and aws.endpoint_url") from error
