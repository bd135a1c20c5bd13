"""Captured cases put to the real functions, as `alchemiser invoke` does: the same answers, and nothing comes of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from alchemiser_cli.cases.case import Case
from alchemiser_cli.stage.case_check import CHECKS, Answered
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.lambda_events import sqs_event
from alchemiser_common.messages.bars import DailyBars
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.wire import decode, encode
from alchemiser_common.ports.queue import Delivery
from alchemiser_common.probes import Probe
from alchemiser_simulator.control.control import SimulatorControl
from alchemiser_simulator.market.changes import SkippedBars
from support.aws import Aws, moto_client
from support.cases import captured
from support.functions import Deployment, QuarterHour, deployment
from support.write_cases import TECL_READS


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


def asked(deployed: Deployment, service: str, case: Case | str) -> Answered:
    return CHECKS[service](Function(service, deployed), captured(case) if isinstance(case, str) else case)


@pytest.fixture(autouse=True)
def nothing_comes_of_it(deployed: Deployment) -> Iterator[None]:
    """No record, no object in the archive, no message, no event, no order: all that there is, is what there was."""
    before = left_behind(deployed)
    yield
    assert left_behind(deployed) == before
    assert before[-2:] == ([True, True], [])


def left_behind(deployed: Deployment) -> tuple[object, ...]:
    """Records, keys of the archive, whether each queue is empty, orders at the exchange."""
    own, url = deployed.variables, deployed.variables["ALCHEMISER_AWS__ENDPOINT_URL"]
    counts = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
    messages = [
        moto_client("sqs", url).get_queue_attributes(
            QueueUrl=own[f"ALCHEMISER_AWS__{queue}_QUEUE"], AttributeNames=counts
        )["Attributes"]
        for queue in ("MARKET_DATA", "TRADE_DECISION")
    ]
    with SimulatorControl(own["ALCHEMISER_BROKER__TRADING_URL"]) as control:
        orders = list(control.state().orders)
    records = moto_client("dynamodb", url).scan(TableName=own["ALCHEMISER_AWS__TABLE"])["Items"]
    return (
        records,
        deployed.adapters.archive().keys(""),
        [dict.fromkeys(counts, "0") == one for one in messages],
        orders,
    )


@pytest.mark.parametrize("service", list(CHECKS))
def test_a_function_answers_as_recorded(deployed: Deployment, service: str) -> None:
    answered = asked(deployed, service, "partial-fills")
    assert answered.differences == ()
    assert answered.recorded == answered.answered
    assert len(answered.recorded) > 0


LOSSES: dict[str, tuple[date, tuple[str, ...], str, str]] = {
    "gap-carried": (date(2020, 1, 15), ("XLK",), "bars XLK carried: 2020-01-15 then, nothing now", "XLK: "),
    "unknown-aborts": (
        date(2020, 1, 31),
        ("XLK",),
        "bars XLK left out: same last session: ",
        "XLK: same last session, ",
    ),
    "bars-rejected": (date(2020, 1, 15), TECL_READS, "only then: no snapshot: no symbol has a bar of", "no snapshot: "),
}
"""Case: the bars that the feed had lost, what differs once it has them again, and a word of what was recorded."""


@pytest.mark.parametrize("name", LOSSES)
def test_bars_that_were_lost_or_rejected_are_so_again_from_such_a_feed_and_differ_from_a_whole_one(
    aws: Aws, deployed: Deployment, name: str
) -> None:
    day, symbols, differs, recorded = LOSSES[name]
    with (
        deployment(aws) as lossy,
        SimulatorControl(lossy.variables["ALCHEMISER_BROKER__TRADING_URL"]) as control,
    ):
        for symbol in symbols:
            control.change_market(SkippedBars(symbol=symbol, days=(day,)))
        again = asked(lossy, "data", name)
    assert again.differences == ()
    assert again.recorded == again.answered
    assert any(line.startswith(recorded) for line in again.recorded), again.recorded
    whole = asked(deployed, "data", name)
    assert any(line.startswith(differs) for line in whole.differences), whole.differences
    assert whole.recorded == again.recorded


def test_a_provisional_bar_is_not_read_again_and_that_is_said(deployed: Deployment) -> None:
    answered = asked(deployed, "data", "provisional-bar")
    assert "bar policy: provisional then, completed now" in answered.differences
    assert "last bar: 2020-02-03 then, 2020-01-31 now" in answered.differences
    for service in ("strategy", "trading"):
        assert asked(deployed, service, "provisional-bar").differences == ()


def test_a_day_without_session_is_one_again(deployed: Deployment) -> None:
    answered = asked(deployed, "data", "holiday")
    assert answered.answered == ("no snapshot: 2020-02-17 is not a trading day",)
    assert answered.differences == ()


def test_a_history_that_was_adjusted_since_is_named_with_its_ratio(deployed: Deployment) -> None:
    answered = asked(deployed, "data", "calm-bull")
    assert answered.differences == ("bars SOXL 2017-03-28 to 2017-10-18: 143 closes: 1 then, times 0.333333 now",)
    assert "adjusted for every dividend and split since" in answered.note


def test_one_price_that_changed_is_named(deployed: Deployment) -> None:
    case = captured("partial-fills")
    assert case.snapshot is not None
    closes = case.snapshot.bars.closes.copy()
    closes[-1, case.snapshot.bars.symbols.index("TECL")] *= 1.0001
    bars = DailyBars.from_closes(case.snapshot.bars.dates, case.snapshot.bars.symbols, closes)
    snapshot = case.snapshot.model_copy(update={"bars": bars})
    (line,) = asked(deployed, "data", case.model_copy(update={"snapshot": snapshot})).differences
    assert line.startswith("bars TECL 2020-01-31 close: ")
    assert line.endswith(" now")


def test_other_strategies_and_another_account_decide_and_plan_otherwise(deployed: Deployment) -> None:
    other = asked(deployed, "strategy", "split-day")
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
    answered = asked(deployed, "strategy", "unknown-aborts")
    assert answered.differences == ()
    assert answered.answered[0].startswith("no decision: ")


def test_what_a_case_has_not_is_said(deployed: Deployment) -> None:
    with pytest.raises(InvalidSettings, match="the case has no plan to compare with: TradingHalted"):
        asked(deployed, "trading", "halted")
    with pytest.raises(InvalidSettings, match="the case has no snapshot to decide on: no symbol has a bar of"):
        asked(deployed, "strategy", "bars-rejected")
    case = captured("holiday")
    own = case.about.settings.model_copy(
        update={"strategies": case.about.settings.strategies.model_copy(update={"allocations": {"mine": 1.0}})}
    )
    with pytest.raises(InvalidSettings, match=r"does not say what was read for strategies that do not ship.*mine"):
        asked(deployed, "data", case.model_copy(update={"about": case.about.model_copy(update={"settings": own})}))
    answer = Function("data", deployed).invoke({"probe": "snapshot", "session": "moon"})
    assert "session of probe 'snapshot' is 'moon'" in json.loads(answer)["reason"]


@pytest.mark.parametrize("service", ["strategy", "trading"])
@pytest.mark.parametrize("probe", list(Probe))
def test_no_queued_message_can_ask_for_a_dry_run(deployed: Deployment, service: str, probe: Probe) -> None:
    """Whatever it says of itself is taken as the message it should be, and comes back to the queue as none."""
    case = captured("partial-fills")
    assert case.decision is not None
    inside: dict[str, object] = {"probe": probe, "decision": encode(case.decision), "snapshot": "{}"}
    delivery = Delivery("1", "1", json.dumps(inside), "demo", datetime(2020, 2, 3, tzinfo=UTC), 1)
    event = sqs_event(delivery, "arn:aws:sqs:us-east-1:000000000000:queue.fifo", [("probe", probe.value)])
    answer = deployed.entry(service)(event, QuarterHour())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_a_message_that_says_it_is_a_probe_is_worked_on_as_the_message_that_it_is(aws: Aws) -> None:
    """A later version's message may have fields of any name: this one's name changes nothing."""
    case = captured("partial-fills")
    assert case.snapshot is not None
    body = {**json.loads(encode(case.snapshot)), "schema_version": "1.99", "probe": Probe.DECISION}
    with deployment(aws) as own:
        queue = own.adapters.trade_decision_queue()
        delivery = Delivery("1", "1", json.dumps(body), "captured", datetime(2020, 2, 3, tzinfo=UTC), 1)
        event = sqs_event(delivery, "arn:aws:sqs:us-east-1:000000000000:queue.fifo")
        assert own.entry("strategy")(event, QuarterHour()) == {"batchItemFailures": []}
        (sent,) = queue.receive()
    assert decode(sent.body, TradeDecision).run_id == case.about.run_id
