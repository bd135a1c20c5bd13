"""Per role, what it must not be able to do in each phase, beside what it needs: evaluated against its own policy."""

import json
import re

import pytest

from alchemiser_cli.stage.names import PHASES
from alchemiser_common import keys
from deploy.iam import Effect, Request, role_documents, role_policy
from deploy.template import mapping, sequence
from support.deployment import BROKER_SECRET, SHADOW_SECRET, stack

REGION = "us-east-1:123456789012"
TABLE = f"arn:aws:dynamodb:{REGION}:table/alchemiser-dev"
BUCKET = "arn:aws:s3:::alchemiser-dev-123456789012-us-east-1"
MARKET_DATA = f"arn:aws:sqs:{REGION}:alchemiser-dev-market-data.fifo"
DECISIONS = f"arn:aws:sqs:{REGION}:alchemiser-dev-trade-decision.fifo"
BUS = f"arn:aws:events:{REGION}:event-bus/alchemiser-dev"
RUN = "RUN#6f1c1f5e-5d0b-5b52-9d43-8f0a4a3c7e11"
ACCOUNT = keys.account_partition("paper")


def state(action: str, *partitions: str) -> Request:
    return Request(f"dynamodb:{action}", TABLE, {"dynamodb:LeadingKeys": partitions} if partitions else {})


SEND_SNAPSHOT = Request("sqs:SendMessage", MARKET_DATA)
SEND_DECISION = Request("sqs:SendMessage", DECISIONS)
TAKE_SNAPSHOT = Request("sqs:ReceiveMessage", MARKET_DATA)
TAKE_DECISION = Request("sqs:ReceiveMessage", DECISIONS)
TRADING_KEY = Request("secretsmanager:GetSecretValue", BROKER_SECRET)
SHADOW_KEY = Request("secretsmanager:GetSecretValue", SHADOW_SECRET)
OTHER_SECRET = Request("secretsmanager:GetSecretValue", BROKER_SECRET.replace("alpaca", "other"))
PUT_SNAPSHOT = Request("s3:PutObject", f"{BUCKET}/snapshots/2026-11-25/x.json")
PUT_REPORT = Request("s3:PutObject", f"{BUCKET}/reports/2026-11-25/x.json")
PUT_ACTIONS = Request("s3:PutObject", f"{BUCKET}/corporate-actions/x.json")
READ_ACTIONS = Request("s3:GetObject", f"{BUCKET}/corporate-actions/x.json")
READ_REPORT = Request("s3:GetObject", f"{BUCKET}/reports/2026-11-25/x.json")
READ_SNAPSHOT = Request("s3:GetObject", f"{BUCKET}/snapshots/2026-11-25/x.json")
PUT_ELSEWHERE = Request("s3:PutObject", f"{BUCKET}/other/x.json")
TELL = Request("events:PutEvents", BUS)
READ_RUN, WRITE_RUN = state("GetItem", RUN), state("PutItem", RUN)
LIST_RUN = state("PutItem", keys.runs_partition("paper"))
READ_TARGETS = READ_BOOKS = state("Query", ACCOUNT)
TAKE_LEASE = state("PutItem", ACCOUNT)
READ_ACCOUNT = state("GetItem", ACCOUNT)
READ_STEPS = state("Query", RUN)
READ_UNIVERSE = state("GetItem", keys.universe_record("paper").partition)
WRITE_EQUITY = state("PutItem", keys.equity_partition("paper"))
READ_EQUITY = state("Query", keys.equity_partition("paper"))

