"""The review of permissions reads CloudTrail's exports, and takes no call that it does not know."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.calls import Call, Recording, read_cloudtrail, read_recording, requests_of, write_recording
from deploy.iam import Request
from deploy.review import review
from deploy.template import TemplateError
from support.deployment import BROKER_SECRET, stack


def record(role: str, service: str, event: str, **extra: Any) -> dict[str, Any]:
    issuer = {"type": "Role", "userName": f"alchemiser-dev-{role}-1A2B3C"}
    return {
        "eventSource": f"{service}.amazonaws.com",
        "eventName": event,
        "userIdentity": {"sessionContext": {"sessionIssuer": issuer}},
        **extra,
    }


def test_an_export_shows_what_a_role_used_and_what_it_never_did(tmp_path: Path) -> None:
    key = {"bucketName": "b", "key": "reports/x"}
    records = [
        record("TradingRole", "secretsmanager", "GetSecretValue"),
        record("TradingRole", "dynamodb", "TransactWriteItems", resources=[{"ARN": "arn:table"}]),
        record("TradingRole", "s3", "PutObject", requestParameters=key),
        record("TradingRole", "dynamodb", "DeleteItem"),
        {"eventSource": "sts.amazonaws.com", "eventName": "AssumeRole", "userIdentity": {"type": "AWSService"}},
    ]
    export = tmp_path / "export.json"
    export.write_text(json.dumps({"Records": records}))
    calls = read_cloudtrail(export)
    assert {call.role for call in calls} == {"TradingRole"}
    found = review(stack("cutover"), "TradingRole", calls, by_action=True)
    assert [request.action for request in found.missing] == ["dynamodb:DeleteItem"]
    assert "TellHowRunsEnd: events:PutEvents" in found.unused
    assert "WriteAccount: dynamodb:PutItem" not in found.unused


def test_a_recording_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    kept = Recording({"Stage": "dev"}, [Call("DataRole", Request("dynamodb:GetItem", "arn", {"k": ["v"]}))])
    write_recording(tmp_path / "folder" / "calls.json", kept)
    assert read_recording(tmp_path / "folder" / "calls.json") == kept


@pytest.mark.parametrize("reader", [read_cloudtrail, read_recording])
def test_a_file_of_something_else_is_named(tmp_path: Path, reader: Any) -> None:
    (tmp_path / "x.json").write_text("[1]")
    with pytest.raises(TemplateError, match=r"x\.json"):
        reader(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [("dynamodb", "Scan", {}), ("dynamodb", "TransactWriteItems", {"TransactItems": [{"Delete": {}}]})],
)
def test_an_unknown_call_is_an_error(service: str, operation: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(TemplateError, match="does not know"):
        requests_of(service, operation, parameters, "1", "us-east-1")


def test_a_secret_is_asked_for_by_its_own_name() -> None:
    (request,) = requests_of("secretsmanager", "GetSecretValue", {"SecretId": BROKER_SECRET}, "1", "us-east-1")
    assert request == Request("secretsmanager:GetSecretValue", BROKER_SECRET)
