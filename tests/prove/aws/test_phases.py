"""Every allowed step of the rollout, forward and back, deployed into moto's CloudFormation."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
import yaml

from alchemiser_cli.stage.names import PHASES, SERVICES, STATEFUL
from deploy.iam import role_documents
from support.aws_stack import LocalAws, local_aws
from support.deployment import stack

KEPT = [name for name, item in stack(PHASES[0]).resources.items() if item["Type"] in STATEFUL]
WALK = (*PHASES, *reversed(PHASES[:-1]))


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with local_aws() as server:
        yield server


def alive(aws: LocalAws, service: str) -> dict[str, str] | None:
    """The environment behind the function's alias, or None if the function is not there."""
    functions = aws.client("lambda")
    try:
        found = functions.get_function_configuration(FunctionName=f"alchemiser-dev-{service}", Qualifier="live")
    except functions.exceptions.ResourceNotFoundException:
        return None
    variables: dict[str, str] = found["Environment"]["Variables"]
    return variables


def enabled(aws: LocalAws) -> set[str]:
    scheduler = aws.client("scheduler")
    listed = scheduler.list_schedules(GroupName="alchemiser-dev")["Schedules"]
    return {item["Name"] for item in listed if item.get("State", "ENABLED") == "ENABLED"}


def check(aws: LocalAws, phase: str) -> None:
    there = set(SERVICES) if phase not in {"monolith", "modular"} else {"monolith"}
    if phase == "modular":
        there = {"data", "strategy", "trading"}
    for service in SERVICES:
        environment = alive(aws, service)
        assert (environment is not None) == (service in there), (phase, service)
        if environment is None:
            continue
        assert environment["ALCHEMISER_AWS__PHASE"] == phase, service
        if service in {"monolith", "trading"}:
            plans = (service == "trading") == (phase in {"monolith", "staged", "shadow"})
            assert environment["ALCHEMISER_SHADOW"] == str(plans).lower(), (phase, service)
    running = {"shadow": {"monolith", "modular"}, "cutover": {"modular"}, "modular": {"modular"}}
    assert enabled(aws) == {"overdue", *running.get(phase, {"monolith"})}, phase
    sources = aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert len(sources) == (2 if phase in running else 0), phase
    for source in sources:
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert source["BatchSize"] == 1


def as_mapping(document: object) -> object:
    """moto gives a policy back as JSON or as Python writes it; both are YAML."""
    return yaml.safe_load(str(document))


def check_roles(aws: LocalAws, phase: str) -> None:
    """What the evaluator reads from the template is what arrives in IAM."""
    iam, ids = aws.client("iam"), aws.physical_ids()
    for role in stack(phase).of_type("AWS::IAM::Role"):
        (name,) = iam.list_role_policies(RoleName=ids[role])["PolicyNames"]
        deployed = iam.get_role_policy(RoleName=ids[role], PolicyName=name)["PolicyDocument"]
        (proven,) = role_documents(stack(phase), role)
        assert as_mapping(deployed) == proven, (phase, role)


def test_walking_all_phases_and_back_replaces_nothing_that_holds_state(aws: LocalAws) -> None:
    first: dict[str, str] = {}
    for phase in WALK:
        aws.deploy(stack(phase))
        check(aws, phase)
        check_roles(aws, phase)
        ids = aws.physical_ids()
        now = {name: ids[name] for name in KEPT}
        if not first:
            first = now
            aws.client("dynamodb").put_item(
                TableName="alchemiser-dev", Item={"pk": {"S": "RUN#1"}, "sk": {"S": "DATA"}, "body": {"S": "kept"}}
            )
            aws.client("s3").put_object(Bucket=ids["Bucket"], Key="snapshots/kept", Body=b"kept")
            aws.client("sqs").send_message(
                QueueUrl=ids["TradeDecisionDeadLetters"],
                MessageBody="kept",
                MessageGroupId="paper",
                MessageDeduplicationId="1",
            )
        assert now == first, phase
    item = aws.client("dynamodb").get_item(TableName="alchemiser-dev", Key={"pk": {"S": "RUN#1"}, "sk": {"S": "DATA"}})[
        "Item"
    ]
    assert item["body"]["S"] == "kept"
    assert aws.client("s3").get_object(Bucket=first["Bucket"], Key="snapshots/kept")["Body"].read() == b"kept"
    counted = aws.client("sqs").get_queue_attributes(
        QueueUrl=first["TradeDecisionDeadLetters"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert counted["Attributes"]["ApproximateNumberOfMessages"] == "1"


def test_the_walk_takes_neighbours_only() -> None:
    for here, there in pairwise(WALK):
        assert abs(PHASES.index(here) - PHASES.index(there)) == 1
