"""Would IAM allow this? A strict evaluator of exactly the policy language that deploy/template.yaml uses.

A request is an action, a resource and its context keys. Anything in a policy that is not known here (NotAction,
a condition operator, a variable) is an error: an evaluator that guesses proves nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

from alchemiser_common.json_value import Json
from deploy.expand import Stack, properties
from deploy.template import TemplateError, mapping, sequence


class Effect(StrEnum):
    """What a statement does to what it matches."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Request:
    """One call as IAM sees it; a key that the service does not send is absent from the context."""

    action: str
    resource: str
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key with the values it accepts."""

    operator: str
    key: str
    values: tuple[str, ...]

    # What decides is whether the request has the key at all:
    #
    #                              key absent    key present
    #   Null "true"                holds         fails            ("false": the other way round)
    #   ForAllValues:StringLike    holds         every value of the request must match one of ours
    #   StringLike, StringEquals   fails         one value of the request must match one of ours
    #   Bool                       fails         the same, without regard to case
    #
    # ForAllValues alone would therefore allow a call that names no key, such as a Scan of the whole table. The template
    # pairs it with Null "false" for that reason.
    def holds(self, context: Mapping[str, Sequence[str]]) -> bool:
        """As IAM decides it. Raises TemplateError for an operator that is not in the table above."""
        present = context.get(self.key)
        match self.operator:
            case "Null":
                return (not present) == (self.values == ("true",))
            case "ForAllValues:StringLike":
                return all(self._like(value) for value in present or ())
            case "StringLike":
                return bool(present) and any(self._like(value) for value in present or ())
            case "StringEquals":
                return bool(present) and any(value in self.values for value in present or ())
            case "Bool":
                return bool(present) and any(value.lower() in self.values for value in present or ())
        raise TemplateError(f"condition operator {self.operator} is not understood")

    def _like(self, value: str) -> bool:
        return any(_like(pattern, value) for pattern in self.values)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy."""

    sid: str
    effect: Effect
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...]

    def matches(self, request: Request) -> bool:
        """Whether it speaks about the request."""
        return (
            any(_like(pattern.lower(), request.action.lower()) for pattern in self.actions)
            and any(_like(pattern, request.resource) for pattern in self.resources)
            and all(condition.holds(request.context) for condition in self.conditions)
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """All statements that one principal has."""

    statements: tuple[Statement, ...]

    # The order of statements does not count: one Deny outweighs any number of Allows, and silence refuses.
    def allows(self, request: Request) -> bool:
        """A matching Deny refuses, otherwise a matching Allow is needed."""
        effects = {statement.effect for statement in self.statements if statement.matches(request)}
        return Effect.DENY not in effects and Effect.ALLOW in effects

    def granting(self, request: Request) -> tuple[str, ...]:
        """Names of the statements that allow the request."""
        return tuple(item.sid for item in self.statements if item.effect is Effect.ALLOW and item.matches(request))


_STATEMENT = {"Sid", "Effect", "Action", "Resource", "Condition"}
_OPERATORS = {"Null", "ForAllValues:StringLike", "StringLike", "StringEquals", "Bool"}
_NAME = re.compile(r"[a-z0-9-]+:[A-Za-z]+")


def read_policy(documents: Iterable[Json]) -> Policy:
    """The statements of policy documents. Raises TemplateError for anything that is not understood."""
    return Policy(tuple(_statement(raw) for document in documents for raw in _statements(document)))


def role_policy(stack: Stack, role: str) -> Policy:
    """The policy of one role of the template."""
    return read_policy(role_documents(stack, role))


def role_documents(stack: Stack, role: str) -> list[Json]:
    """The role's inline policies; managed ones are not used here. Raises TemplateError if there are any."""
    resource = stack.resources.get(role)
    if resource is None:
        raise TemplateError(f"role {role} is not in the stack")
    own = properties(resource)
    if own.get("ManagedPolicyArns"):
        raise TemplateError(f"role {role} has managed policies, whose content is not in the template")
    return [mapping(policy, role)["PolicyDocument"] for policy in sequence(own.get("Policies", []), role)]


def _statements(document: Json) -> list[Json]:
    if not isinstance(document, dict) or document.get("Version") != "2012-10-17":
        raise TemplateError("a policy document must have Version 2012-10-17")
    found = document["Statement"]
    return found if isinstance(found, list) else [found]


def _statement(raw: Json) -> Statement:
    if not isinstance(raw, dict):
        raise TemplateError(f"statement {raw!r} is no mapping")
    strange = sorted(set(raw) - _STATEMENT)
    if strange:
        raise TemplateError(f"statement {raw.get('Sid')}: {strange[0]} is not understood")
    actions = _texts(raw["Action"])
    for action in actions:
        if not _NAME.fullmatch(action):
            raise TemplateError(
                f"statement {raw.get('Sid')}: action {action!r} is not one plain action, such as sqs:SendMessage"
            )
    resources = _texts(raw["Resource"])
    if any("${" in resource for resource in resources):
        raise TemplateError(f"statement {raw.get('Sid')}: policy variables are not understood")
    return Statement(
        sid=str(raw.get("Sid", "")),
        effect=Effect(str(raw["Effect"])),
        actions=actions,
        resources=resources,
        conditions=tuple(_conditions(raw.get("Condition", {}))),
    )


def _conditions(raw: Json) -> Iterable[Condition]:
    if not isinstance(raw, dict):
        raise TemplateError(f"condition {raw!r} is no mapping")
    for operator, keys in raw.items():
        if operator not in _OPERATORS or not isinstance(keys, dict):
            raise TemplateError(f"condition operator {operator} is not understood")
        for key, values in keys.items():
            yield Condition(operator, key, _texts(values))


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else (str(value),)


def _like(pattern: str, value: str) -> bool:
    """IAM's * and ?, nothing else: a bracket is a bracket."""
    return fnmatchcase(value, pattern.replace("[", "[[]"))