NOBODY_MAY = [
    OTHER_SECRET,
    PUT_ELSEWHERE,
    Request("s3:DeleteObject", f"{BUCKET}/snapshots/x"),
    Request("s3:DeleteObjectVersion", f"{BUCKET}/reports/x"),
    Request("s3:PutObject", "arn:aws:s3:::another-bucket/snapshots/x"),
    state("Scan"),
    state("DeleteItem", RUN),
    state("GetItem"),
    state("PutItem", RUN, "ACCOUNT#other"),
    state("PutItem", keys.account_partition("other")),
    state("GetItem", keys.account_partition("paper2")),
    state("PutItem", keys.audit_partition("paper")),
    state("PutItem", keys.universe_record("paper").partition),
    state("UpdateItem", keys.universe_record("paper").partition),
    state("GetItem", keys.universe_record("other").partition),
    Request("dynamodb:DeleteTable", TABLE),
    Request("sqs:PurgeQueue", MARKET_DATA),
    Request("sqs:PurgeQueue", DECISIONS),
    Request("sqs:ReceiveMessage", f"arn:aws:sqs:{REGION}:alchemiser-dev-trade-decision-dead.fifo"),
    Request("events:PutEvents", f"arn:aws:events:{REGION}:event-bus/default"),
    Request("lambda:UpdateFunctionCode", f"arn:aws:lambda:{REGION}:function:alchemiser-dev-trading"),
    Request("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:function:alchemiser-dev-trading"),
    Request("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:function:alchemiser-prod-trading:live"),
    Request("iam:PassRole", "arn:aws:iam::123456789012:role/alchemiser-dev-TradingRole"),
    Request("logs:CreateLogGroup", f"arn:aws:logs:{REGION}:log-group:/aws/lambda/alchemiser-dev-data:*"),
    Request("logs:PutLogEvents", f"arn:aws:logs:{REGION}:log-group:/aws/lambda/other:log-stream:x"),
    Request("secretsmanager:PutSecretValue", BROKER_SECRET),
]

SHADOW_ONLY, TRADES = ("staged", "shadow"), ("cutover", "modular")
MONOLITH_TRADES = ("monolith", "staged", "shadow")

