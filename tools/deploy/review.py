"""Compares what roles may do with what they were seen to do: nothing used is missing, nothing granted is unused."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from deploy.calls import Call
from deploy.expand import Stack
from deploy.iam import Effect, Policy, Request, role_policy

BY_AWS: Mapping[tuple[str, str], str] = {
    ("Log", "logs:CreateLogStream"): "Lambda's runtime writes the log",
    ("Log", "logs:PutLogEvents"): "Lambda's runtime writes the log",
    ("Receive", "sqs:ReceiveMessage"): "Lambda's poller takes messages in the role's name",
    ("Receive", "sqs:DeleteMessage"): "Lambda's poller takes messages in the role's name",
    ("Receive", "sqs:GetQueueAttributes"): "Lambda's poller takes messages in the role's name",
    ("KeepFailedTriggers", "sqs:SendMessage"): "Lambda and the scheduler keep what they give up",
    ("SeeThatAKeyIsMissing", "s3:ListBucket"): "S3 asks for it to tell 'not found' from 'forbidden'",
    ("Trigger", "lambda:InvokeFunction"): "the scheduler invokes",
}
"""Grants that no call of the code uses, and who needs them."""


@dataclass(frozen=True, slots=True)
class Review:
    """What one role's calls say of its policy."""

    role: str
    calls: int
    missing: tuple[Request, ...]
    """Calls that the policy would have refused."""
    unused: tuple[str, ...]
    """Grants that no call used."""

    @property
    def clean(self) -> bool:
        """Whether policy and calls fit each other."""
        return not self.missing and not self.unused


# Each grant must be used and each call granted:
#   missing = calls - grants     the code would be refused; the policy is too narrow
#   unused  = grants - calls     nobody needs it; the policy is too wide, unless BY_AWS says that AWS itself does
# A grant is a pair of statement and action, not an action alone: two statements may allow the same action on different
# resources, and each has to show a call of its own.
def review(stack: Stack, role: str, calls: Iterable[Call], *, by_action: bool = False) -> Review:
    """Compare one role with its calls. `by_action` ignores resources and keys, which CloudTrail tells in part only."""
    policy = role_policy(stack, role)
    own = [call.request for call in calls if call.role == role]
    if by_action:
        granted = {action for item in policy.statements for action in item.actions}
        missing = [request for request in own if request.action not in granted]
        used = {(item.sid, request.action) for request in own for item in policy.statements}
    else:
        missing = [request for request in own if not policy.allows(request)]
        used = {(sid, request.action) for request in own for sid in policy.granting(request)}
    unused = [
        f"{item.sid}: {action}"
        for item in policy.statements
        if item.effect is Effect.ALLOW
        for action in item.actions
        if (item.sid, action) not in used and (item.sid, action) not in BY_AWS
    ]
    if not by_action:
        unused += [f"{sid}: partition {pattern}" for sid, pattern in _unused_partitions(policy, own)]
    return Review(role, len(own), tuple(missing), tuple(unused))


def _unused_partitions(policy: Policy, requests: Sequence[Request]) -> list[tuple[str, str]]:
    """Leading keys that a statement names and that no request it grants has touched."""
    found = []
    for statement in policy.statements:
        for condition in statement.conditions:
            if condition.operator == "ForAllValues:StringLike":
                touched = [request for request in requests if statement.matches(request)]
                found += [(statement.sid, value) for value in condition.values if not _touches(touched, value)]
    return found


def _touches(requests: Sequence[Request], pattern: str) -> bool:
    prefix = pattern.removesuffix("*")
    return any(
        key == pattern or (pattern.endswith("*") and key.startswith(prefix))
        for request in requests
        for key in request.context.get("dynamodb:LeadingKeys", ())
    )
