"""First use: makes what the functions need on the local AWS, from the definitions that a deployment uses.

In: the resources of the expanded template. Out: the same tables, buckets, queues and buses under the same names.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from alchemiser_cli.stage.names import STATEFUL
from alchemiser_common.aws.clients import AwsClients
from alchemiser_common.errors import StoreUnavailable
from alchemiser_common.json_value import Json
from deploy.template import mapping
from local.aws import LocalAws

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

type Resources = Mapping[str, Mapping[str, Json]]

MADE_HERE = STATEFUL - {"AWS::Events::Archive", "AWS::Logs::LogGroup"}
"""What the containers work with. Their logs are Docker's, and nobody reads an archive of events on a laptop; functions,
schedules and event sources are what the containers and this package are instead."""

STACK = "alchemiser-local"
PHASE_OUTPUT = "RolloutPhase"
RUN_EVENTS = "alchemiser-local-run-events"
"""A queue that hears every run event, for people and tests to read."""
_SHORTEST = timedelta(seconds=30)
"""No function gets less time than this, however fast the exchange's clock runs: a container starts in real seconds."""


def in_real_time(exchange_seconds: float, speed: float) -> timedelta:
    """What a time-out of the template is while the exchange's time flows `speed` times as fast."""
    return max(timedelta(seconds=round(exchange_seconds / speed)), _SHORTEST)


def local_template(resources: Resources, *, speed: float, phase: str) -> dict[str, Json]:
    """A template of the stateful resources, queues after the dead letters they name, their visibility in real time.

    The phase is an output, as in the deployed one.
    """
    kept = {name: dict(resource) for name, resource in resources.items() if resource["Type"] in MADE_HERE}
    for name, resource in kept.items():
        own = mapping(resource["Properties"], name)
        if isinstance(visible := own.get("VisibilityTimeout"), int):
            own = own | {"VisibilityTimeout": int(in_real_time(visible, speed).total_seconds())}
        resource["Properties"] = own
    # A queue's redrive policy must name a queue that is there, and moto makes resources in the order they are listed.
    ordered = sorted(kept.items(), key=lambda item: "RedrivePolicy" in mapping(item[1]["Properties"], item[0]))
    outputs: Json = {PHASE_OUTPUT: {"Value": phase}}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": dict(ordered), "Outputs": outputs}


def provision(aws: LocalAws, template: Mapping[str, Json], *, secrets: Mapping[str, Mapping[str, str]]) -> bool:
    """Create the stack, the secrets, and a queue that hears run events; False if they are there already, which changes
    the phase alone.

    Raises StoreUnavailable.
    """
    try:
        stacks = cast("CloudFormationClient", aws.clients.client("cloudformation"))
        known = _phases(stacks)
        if known:
            if known[0] != mapping(mapping(template["Outputs"], "Outputs")[PHASE_OUTPUT], PHASE_OUTPUT)["Value"]:
                stacks.update_stack(StackName=STACK, TemplateBody=json.dumps(template))
            return False
        stacks.create_stack(StackName=STACK, TemplateBody=json.dumps(template))
        for name, content in secrets.items():
            aws.clients.secrets.create_secret(Name=name, SecretString=json.dumps(content))
        _listen(aws.clients, buses(mapping(template["Resources"], "Resources").values()))
    except (BotoCoreError, ClientError) as error:
        raise StoreUnavailable(f"the local AWS at {aws.endpoint} cannot be set up: {error}") from error
    return True


def buses(resources: Iterable[Json]) -> list[str]:
    """Names of the event buses."""
    found = [mapping(resource, "a resource") for resource in resources]
    return [str(mapping(bus["Properties"], "a bus")["Name"]) for bus in found if bus["Type"] == "AWS::Events::EventBus"]


def read_phase(aws: LocalAws) -> str:
    """The phase that the stage is in. Raises StoreUnavailable."""
    try:
        known = _phases(cast("CloudFormationClient", aws.clients.client("cloudformation")))
    except (BotoCoreError, ClientError) as error:
        raise StoreUnavailable(f"the local AWS at {aws.endpoint} does not answer: {error}") from error
    if not known:
        raise StoreUnavailable(f"the local AWS at {aws.endpoint} holds no stage: `make up` makes it")
    return known[0]


def _phases(stacks: "CloudFormationClient") -> list[str]:
    """The stack's phase; nothing if there is no stack."""
    return [
        next(output["OutputValue"] for output in stack["Outputs"] if output["OutputKey"] == PHASE_OUTPUT)
        for stack in stacks.describe_stacks()["Stacks"]
        if stack["StackName"] == STACK
    ]


def _listen(clients: AwsClients, names: Iterable[str]) -> None:
    sqs, events = clients.sqs, clients.events
    url = sqs.create_queue(QueueName=RUN_EVENTS)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for bus in names:
        pattern = json.dumps({"detail-type": [{"prefix": "Run"}]})
        events.put_rule(Name=RUN_EVENTS, EventBusName=bus, EventPattern=pattern)
        events.put_targets(Rule=RUN_EVENTS, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