MATRIX: list[tuple[str, tuple[str, ...], list[Request], list[Request]]] = [
    (
        "StrategyRole",
        (*SHADOW_ONLY, *TRADES),
        [TAKE_SNAPSHOT, SEND_DECISION, READ_SNAPSHOT],
        [
            TRADING_KEY, SHADOW_KEY, TAKE_DECISION, SEND_SNAPSHOT, READ_RUN, WRITE_RUN, READ_ACCOUNT, TAKE_LEASE,
            READ_UNIVERSE, PUT_SNAPSHOT, READ_REPORT, PUT_REPORT, READ_ACTIONS, PUT_ACTIONS, TELL,
        ],
    ),
    (
        "DataRole",
        TRADES,
        [
            TRADING_KEY, SEND_SNAPSHOT, READ_RUN, READ_UNIVERSE, WRITE_RUN, LIST_RUN, READ_TARGETS, PUT_SNAPSHOT,
            READ_SNAPSHOT, PUT_ACTIONS, READ_ACTIONS,
        ],
        [
            SHADOW_KEY, SEND_DECISION, TAKE_SNAPSHOT, TAKE_DECISION, TAKE_LEASE, READ_ACCOUNT, WRITE_EQUITY, PUT_REPORT,
            TELL,
        ],
    ),
    (
        "DataRole",
        SHADOW_ONLY,
        [SHADOW_KEY, SEND_SNAPSHOT, READ_UNIVERSE, WRITE_RUN, PUT_SNAPSHOT, PUT_ACTIONS, READ_ACTIONS],
        [TRADING_KEY, SEND_DECISION, TAKE_LEASE, PUT_REPORT],
    ),
    (
        "TradingRole",
        TRADES,
        [TRADING_KEY, TAKE_DECISION, READ_RUN, WRITE_RUN, READ_ACCOUNT, TAKE_LEASE, WRITE_EQUITY, PUT_REPORT, TELL],
        [
            SHADOW_KEY, SEND_DECISION, SEND_SNAPSHOT, TAKE_SNAPSHOT, PUT_SNAPSHOT, READ_SNAPSHOT, READ_UNIVERSE,
            READ_ACTIONS,
        ],
    ),
    (
        "TradingRole",
        SHADOW_ONLY,
        [SHADOW_KEY, TAKE_DECISION, READ_RUN, READ_STEPS, WRITE_RUN, READ_BOOKS, READ_ACCOUNT, PUT_REPORT, TELL],
        [
            TRADING_KEY, TAKE_LEASE, READ_EQUITY, WRITE_EQUITY, SEND_DECISION, SEND_SNAPSHOT,
            TAKE_SNAPSHOT, PUT_SNAPSHOT,
        ],
    ),
    (
        "MonolithRole",
        MONOLITH_TRADES,
        [
            TRADING_KEY, WRITE_RUN, LIST_RUN, READ_ACCOUNT, TAKE_LEASE, WRITE_EQUITY, PUT_SNAPSHOT, PUT_REPORT, TELL,
            PUT_ACTIONS, READ_ACTIONS,
        ],
        [READ_UNIVERSE, SHADOW_KEY, SEND_SNAPSHOT, SEND_DECISION, TAKE_SNAPSHOT, TAKE_DECISION],
    ),
    (
        "MonolithRole",
        ("cutover",),
        [SHADOW_KEY, READ_RUN, READ_STEPS, WRITE_RUN, READ_TARGETS, READ_ACCOUNT, PUT_SNAPSHOT, PUT_REPORT],
        [TRADING_KEY, TAKE_LEASE, READ_EQUITY, WRITE_EQUITY, SEND_DECISION, TAKE_DECISION],
    ),
    (
        "SchedulerRole",
        PHASES,
        [Request("sqs:SendMessage", f"arn:aws:sqs:{REGION}:alchemiser-dev-trigger-dead")],
        [TRADING_KEY, SHADOW_KEY, SEND_SNAPSHOT, SEND_DECISION, READ_RUN, WRITE_RUN, PUT_SNAPSHOT, TELL],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("role", "phase", "needs", "must_not"),
    [(role, phase, needs, must_not) for role, phases, needs, must_not in MATRIX for phase in phases],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_role_may_do_its_work_and_nothing_of_the_others(
    role: str, phase: str, needs: list[Request], must_not: list[Request]
) -> None:
    policy = role_policy(stack(phase), role)
    assert [request for request in needs if not policy.allows(request)] == []
    assert [request for request in must_not if policy.allows(request)] == []


@pytest.mark.parametrize("phase", PHASES)
def test_what_nobody_may(phase: str) -> None:
    found = stack(phase)
    roles = found.of_type("AWS::IAM::Role")
    assert len(roles) == {"monolith": 2, "modular": 4}.get(phase, 5)
    for role in roles:
        policy = role_policy(found, role)
        assert [request for request in NOBODY_MAY if policy.allows(request)] == [], role


@pytest.mark.parametrize("phase", PHASES)
def test_the_scheduler_invokes_only_what_the_phase_has_and_only_through_the_alias(phase: str) -> None:
    found = stack(phase)
    policy = role_policy(found, "SchedulerRole")
    for service, wanted in (("monolith", "Monolith"), ("data", "Data"), ("trading", "Trading")):
        function = f"arn:aws:lambda:{REGION}:function:alchemiser-dev-{service}"
        there = f"{wanted}Function" in found.resources
        assert policy.allows(Request("lambda:InvokeFunction", f"{function}:live")) is there, service
        assert not policy.allows(Request("lambda:InvokeFunction", f"{function}:7"))


@pytest.mark.parametrize("phase", PHASES)
def test_no_statement_has_a_wildcard_beyond_its_own_prefix(phase: str) -> None:
    found = stack(phase)
    for role in found.of_type("AWS::IAM::Role"):
        for statement in role_policy(found, role).statements:
            assert statement.effect is Effect.ALLOW
            for resource in statement.resources:
                owned = re.sub(r"(:|/snapshots/|/reports/|/corporate-actions/)\*$", "", resource)
                assert "*" not in owned, (role, statement.sid)
                assert "alchemiser" in owned, (role, statement.sid)


@pytest.mark.parametrize("phase", PHASES)
def test_only_its_service_may_take_a_role_and_the_scheduler_only_for_this_stage(phase: str) -> None:
    for name, role in stack(phase).of_type("AWS::IAM::Role").items():
        document = mapping(role["AssumeRolePolicyDocument"], name)
        (statement,) = (mapping(item, name) for item in sequence(document["Statement"], name))
        service = "scheduler" if name == "SchedulerRole" else "lambda"
        assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}
        if name == "SchedulerRole":
            group = f"arn:aws:scheduler:{REGION}:schedule-group/alchemiser-dev"
            wanted = {"aws:SourceAccount": "123456789012", "aws:SourceArn": group}
            assert statement["Condition"] == {"StringEquals": wanted}


def test_a_role_fits_into_the_size_that_iam_takes() -> None:
    for phase in PHASES:
        for role in stack(phase).of_type("AWS::IAM::Role"):
            size = sum(
                len(json.dumps(document, separators=(",", ":"))) for document in role_documents(stack(phase), role)
            )
            assert size < 10_240, (phase, role)
