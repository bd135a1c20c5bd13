"""What CloudFormation may answer and moto never does: a change taken back, one that changes nothing, a silent AWS."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from alchemiser_cli.stage.changes import Change, ChangeSet, carry_out
from alchemiser_cli.stage.stack import DeploymentFailed, Refused
from alchemiser_common.aws.clients import AwsClients, keyed_session
from alchemiser_common.settings import AwsSettings
from support.stages import FixedClock

NOW = datetime(2026, 11, 25, tzinfo=UTC)
CHANGE = ChangeSet("arn:change", "alchemiser-dev", False, ())


def cloudformation() -> Any:
    return AwsClients(AwsSettings(attempts=1), keyed_session("none", "none")).client("cloudformation")


def event(number: int, state: str, reason: str = "") -> dict[str, object]:
    return {
        "StackId": "arn:stack",
        "EventId": str(number),
        "StackName": "alchemiser-dev",
        "Timestamp": NOW,
        "LogicalResourceId": "DataFunction",
        "ResourceStatus": state,
        "ResourceStatusReason": reason,
    }


def stack(status: str) -> dict[str, object]:
    return {"Stacks": [{"StackName": "alchemiser-dev", "StackStatus": status, "CreationTime": NOW}]}


def test_a_change_that_is_taken_back_says_why() -> None:
    told: list[str] = []
    with Stubber(client := cloudformation()) as answers:
        answers.add_response("describe_stack_events", {"StackEvents": [event(1, "UPDATE_FAILED", "long ago")]})
        answers.add_response("execute_change_set", {})
        new = [event(3, "UPDATE_ROLLBACK_COMPLETE"), event(2, "UPDATE_FAILED", "no such role")]
        answers.add_response("describe_stack_events", {"StackEvents": [*new, event(1, "UPDATE_FAILED", "long ago")]})
        answers.add_response("describe_stacks", stack("UPDATE_ROLLBACK_COMPLETE"))
        with pytest.raises(DeploymentFailed, match=r"took the change back. Why: DataFunction: no such role$"):
            carry_out(client, CHANGE, FixedClock(), told.append)
    assert [line.split()[0] for line in told] == ["UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE"]


def test_a_change_is_followed_through_an_aws_that_is_throttled_for_a_while() -> None:
    told: list[str] = []
    with Stubber(client := cloudformation()) as answers:
        answers.add_response("describe_stack_events", {"StackEvents": []})
        answers.add_response("execute_change_set", {})
        answers.add_client_error("describe_stack_events", "Throttling", "Rate exceeded", 400)
        answers.add_response("describe_stack_events", {"StackEvents": [event(1, "UPDATE_IN_PROGRESS")]})
        answers.add_response("describe_stacks", stack("UPDATE_IN_PROGRESS"))
        answers.add_response("describe_stack_events", {"StackEvents": [event(2, "UPDATE_COMPLETE")]})
        answers.add_response("describe_stacks", stack("UPDATE_COMPLETE"))
        carry_out(client, CHANGE, FixedClock(), told.append)
        answers.assert_no_pending_responses()
    assert "Throttling: Rate exceeded; the change goes on" in told[0]


@pytest.mark.parametrize(
    ("action", "kind", "replacement", "kept"),
    [
        ("Modify", "AWS::DynamoDB::Table", False, True),
        ("Modify", "AWS::DynamoDB::Table", True, False),
        ("Remove", "AWS::SQS::Queue", False, False),
        ("Remove", "AWS::Lambda::Function", False, True),
        ("Modify", "AWS::Lambda::Version", True, True),
    ],
)
def test_what_holds_state_is_neither_replaced_nor_removed(
    action: str, kind: str, replacement: bool, kept: bool
) -> None:
    change = ChangeSet("arn:change", "alchemiser-dev", False, (Change(action, "It", kind, replacement),))
    if kept:
        change.require_kept()
    else:
        with pytest.raises(Refused, match="replace or remove what holds state: It"):
            change.require_kept()
