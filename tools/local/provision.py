"""First use: makes what the functions need on the local AWS, from the definitions that a deployment uses.

In: the resources of the expanded template. Out: the same tables, buckets, queues and buses under the same names.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from alchemiser_common.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

type Json = str | int | float | bool | list[Json] | dict[str, Json] | None
type Resources = Mapping[str, Mapping[str, Json]]

STATEFUL = frozenset({
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::Events::EventBus",
})  # fmt: skip
"""What moto plays. Functions, schedules and event sources are what the containers and this package are instead."""

REGION = "us-east-1"
STACK = "alchemiser-local"
LOCAL_KEY = "local"
"""Anybody's; it opens nothing."""
RUN_EVENTS = "alchemiser-local-run-events"
"""A queue that hears every run event, for people and tests to read."""
_SHORTEST = timedelta(seconds=30)
"""No function gets less time than this, however fast the exchange's clock runs: a container starts in real seconds."""


@dataclass(frozen=True, slots=True)
class LocalAws:
    """Where the local AWS answers."""

    endpoint: str

    def session(self) -> "boto3.Session":
        """A session whose clients need `endpoint_url` only."""
        return boto3.Session(aws_access_key_id=LOCAL_KEY, aws_secret_access_key=LOCAL_KEY, region_name=REGION)


def in_real_time(exchange_seconds: float, speed: float) -> timedelta:
    """What a time-out of the template is while the exchange's time flows `speed` times as fast."""
    return max(timedelta(seconds=round(exchange_seconds / speed)), _SHORTEST)


def local_template(resources: Resources, *, speed: float) -> dict[str, Json]:
    """A template of the stateful resources, queues after the dead letters they name, their visibility in real time."""
    kept = {name: dict(resource) for name, resource in resources.items() if resource["Type"] in STATEFUL}
    for resource in kept.values():
        properties = dict(_mapping(resource["Properties"]))
        if isinstance(visible := properties.get("VisibilityTimeout"), int):
            properties["VisibilityTimeout"] = int(in_real_time(visible, speed).total_seconds())
        resource["Properties"] = properties
    ordered = sorted(kept.items(), key=lambda item: "RedrivePolicy" in _mapping(item[1]["Properties"]))
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": dict(ordered)}


def provision(aws: LocalAws, template: Mapping[str, Json], *, secrets: Mapping[str, Mapping[str, str]]) -> bool:
    """Create the stack, the secrets, and a queue that hears run events; False if they are there already.

    Raises StoreUnavailable.
    """
    session = aws.session()
    try:
        stacks = session.client("cloudformation", endpoint_url=aws.endpoint)
        if _exists(stacks):
            return False
        stacks.create_stack(StackName=STACK, TemplateBody=json.dumps(template))
        manager = session.client("secretsmanager", endpoint_url=aws.endpoint)
        for name, content in secrets.items():
            manager.create_secret(Name=name, SecretString=json.dumps(content))
        _listen(session, aws.endpoint, buses(_mapping(template["Resources"]).values()))
    except (BotoCoreError, ClientError) as error:
        raise StoreUnavailable(f"the local AWS at {aws.endpoint} cannot be set up: {error}") from error
    return True


def buses(resources: Iterable[Json]) -> list[str]:
    """Names of the event buses."""
    found = [_mapping(resource) for resource in resources]
    return [str(_mapping(bus["Properties"])["Name"]) for bus in found if bus["Type"] == "AWS::Events::EventBus"]


def _exists(stacks: "CloudFormationClient") -> bool:
    return any(stack["StackName"] == STACK for stack in stacks.describe_stacks()["Stacks"])


def _listen(session: "boto3.Session", endpoint: str, names: Iterable[str]) -> None:
    sqs = session.client("sqs", endpoint_url=endpoint)
    url = sqs.create_queue(QueueName=RUN_EVENTS)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events = session.client("events", endpoint_url=endpoint)
    for bus in names:
        pattern = json.dumps({"detail-type": [{"prefix": "Run"}]})
        events.put_rule(Name=RUN_EVENTS, EventBusName=bus, EventPattern=pattern)
        events.put_targets(Rule=RUN_EVENTS, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])


def _mapping(value: Json | Mapping[str, Json]) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise TypeError(f"the template has {value!r} where a mapping belongs")
    return value
