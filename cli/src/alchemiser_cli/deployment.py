"""A deployed stage as its stack tells it: settings for every other command, dead letters, alarms. Reads only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from alchemiser_cli.rollout import RolloutPhase
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.settings import AwsSettings, Settings, load_settings

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.client import CloudFormationClient
    from mypy_boto3_cloudwatch.client import CloudWatchClient

STACK_PREFIX = "alchemiser-"
_SETTINGS = {
    "ALCHEMISER_ENVIRONMENT": "BrokerEnvironment",
    "ALCHEMISER_ACCOUNT_ALIAS": "AccountAlias",
    "ALCHEMISER_AWS__TABLE": "Table",
    "ALCHEMISER_AWS__BUCKET": "Bucket",
    "ALCHEMISER_AWS__MARKET_DATA_QUEUE": "MarketDataQueue",
    "ALCHEMISER_AWS__TRADE_DECISION_QUEUE": "TradeDecisionQueue",
    "ALCHEMISER_AWS__EVENT_BUS": "EventBus",
    "ALCHEMISER_AWS__BROKER_SECRET": "BrokerSecret",
}
"""Variable to output of the stack."""
_DEAD_LETTERS = ("MarketDataDeadLetters", "TradeDecisionDeadLetters", "TriggerDeadLetters")


@dataclass(frozen=True, slots=True)
class Deployment:
    """One stage's stack."""

    stage: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    aws: AwsSettings

    @property
    def phase(self) -> RolloutPhase:
        """The rollout phase it is deployed in."""
        return RolloutPhase(self.outputs["RolloutPhase"])

    def variables(self) -> dict[str, str]:
        """The environment that makes every other command work on this stage."""
        found = {name: self.outputs[output] for name, output in _SETTINGS.items()}
        found |= {"ALCHEMISER_BACKEND": "aws", "ALCHEMISER_AWS__REGION": self.aws.region}
        if self.aws.endpoint_url:
            found["ALCHEMISER_AWS__ENDPOINT_URL"] = self.aws.endpoint_url
        return found

    def settings(self) -> Settings:
        """The same as settings."""
        return load_settings(self.variables()).settings

    def dead_letters(self) -> dict[str, int]:
        """Messages in each dead-letter queue, by output."""
        from alchemiser_common.aws.clients import AwsClients
        from alchemiser_common.aws.faults import Asking

        sqs, counted = AwsClients(self.aws).sqs, {}
        for name in _DEAD_LETTERS:
            with Asking(f"queue {name}", f"the stack's output {name}"):
                attributes = sqs.get_queue_attributes(
                    QueueUrl=self.outputs[name], AttributeNames=["ApproximateNumberOfMessages"]
                )
            counted[name] = int(attributes["Attributes"]["ApproximateNumberOfMessages"])
        return counted

    def firing(self) -> list[str]:
        """Names of the stage's alarms that are firing."""
        from alchemiser_common.aws.faults import Asking

        watch = cast("CloudWatchClient", client(self.aws, "cloudwatch"))
        with Asking("alarms", "the stage"):
            pages = watch.get_paginator("describe_alarms").paginate(
                AlarmNamePrefix=f"{STACK_PREFIX}{self.stage}-", StateValue="ALARM"
            )
            alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
        return sorted(alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM")


def open_deployment(stage: str, aws: AwsSettings) -> Deployment:
    """Read a stage's stack. Raises InvalidSettings if there is none, it is of another make, or no credentials are."""
    from botocore.exceptions import ClientError

    from alchemiser_common.aws.faults import Asking

    name = f"{STACK_PREFIX}{stage}"
    cloud = cast("CloudFormationClient", client(aws, "cloudformation"))
    with Asking(f"stack {name}", "the stage"):
        try:
            (stack,) = cloud.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            raise InvalidSettings(
                f"stack {name} does not exist in region {aws.region} of this account; is the region right "
                f"(ALCHEMISER_AWS__REGION), and has `make deploy STAGE={stage} PHASE=monolith` been run?"
            ) from error
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}
    missing = sorted({"RolloutPhase", *_SETTINGS.values(), *_DEAD_LETTERS} - set(outputs))
    if missing:
        raise InvalidSettings(
            f"stack {name} ({stack['StackStatus']}) has no output {missing[0]}; it was made by another template"
        )
    parameters = {item["ParameterKey"]: item.get("ParameterValue", "") for item in stack.get("Parameters", [])}
    return Deployment(stage, stack["StackStatus"], outputs, parameters, aws)


def client(aws: AwsSettings, service: str) -> object:
    """A client of a service that only the operator's commands use."""
    from botocore.config import Config
    from botocore.session import Session

    config = Config(
        region_name=aws.region,
        connect_timeout=aws.connect_timeout_seconds,
        read_timeout=aws.read_timeout_seconds,
        retries={"mode": "standard", "total_max_attempts": aws.attempts},
    )
    return Session().create_client(service, endpoint_url=aws.endpoint_url, config=config)
