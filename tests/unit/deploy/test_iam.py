"""The evaluator of policies: what IAM would say, or an error; never a guess."""

from collections.abc import Mapping, Sequence

import pytest

from alchemiser_common.json_value import Json
from deploy.iam import Policy, Request, read_policy
from deploy.template import TemplateError

TABLE = "arn:aws:dynamodb:us-east-1:1:table/runs"


def policy(*statements: Json) -> Policy:
    return read_policy([{"Version": "2012-10-17", "Statement": list(statements)}])


def allow(action: Json, resource: Json, condition: Json = None) -> dict[str, Json]:
    own: dict[str, Json] = {"Sid": "It", "Effect": "Allow", "Action": action, "Resource": resource}
    return own if condition is None else {**own, "Condition": condition}


@pytest.mark.parametrize(
    ("statements", "action", "resource", "answer"),
    [
        ([], "s3:GetObject", "arn:aws:s3:::b/k", False),
        ([allow("s3:GetObject", "arn:aws:s3:::b/k")], "s3:GetObject", "arn:aws:s3:::b/k", True),
        ([allow("s3:GetObject", "arn:aws:s3:::b/k")], "s3:getobject", "arn:aws:s3:::b/k", True),
        ([allow("s3:GetObject", "arn:aws:s3:::b/k")], "s3:PutObject", "arn:aws:s3:::b/k", False),
        ([allow("s3:GetObject", "arn:aws:s3:::b/k")], "s3:GetObject", "arn:aws:s3:::B/k", False),
        ([allow("s3:GetObject", "arn:aws:s3:::b/in/*")], "s3:GetObject", "arn:aws:s3:::b/in/a/b", True),
        ([allow("s3:GetObject", "arn:aws:s3:::b/in/*")], "s3:GetObject", "arn:aws:s3:::b/inner", False),
        ([allow("s3:GetObject", "arn:aws:s3:::b/?")], "s3:GetObject", "arn:aws:s3:::b/ab", False),
        ([allow("s3:GetObject", "arn:aws:s3:::b/[ab]")], "s3:GetObject", "arn:aws:s3:::b/a", False),
        (
            [
                allow("s3:GetObject", "arn:aws:s3:::b/*"),
                {**allow("s3:GetObject", "arn:aws:s3:::b/x"), "Effect": "Deny"},
            ],
            "s3:GetObject",
            "arn:aws:s3:::b/x",
            False,
        ),
    ],
)
def test_actions_and_resources(statements: list[Json], action: str, resource: str, answer: bool) -> None:
    assert policy(*statements).allows(Request(action, resource)) is answer


@pytest.mark.parametrize(
    ("condition", "context", "answer"),
    [
        ({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["RUN#*"]}}, {"dynamodb:LeadingKeys": ["RUN#1"]}, True),
        (
            {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["RUN#*"]}},
            {"dynamodb:LeadingKeys": ["RUN#1", "ACCOUNT#a"]},
            False,
        ),
        ({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["RUN#*"]}}, {}, True),
        (
            {
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["RUN#*"]},
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
            {},
            False,
        ),
        ({"StringEquals": {"aws:SourceAccount": "1"}}, {"aws:SourceAccount": ["1"]}, True),
        ({"StringEquals": {"aws:SourceAccount": "1"}}, {"aws:SourceAccount": ["2"]}, False),
        ({"StringEquals": {"aws:SourceAccount": "1"}}, {}, False),
        ({"StringLike": {"s3:prefix": ["in/*"]}}, {"s3:prefix": ["in/a"]}, True),
        ({"StringLike": {"s3:prefix": ["in/*"]}}, {"s3:prefix": ["out/a"]}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": ["false"]}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": ["true"]}, False),
    ],
)
def test_conditions(condition: Json, context: Mapping[str, Sequence[str]], answer: bool) -> None:
    """An absent key satisfies ForAllValues, which is why the template adds Null to it."""
    own = policy(allow("dynamodb:GetItem", TABLE, condition))
    assert own.allows(Request("dynamodb:GetItem", TABLE, context)) is answer


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "NotAction": "s3:GetObject", "Resource": TABLE},
        {"Effect": "Allow", "Action": "s3:*", "Resource": TABLE},
        {"Effect": "Allow", "Action": "*", "Resource": TABLE},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username}"},
        allow("s3:GetObject", TABLE, {"StringNotLike": {"aws:x": "y"}}),
        allow("s3:GetObject", TABLE, {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
    ],
    ids=["NotAction", "all of a service", "everything", "variable", "negated operator", "unknown operator"],
)
def test_what_is_not_understood_is_an_error(statement: Json) -> None:
    with pytest.raises(TemplateError):
        policy(statement)
