"""Captured cases put to the real functions, as `alchemiser invoke` does: the same answers, and nothing comes of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from alchemiser_cli.cases.case import Case
from alchemiser_cli.stage.case_check import CHECKS, Answered
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.lambda_events import sqs_event
from alchemiser_common.ports.queue import Delivery
from support.aws import Aws, moto_client
from support.cases import captured
from support.functions import Deployment, QuarterHour, deployment


@dataclass(frozen=True)
class Function:
    """One of the functions, in this process."""

    name: str
    deployed: Deployment

    def invoke(self, event: Mapping[str, object]) -> bytes:
        return json.dumps(self.deployed.entry(self.name)(event, QuarterHour())).encode()


@pytest.fixture(scope="module")
def deployed(aws: Aws) -> Iterator[Deployment]:
    """A stage that trades `tecl`, on the day of the cases below."""
    with deployment(aws) as made:
        yield made


def asked(deployed: Deployment, service: str, case: Case) -> Answered:
    return CHECKS[service](Function(service, deployed), case)


def left_behind(deployed: Deployment) -> object:
    table, url = deployed.variables["ALCHEMISER_AWS__TABLE"], deployed.variables["ALCHEMISER_AWS__ENDPOINT_URL"]
    adapters = deployed.adapters
    queues = (adapters.market_data_queue().receive(), adapters.trade_decision_queue().receive())
    return moto_client("dynamodb", url).scan(TableName=table)["Items"], adapters.archive().keys(""), queues


@pytest.mark.parametrize("service", list(CHECKS))
def test_a_function_answers_as_recorded_and_leaves_nothing_behind(deployed: Deployment, service: str) -> None:
    before = left_behind(deployed)
    answered = asked(deployed, service, captured("partial-fills"))
    assert answered.differences == ()
    assert answered.recorded == answered.answered
    assert len(answered.recorded) > 0
    assert left_behind(deployed) == before


def test_what_differs_is_named(deployed: Deployment) -> None:
    bars = asked(deployed, "data", captured("gap-carried"))
    (line,) = bars.differences
    assert line.startswith("XLK: 1 of ")
    assert "on 2020-01-15 " in line
    other = asked(deployed, "strategy", captured("split-day"))
    assert other.differences == ("one decided, the other one did not",)
    assert "also need" in other.answered[0]
    case = captured("partial-fills")
    assert case.plan is not None
    richer = case.plan.account.model_copy(update={"equity": case.plan.account.equity * 2})
    plan = asked(
        deployed, "trading", case.model_copy(update={"plan": case.plan.model_copy(update={"account": richer})})
    )
    assert any(line.startswith("only now: buy ") for line in plan.differences), plan.differences


def test_a_failure_that_was_recorded_is_the_same_failure(deployed: Deployment) -> None:
    answered = asked(deployed, "strategy", captured("unknown-aborts"))
    assert answered.differences == ()
    assert answered.answered[0].startswith("no decision: ")


def test_what_a_case_has_not_is_said(deployed: Deployment) -> None:
    with pytest.raises(InvalidSettings, match="the case has no plan to compare with: TradingHalted"):
        asked(deployed, "trading", captured("halted"))
    with pytest.raises(InvalidSettings, match="2020-02-17 is not a trading day"):
        asked(deployed, "data", captured("holiday"))
    answer = Function("data", deployed).invoke({"probe": "snapshot", "session": "moon"})
    assert "session of probe 'snapshot' is 'moon'" in json.loads(answer)["reason"]


@pytest.mark.parametrize("service", ["strategy", "trading"])
def test_no_queued_message_can_ask_for_a_dry_run(deployed: Deployment, service: str) -> None:
    body = json.dumps({"probe": "plan" if service == "trading" else "decision"})
    delivery = Delivery("1", "1", body, "demo", datetime(2020, 2, 3, tzinfo=UTC), 1)
    event = sqs_event(delivery, "arn:aws:sqs:us-east-1:000000000000:queue.fifo")
    answer = deployed.entry(service)(event, QuarterHour())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
