"""Calls to AWS as the requests that IAM decides about: from a client's parameters, or from CloudTrail's records.

Only the operations that this project's adapters use are known; another one is an error, so that a new call cannot slip
past the review.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.iam import Request
from deploy.template import TemplateError

_ROLE = re.compile(r"-(\w+Role)(?:-|$)")
"""A role's logical id in the name that CloudFormation gives it."""
_LEADING = "dynamodb:LeadingKeys"


@dataclass(frozen=True, slots=True)
class Call:
    """One call by one role."""

    role: str
    request: Request


def requests_of(
    service: str, operation: str, parameters: Mapping[str, Any], account: str, region: str
) -> list[Request]:
    """What IAM is asked for one call of a client. Raises TemplateError for an unknown operation."""
    known = _OPERATIONS.get((service, operation))
    if known is None:
        raise TemplateError(
            f"{service} {operation} is a call that this review does not know: add it to tools/deploy/calls.py"
        )
    where = f"{region}:{account}"
    return list(known(parameters, where))


def _get_item(call: Mapping[str, Any], where: str) -> Iterator[Request]:
    yield _state("GetItem", call, [call["Key"]["pk"]["S"]], where)


def _query(call: Mapping[str, Any], where: str) -> Iterator[Request]:
    yield _state("Query", call, [call["ExpressionAttributeValues"][":pk"]["S"]], where)


def _put_item(call: Mapping[str, Any], where: str) -> Iterator[Request]:
    yield _state("PutItem", call, [call["Item"]["pk"]["S"]], where)


def _transact(call: Mapping[str, Any], where: str) -> Iterator[Request]:
    """IAM decides about the items of a transaction one by one, as if each was put alone."""
    for item in call["TransactItems"]:
        (kind,) = item
        if kind != "Put":
            raise TemplateError(f"a transaction with {kind} is a call that this review does not know")
        yield from _put_item(item[kind], where)


def _state(action: str, call: Mapping[str, Any], partitions: Sequence[str], where: str) -> Request:
    return Request(f"dynamodb:{action}", f"arn:aws:dynamodb:{where}:table/{call['TableName']}", {_LEADING: partitions})


def _object(action: str) -> "_Reader":
    def read(call: Mapping[str, Any], _: str) -> Iterator[Request]:
        yield Request(f"s3:{action}", f"arn:aws:s3:::{call['Bucket']}/{call['Key']}")

    return read


def _list_bucket(call: Mapping[str, Any], _: str) -> Iterator[Request]:
    yield Request("s3:ListBucket", f"arn:aws:s3:::{call['Bucket']}")


def _queue(action: str) -> "_Reader":
    def read(call: Mapping[str, Any], where: str) -> Iterator[Request]:
        yield Request(f"sqs:{action}", f"arn:aws:sqs:{where}:{call['QueueUrl'].rpartition('/')[2]}")

    return read


def _secret(call: Mapping[str, Any], _: str) -> Iterator[Request]:
    yield Request("secretsmanager:GetSecretValue", call["SecretId"])


def _events(call: Mapping[str, Any], where: str) -> Iterator[Request]:
    for entry in call["Entries"]:
        yield Request("events:PutEvents", f"arn:aws:events:{where}:event-bus/{entry['EventBusName']}")


type _Reader = Callable[[Mapping[str, Any], str], Iterator[Request]]

_OPERATIONS: Mapping[tuple[str, str], _Reader] = {
    ("dynamodb", "GetItem"): _get_item,
    ("dynamodb", "Query"): _query,
    ("dynamodb", "PutItem"): _put_item,
    ("dynamodb", "TransactWriteItems"): _transact,
    ("s3", "GetObject"): _object("GetObject"),
    ("s3", "PutObject"): _object("PutObject"),
    ("s3", "ListObjectsV2"): _list_bucket,
    ("sqs", "SendMessage"): _queue("SendMessage"),
    ("sqs", "ReceiveMessage"): _queue("ReceiveMessage"),
    ("sqs", "DeleteMessage"): _queue("DeleteMessage"),
    ("secretsmanager", "GetSecretValue"): _secret,
    ("events", "PutEvents"): _events,
}


@dataclass(frozen=True, slots=True)
class Recording:
    """Calls, and the parameters of the stack they were made in."""

    parameters: Mapping[str, str]
    calls: Sequence[Call]


def write_recording(path: Path, recording: Recording) -> None:
    """Keep a recording in a file, for a later review."""
    rows = [
        {
            "role": call.role,
            "action": call.request.action,
            "resource": call.request.resource,
            "context": {name: list(values) for name, values in call.request.context.items()},
        }
        for call in recording.calls
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"parameters": recording.parameters, "calls": rows}, indent=1), encoding="utf-8")


def read_recording(path: Path) -> Recording:
    """What `write_recording` kept. Raises TemplateError if the file holds something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        calls = [Call(row["role"], Request(row["action"], row["resource"], row["context"])) for row in content["calls"]]
        return Recording(content["parameters"], calls)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TemplateError(f"{path} holds no recorded calls: {error}") from error


def read_cloudtrail(path: Path) -> list[Call]:
    """The calls of roles in a CloudTrail export ({"Records": […]}): actions and, where it tells them, resources.

    CloudTrail lists a transaction under its own name; IAM had decided about its puts. Raises TemplateError.
    """
    try:
        records = json.loads(path.read_text(encoding="utf-8"))["Records"]
        return [call for record in records if (call := _trail(record)) is not None]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TemplateError(f"{path} is no CloudTrail export: {error}") from error


# CloudTrail tells less than a client does: no partition keys, no object behind a list, and an S3 key only among the
# request's parameters. Its reviews therefore compare actions alone (deploy.review, by_action).
def _trail(record: Mapping[str, Any]) -> Call | None:
    issuer = record.get("userIdentity", {}).get("sessionContext", {}).get("sessionIssuer", {})
    if issuer.get("type") != "Role":
        return None
    service = record["eventSource"].removesuffix(".amazonaws.com")
    action = {"TransactWriteItems": "PutItem", "ListObjectsV2": "ListBucket"}.get(
        record["eventName"], record["eventName"]
    )
    arns = [item["ARN"] for item in record.get("resources", []) if "ARN" in item]
    if service == "s3" and "key" in (record.get("requestParameters") or {}):
        parameters = record["requestParameters"]
        arns = [f"arn:aws:s3:::{parameters['bucketName']}/{parameters['key']}"]
    role = _ROLE.search(issuer["userName"])
    if role is None:
        return None
    return Call(role[1], Request(f"{service}:{action}", arns[0] if arns else "", {}))
