"""The AWS clients of a person's command on a stage: the common ones, and those that deploy and watch."""

from functools import cached_property
from typing import TYPE_CHECKING, cast

from alchemiser_common.aws.clients import AwsClients, surrounding_session
from alchemiser_common.settings import AwsSettings

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.client import CloudFormationClient
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_ecr.client import ECRClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_scheduler.client import EventBridgeSchedulerClient
    from mypy_boto3_sts.client import STSClient

_INVOCATION_SECONDS = 150
"""A probe may be a cold start; nothing that is invoked here works for longer."""


class StageClients(AwsClients):
    """Clients for `region`, whatever region the surroundings name; the credentials are theirs.

    Raises InvalidSettings for an AWS_PROFILE that is not there and an endpoint that is none.
    """

    def __init__(self, region: str, settings: AwsSettings) -> None:
        super().__init__(settings.model_copy(update={"region": region}), surrounding_session(instance_roles=True))
        _ = self.sts  # whatever is wrong with the settings is said before anything is asked

    @property
    def surrounding_region(self) -> str | None:
        """The region that other tools would use here."""
        found = self._session.get_config_variable("region")
        return None if found is None else str(found)

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """CloudFormation."""
        return cast("CloudFormationClient", self.client("cloudformation"))

    @cached_property
    def functions(self) -> "LambdaClient":
        """Lambda, whose answers may take as long as a function."""
        return cast("LambdaClient", self.client("lambda", read_timeout_seconds=_INVOCATION_SECONDS))

    @cached_property
    def ecr(self) -> "ECRClient":
        """ECR."""
        return cast("ECRClient", self.client("ecr"))

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """CloudWatch."""
        return cast("CloudWatchClient", self.client("cloudwatch"))

    @cached_property
    def scheduler(self) -> "EventBridgeSchedulerClient":
        """EventBridge Scheduler."""
        return cast("EventBridgeSchedulerClient", self.client("scheduler"))

    @cached_property
    def sts(self) -> "STSClient":
        """STS."""
        return cast("STSClient", self.client("sts"))
