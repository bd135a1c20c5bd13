"""The AWS clients of a person's command: one session, the stage's region, timeouts and few retries."""

from functools import cached_property
from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.session import Session

from alchemiser_common.settings import AwsSettings

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.client import CloudFormationClient
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_ecr.client import ECRClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_scheduler.client import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sts.client import STSClient

_INVOCATION_SECONDS = 120
"""A probe may be a cold start; nothing that is invoked here works for longer."""


class StageClients:
    """Clients for `region`, whatever region the surroundings name; credentials come from the surroundings."""

    def __init__(self, region: str, settings: AwsSettings) -> None:
        self._endpoint = settings.endpoint_url
        self._config = Config(
            region_name=region,
            connect_timeout=settings.connect_timeout_seconds,
            read_timeout=settings.read_timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": settings.attempts},
        )
        self._session = Session()

    @property
    def surrounding_region(self) -> str | None:
        """The region that other tools would use here."""
        found = self._session.get_config_variable("region")
        return None if found is None else str(found)

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """CloudFormation."""
        return cast("CloudFormationClient", self._client("cloudformation"))

    @cached_property
    def functions(self) -> "LambdaClient":
        """Lambda, whose answers may take as long as a function."""
        context = Config(read_timeout=_INVOCATION_SECONDS)
        return cast("LambdaClient", self._client("lambda", self._config.merge(context)))

    @cached_property
    def ecr(self) -> "ECRClient":
        """ECR."""
        return cast("ECRClient", self._client("ecr"))

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        """Secrets Manager."""
        return cast("SecretsManagerClient", self._client("secretsmanager"))

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        return cast("DynamoDBClient", self._client("dynamodb"))

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        return cast("SQSClient", self._client("sqs"))

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """CloudWatch."""
        return cast("CloudWatchClient", self._client("cloudwatch"))

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return cast("S3Client", self._client("s3"))

    @cached_property
    def scheduler(self) -> "EventBridgeSchedulerClient":
        """EventBridge Scheduler."""
        return cast("EventBridgeSchedulerClient", self._client("scheduler"))

    @cached_property
    def sts(self) -> "STSClient":
        """STS."""
        return cast("STSClient", self._client("sts"))

    def _client(self, service: str, config: Config | None = None) -> object:
        return self._session.create_client(service, endpoint_url=self._endpoint, config=config or self._config)
