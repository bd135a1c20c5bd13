"""moto's server, taught the CloudFormation types it lacks: each is made by moto's own API of the service.

Run as a program: `python moto_types.py PORT`. A type's properties have the names of the API's arguments, so a row of
the table is all that it takes.
"""

import json
import logging
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from moto.awslambda.models import LambdaVersion
from moto.cloudformation.parsing import ResourceMap
from moto.core.common_models import CloudFormationModel
from moto.iam.models import Role
from moto.server import main as serve

from alchemiser_common.aws.clients import AwsClients, keyed_session
from alchemiser_common.settings import AwsSettings

_PORT = 0


@dataclass(frozen=True)
class Operations:
    service: str
    create: str
    update: str
    delete: str
    identity: tuple[str, ...]
    """The properties that name a resource: its physical id, and the arguments that delete it."""


_TYPES = {
    "AWS::Scheduler::ScheduleGroup": Operations(
        "scheduler", "create_schedule_group", "", "delete_schedule_group", ("Name",)
    ),
    "AWS::Scheduler::Schedule": Operations(
        "scheduler", "create_schedule", "update_schedule", "delete_schedule", ("GroupName", "Name")
    ),
    "AWS::Lambda::Alias": Operations(
        "lambda", "create_alias", "update_alias", "delete_alias", ("FunctionName", "Name")
    ),
    "AWS::Lambda::EventInvokeConfig": Operations(
        "lambda",
        "put_function_event_invoke_config",
        "put_function_event_invoke_config",
        "delete_function_event_invoke_config",
        ("FunctionName", "Qualifier"),
    ),
    "AWS::CloudWatch::Alarm": Operations("cloudwatch", "put_metric_alarm", "put_metric_alarm", "", ("AlarmName",)),
    "AWS::S3::BucketPolicy": Operations("s3", "", "", "", ("Bucket",)),  # it refuses plain HTTP, which moto speaks
    "AWS::SNS::TopicPolicy": Operations("sns", "", "", "", ("Topics",)),
}


class _Taught(CloudFormationModel):
    """One resource of such a type."""

    __module__ = "moto.taught.models"  # moto reads a model's service from it
    operations: Operations
    kind: str

    def __init__(self, properties: dict[str, Any]) -> None:
        self.properties = properties

    @property
    def physical_resource_id(self) -> str:
        return "|".join(str(self.properties[name]) for name in self.operations.identity)

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return False

    @classmethod
    def create_from_cloudformation_json(cls, resource_name: str, cloudformation_json: Any, *_: Any, **__: Any) -> Any:
        made = cls(cloudformation_json["Properties"])
        made.call(cls.operations.create, made.arguments())
        return made

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, *_: Any, **__: Any
    ) -> Any:
        changed = cls(cloudformation_json["Properties"])
        if changed.physical_resource_id != original_resource.physical_resource_id:
            raise ValueError(f"{cls.kind} {original_resource.physical_resource_id} would be replaced")
        changed.call(cls.operations.update, changed.arguments())
        return changed

    def delete(self, account_id: str, region: str) -> None:
        with suppress(ClientError):  # what it belonged to is gone already
            self._delete()

    def _delete(self) -> None:
        if self.operations.service == "cloudwatch":
            self.call("delete_alarms", {"AlarmNames": [self.properties["AlarmName"]]})
        else:
            self.call(self.operations.delete, {name: self.properties[name] for name in self.operations.identity})

    def arguments(self) -> dict[str, Any]:
        return {name: value for name, value in self.properties.items() if value != {}}

    def call(self, operation: str, arguments: dict[str, Any]) -> None:
        if operation:
            getattr(_client(self.operations.service), operation)(**arguments)


def _client(service: str) -> Any:
    host = os.environ.get("STAGE_HOST", "127.0.0.1")
    settings = AwsSettings(endpoint_url=f"http://{host}:{_PORT}", read_timeout_seconds=60)
    return AwsClients(settings, keyed_session("test", "test")).client(service)


def _teach(kind: str, operations: Operations) -> type[_Taught]:
    own = {
        "operations": operations,
        "kind": kind,
        "__module__": _Taught.__module__,
        "cloudformation_type": staticmethod(lambda: kind),
    }
    return type(
        kind.replace("::", ""), (_Taught, CloudFormationModel), own
    )  # moto looks at its own class's direct children


def _version_attribute(version: LambdaVersion, name: str) -> str:
    assert name == "Version"
    return str(version.version)


def _update_role(original_resource: Any, new_resource_name: str, cloudformation_json: Any, *_: Any, **__: Any) -> Any:
    """moto's own passes over a role's changed policies."""
    for policy in cloudformation_json["Properties"]["Policies"]:
        document = json.dumps(policy["PolicyDocument"])
        _client("iam").put_role_policy(
            RoleName=original_resource.name, PolicyName=policy["PolicyName"], PolicyDocument=document
        )
    return original_resource


def _forget(resources: ResourceMap, parsed: Any, resource_json: Any) -> None:
    """moto's own keeps what it deleted, and does not make it again when it comes back."""
    _delete(resources, parsed, resource_json)
    resources._parsed_resources.pop(parsed.logical_resource_id, None)


_delete = ResourceMap._delete_resource
ResourceMap._delete_resource = _forget  # type: ignore[method-assign,assignment]
Role.update_from_cloudformation_json = staticmethod(_update_role)  # type: ignore[method-assign]
LambdaVersion.get_cfn_attribute = _version_attribute  # type: ignore[attr-defined]
LambdaVersion.has_cfn_attr = classmethod(lambda _, name: name == "Version")  # type: ignore[method-assign,assignment]
_TAUGHT = [_teach(kind, operations) for kind, operations in _TYPES.items()]

if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    _PORT = int(sys.argv[1])
    serve(["-H", "127.0.0.1", "-p", sys.argv[1]])
