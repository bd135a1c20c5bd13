"""A change set: made from the template and parameters, shown, held to what must never be replaced, then carried out.

CloudFormation does SAM's translation. It takes a template of more than 51,200 bytes from S3 only, hence the bucket.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from alchemiser_cli.stage.clients import StageClients
from alchemiser_cli.stage.config import StageConfig
from alchemiser_cli.stage.names import STATEFUL
from alchemiser_cli.stage.stack import DeploymentFailed, Refused, asking, read_stack
from alchemiser_cli.stage.template import load
from alchemiser_common.aws.faults import Asking, code_of
from alchemiser_common.errors import StoreUnavailable
from alchemiser_common.ports.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.client import CloudFormationClient
    from mypy_boto3_s3.client import S3Client

_LONGEST_WAIT = 1800
_POLL_SECONDS = 3.0
_UNCHANGED = ("didn't contain changes", "No updates are to be performed")

type Progress = Callable[[str], None]
"""Takes each line of progress."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one resource."""

    action: str
    """Add, Modify or Remove."""
    name: str
    kind: str
    replacement: bool = False

    def __str__(self) -> str:
        """A line of the list of changes."""
        return f"{self.action:7}{self.name} ({self.kind}){', REPLACED' if self.replacement else ''}"


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change that CloudFormation has worked out and that is not carried out yet."""

    identity: str
    stack: str
    first: bool
    changes: tuple[Change, ...]

    def require_kept(self) -> None:
        """What holds state stays as it is. Raises Refused."""
        lost = [
            item for item in self.changes if item.kind in STATEFUL and (item.replacement or item.action == "Remove")
        ]
        if lost:
            raise Refused(
                f"the change would replace or remove what holds state: {', '.join(item.name for item in lost)}. "
                "Their names and keys must stay as they are deployed; nothing was changed"
            )


def propose(
    clients: StageClients,
    config: StageConfig,
    parameters: Mapping[str, str],
    *,
    account: str,
    first: bool,
    clock: Clock,
) -> ChangeSet | None:
    """The change to the checkout's template with these parameters; None if it would change nothing.

    Raises StoreUnavailable, or DeploymentFailed with CloudFormation's word on what is wrong.
    """
    cloud = clients.cloudformation
    body = json.dumps(load(config.template), separators=(",", ":"))
    url = _upload(clients.s3, config, account, body)
    with asking(config.stack):
        try:
            identity = cloud.create_change_set(
                StackName=config.stack,
                ChangeSetName=f"deploy-{clock.now():%Y%m%dT%H%M%S}-{hashlib.sha256(body.encode()).hexdigest()[:8]}",
                ChangeSetType="CREATE" if first else "UPDATE",
                TemplateURL=url,
                Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
                Tags=[{"Key": name, "Value": value} for name, value in config.tags.items()],
                Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            )["Id"]
        except ClientError as error:
            if code_of(error) == "ValidationError":
                if any(words in str(error) for words in _UNCHANGED):
                    return None
                raise DeploymentFailed(f"CloudFormation does not take the change: {_said(error)}") from error
            raise
    found = _wait_until_worked_out(cloud, config.stack, identity, clock)
    if found["Status"] == "FAILED":
        discard(cloud, config.stack, identity)
        if any(words in found.get("StatusReason", "") for words in _UNCHANGED):
            return None
        raise DeploymentFailed(f"CloudFormation does not take the change: {found.get('StatusReason')}")
    return ChangeSet(identity, config.stack, first, tuple(_changes(cloud, config.stack, identity)))


def discard(cloud: "CloudFormationClient", stack: str, identity: str) -> None:
    """Forget a change set."""
    with asking(stack):
        cloud.delete_change_set(StackName=stack, ChangeSetName=identity)


def carry_out(cloud: "CloudFormationClient", change: ChangeSet, clock: Clock, progress: Progress) -> None:
    """Execute the change and wait for its end, reporting each resource's. Raises DeploymentFailed with the reasons.

    Once it is begun, an AWS that does not answer for a while is asked again: the change goes on without us.
    """
    watch = _Watch(cloud, change.stack, progress)
    if not change.first:
        watch.forget_past()
    with asking(change.stack):
        cloud.execute_change_set(StackName=change.stack, ChangeSetName=change.identity)
    for _ in range(int(_LONGEST_WAIT / _POLL_SECONDS)):
        try:
            if watch.ended():
                return
        except StoreUnavailable as error:
            progress(f"  {error}; the change goes on")
        clock.sleep(_POLL_SECONDS)
    raise StoreUnavailable(f"stack {change.stack} is still being changed; `alchemiser doctor` says how it ends")


class _Watch:
    """Follows a change by its events."""

    def __init__(self, cloud: "CloudFormationClient", stack: str, progress: Progress) -> None:
        self._cloud = cloud
        self._stack = stack
        self._progress = progress
        self._seen: set[str] = set()
        self._failures: list[str] = []

    def forget_past(self) -> None:
        """Events so far are of earlier changes."""
        self._seen = {event["EventId"] for event in _events(self._cloud, self._stack)}

    def ended(self) -> bool:
        """Whether the change is made. Raises DeploymentFailed if it was taken back, StoreUnavailable."""
        for event in reversed(_events(self._cloud, self._stack)):
            if event["EventId"] not in self._seen:
                self._seen.add(event["EventId"])
                self._note(event)
        stack = read_stack(self._cloud, self._stack)
        if stack is None or stack.status.endswith("_IN_PROGRESS"):
            return False
        if stack.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            return True
        raise DeploymentFailed(
            f"stack {self._stack} is {stack.status}; CloudFormation took the change back. "
            f"Why: {'; '.join(self._failures[:3]) or stack.reason or 'it does not say'}"
        )

    def _note(self, event: Any) -> None:
        state, name = event.get("ResourceStatus", ""), event.get("LogicalResourceId")
        reason = event.get("ResourceStatusReason", "")
        if state.endswith("_FAILED"):
            self._failures.append(f"{name}: {reason}")
        if not state.endswith("_IN_PROGRESS"):
            self._progress(f"  {state:28} {name} {reason}".rstrip())


def _events(cloud: "CloudFormationClient", stack: str) -> list[Any]:
    """The newest page, newest first."""
    with asking(stack):
        found: list[Any] = list(cloud.describe_stack_events(StackName=stack)["StackEvents"])
    return found


def _wait_until_worked_out(cloud: "CloudFormationClient", stack: str, identity: str, clock: Clock) -> Any:
    for _ in range(int(_LONGEST_WAIT / _POLL_SECONDS)):
        with asking(stack):
            found = cloud.describe_change_set(StackName=stack, ChangeSetName=identity)
        if found["Status"] in {"CREATE_COMPLETE", "FAILED"}:
            return found
        clock.sleep(_POLL_SECONDS)
    raise StoreUnavailable(f"stack {stack}: CloudFormation has not worked the change out yet; try again")


def _changes(cloud: "CloudFormationClient", stack: str, identity: str) -> list[Change]:
    found: list[Change] = []
    token: dict[str, str] = {}
    while True:
        with asking(stack):
            page = cloud.describe_change_set(StackName=stack, ChangeSetName=identity, **token)  # type: ignore[arg-type]
        for item in page.get("Changes", []):
            change = item["ResourceChange"]
            replaced = change.get("Replacement") in {"True", "Conditional"} and change["Action"] == "Modify"
            found.append(Change(change["Action"], change["LogicalResourceId"], change["ResourceType"], replaced))
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}


def _upload(s3: "S3Client", config: StageConfig, account: str, body: str) -> str:
    """Put the template where CloudFormation can read it; its name is its content, so nothing is ever replaced."""
    bucket = f"alchemiser-templates-{account}-{config.region}"
    with Asking(f"bucket {bucket}", "the deploying role's rights on S3"):
        try:
            s3.head_bucket(Bucket=bucket)
        except ClientError as error:
            if code_of(error) not in {"404", "NoSuchBucket"}:
                raise
            _make_bucket(s3, bucket, config.region)
        key = f"{config.name}/{hashlib.sha256(body.encode()).hexdigest()}.json"
        s3.put_object(Bucket=bucket, Key=key, Body=body.encode(), ContentType="application/json")
    return f"https://{bucket}.s3.{config.region}.amazonaws.com/{key}"


def _make_bucket(s3: "S3Client", bucket: str, region: str) -> None:
    place: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **place)
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )


def _said(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))
