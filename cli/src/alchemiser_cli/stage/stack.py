"""A stage's stack as CloudFormation has it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from alchemiser_cli.stage.template import mapping
from alchemiser_common.aws.faults import Asking, code_of
from alchemiser_common.errors import AlchemiserError, PermanentError
from alchemiser_common.json_value import Json

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.client import CloudFormationClient

_SETTLED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}
_EMPTY = "REVIEW_IN_PROGRESS"
"""Only a change set was ever made for it."""


class Refused(PermanentError):
    """Raised when a change of a stage must not be made as things are; says what to do first."""


class DeploymentFailed(AlchemiserError):
    """Raised when a change was begun and did not succeed; says what is in place now."""


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """What CloudFormation says of it."""

    name: str
    account: str
    status: str
    reason: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def settled(self) -> bool:
        """Whether it may be changed now."""
        return self.status in _SETTLED

    @property
    def phase(self) -> str:
        """Rollout phase."""
        return self.parameters["RolloutPhase"]

    @property
    def account_alias(self) -> str:
        """Name of the broker account."""
        return self.parameters["AccountAlias"]

    def function(self, service: str) -> str | None:
        """Name of a service's function, if the phase has it."""
        return self.outputs.get(f"{service.capitalize()}Function")


def read_stack(client: "CloudFormationClient", name: str) -> DeployedStack | None:
    """The stack, or None if it was never deployed. Raises StoreUnavailable."""
    with asking(name):
        try:
            (found,) = client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if code_of(error) == "ValidationError":  # so CloudFormation says "does not exist"
                return None
            raise
    if found["StackStatus"] in {_EMPTY, "DELETE_COMPLETE"}:
        return None
    return DeployedStack(
        name=name,
        account=found.get("StackId", ":::::").split(":")[4],
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        parameters={item["ParameterKey"]: item["ParameterValue"] for item in found.get("Parameters", [])},
        outputs={item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])},
    )


def deployed_template(client: "CloudFormationClient", name: str) -> dict[str, Json]:
    """The template as it was handed in."""
    with asking(name):
        body: Json = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    return mapping(json.loads(body) if isinstance(body, str) else json.loads(json.dumps(body)), "template")


def asking(name: str) -> Asking:
    """Calls about a stack."""
    return Asking(f"stack {name}", "stack_name and region in deploy/samconfig.toml")
