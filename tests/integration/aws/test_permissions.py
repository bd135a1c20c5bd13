"""Each role against the calls that its service really makes: nothing used is missing, nothing granted is unused."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alchemiser_common import keys
from alchemiser_common.ids import Pipeline
from alchemiser_common.lambda_events import Event
from alchemiser_common.messages.reference import SnapshotReference
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import decode, encode
from deploy.calls import Call, Recording, write_recording
from deploy.expand import properties
from deploy.iam import Request
from deploy.review import review
from deploy.template import mapping
from support.aws_stack import LocalAws, local_aws
from support.deployed import Deployed, deployed, exchange
from support.deployment import stack

ALLOCATIONS = {"tecl": 1.0}
TRADING = "arn:aws:lambda:us-east-1:123456789012:function:alchemiser-dev-trading:live"
KEY = json.dumps({"key_id": "PKSIMULATED", "secret_key": "not-a-secret"})


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
    with local_aws() as server:
        yield server


@pytest.fixture(scope="module")
def parameters(aws: LocalAws) -> dict[str, str]:
    """A real secret for each pipeline, and the strategies."""
    create = aws.client("secretsmanager").create_secret
    return {
        "BrokerSecretArn": create(Name="alchemiser/dev/alpaca", SecretString=KEY)["ARN"],
        "ShadowSecretArn": create(Name="alchemiser/dev/shadow", SecretString=KEY)["ARN"],
        "StrategyAllocations": json.dumps(ALLOCATIONS),
    }


def run_modular(system: Deployed) -> None:
    """A cycle with every message twice, as at-least-once delivery allows, and its entry in the list of runs lost."""
    system.forget_corporate_actions()
    for _ in range(2):
        assert system.invoke("data", system.trigger())["status"] == "published"
    system.lose_run_entry()
    snapshot = system.delivery("MarketDataQueue")
    system.invoke("strategy", by_reference(system, snapshot))
    for _ in range(2):
        assert system.invoke("strategy", snapshot) == {"batchItemFailures": []}
    decision = system.delivery("TradeDecisionQueue")
    for _ in range(2):
        assert system.invoke("trading", decision) == {"batchItemFailures": []}
    if mapping(properties(system.stack.resources["OverdueWatch"])["Target"], "Target")["Arn"] == TRADING:
        system.invoke("trading", {"watch": "overdue"})


def by_reference(system: Deployed, event: Event) -> Event:
    """The same delivery as if the snapshot had been too large for the queue."""
    records: Any = event["Records"]
    (record,) = records
    snapshot = decode(record["body"], MarketSnapshot)
    key = keys.snapshot_object(snapshot.session.day, snapshot.run_id, snapshot.content_hash())
    body = encode(SnapshotReference.to(snapshot, key, record["body"].encode()))
    return {"Records": [{**record, "body": body}]}


def run_monolith(system: Deployed) -> str:
    """A cycle, twice, and the watch; the status of the first."""
    system.forget_corporate_actions()
    status = system.invoke("monolith", system.trigger())["status"]
    system.invoke("monolith", system.trigger())
    if status == "completed":
        assert system.invoke("monolith", {"watch": "overdue"})["ended"] is None
    return str(status)


def check(system: Deployed, *roles: str) -> None:
    for role in roles:
        result = review(system.stack, role, system.calls)
        assert result.calls > 0, role
        assert result.missing == (), f"{role} makes calls that its policy refuses: {result.missing}"
        assert result.unused == (), f"{role} has grants that nothing uses"


MODULAR = ("DataRole", "StrategyRole", "TradingRole")


@pytest.mark.timeout(600)  # four phases deployed, a session traded in each
def test_each_role_is_exactly_what_its_service_uses(aws: LocalAws, parameters: dict[str, str]) -> None:
    """Walks the phases in order, on one stack, as a rollout does; each phase decides on a session of its own."""
    with exchange(4) as at:
        system = deployed(aws, stack("monolith", **parameters), at, 0)
        system.give_authority(Pipeline.MONOLITH)
        assert run_monolith(system) == "completed"
        check(system, "MonolithRole")
        aws.deploy(stack("staged", **parameters))
        system = deployed(aws, stack("shadow", **parameters), at, 1)
        assert run_monolith(system) == "completed"
        run_modular(system)
        check(system, "MonolithRole", *MODULAR)
        system = deployed(aws, stack("cutover", **parameters), at, 2)
        system.give_authority(Pipeline.MODULAR)
        run_modular(system)
        assert run_monolith(system) == "shadowed"
        check(system, "MonolithRole", *MODULAR)
        calls, recorded = system.calls, dict(system.stack.parameters)
        system = deployed(aws, stack("modular", **parameters), at, 3)
        run_modular(system)
        check(system, *MODULAR)
    if path := os.environ.get("ALCHEMISER_AWS_CALLS"):  # for `make iam-review`
        write_recording(Path(path), Recording(recorded, calls))


def test_a_policy_that_lacks_a_grant_or_has_one_too_many_is_found(aws: LocalAws, parameters: dict[str, str]) -> None:
    """The review itself can fail: the roles of one phase do not fit the calls of another."""
    aws.deploy(stack("monolith", **parameters))
    cutover, shadow = stack("cutover", **parameters), stack("shadow", **parameters)
    key = Request("secretsmanager:GetSecretValue", parameters["BrokerSecretArn"])
    calls = [Call("TradingRole", key)]
    assert review(cutover, "TradingRole", calls).missing == ()
    assert review(shadow, "TradingRole", calls).missing == (key,)
    assert "WriteAccount: dynamodb:PutItem" in review(cutover, "TradingRole", calls).unused
