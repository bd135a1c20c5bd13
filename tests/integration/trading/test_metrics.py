"""What is counted of a run is read from its report, wherever in the run it happened."""

import io
import json

import pytest

from alchemiser_common import keys
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport
from alchemiser_common.messages.wire import encode
from alchemiser_common.metrics import Metric, Metrics
from alchemiser_common.ports.state import load, put_over
from alchemiser_common.records.authority import Authority
from alchemiser_trading.handler import TradingFunction
from support.faulty_ports import FaultyBroker, Killed, killing_after
from support.trading_rig import QUARTER_HOUR, Rig
from support.trading_runs import SWITCH, assert_no_open_orders


def counted(rig: Rig, decision: TradeDecision) -> float:
    """Deliver to the function with its metrics; what it counts of authority."""
    out = io.StringIO()
    function = TradingFunction(rig.service(), Metrics("dev", rig.clock, out))
    function.handle({"Records": [{"messageId": "1", "body": encode(decision)}]}, lambda: QUARTER_HOUR)
    (line,) = [json.loads(line) for line in out.getvalue().splitlines()]
    return float(line[Metric.AUTHORITY_MISMATCH])


def reported(rig: Rig, decision: TradeDecision) -> ExecutionReport:
    known = load(rig.state, keys.report_record(decision.run_id), ExecutionReport)
    assert known is not None
    return known.value


def given_to(rig: Rig, pipeline: Pipeline, epoch: int) -> None:
    """Authority as a person writes it past the command, which would wait for the run's end."""
    key = keys.authority_record("bench")
    record = Authority(pipeline=pipeline, epoch=epoch, set_by="ops", reason="by hand", set_at=rig.clock.now())
    rig.state.write(put_over(load(rig.state, key, Authority), key, record))


@pytest.mark.parametrize("pipeline", list(Pipeline))
def test_authority_that_changes_in_the_middle_of_a_run_raises_the_alarm(rig: Rig, pipeline: Pipeline) -> None:
    """Given to the other pipeline, or away and back to this one: the epoch is not the one the plan was frozen under."""
    decision = rig.decision(SWITCH)
    with pytest.raises(Killed):
        rig.trade(decision, broker=FaultyBroker(rig.broker, killing_after("submit sell CCC")))
    given_to(rig, pipeline, epoch=3)
    rig.clock.sleep(rig.settings.execution.lease_seconds + 1)
    assert counted(rig, decision) == 1.0
    assert reported(rig, decision).error == "NotAuthorised"
    assert_no_open_orders(rig)


def test_authority_of_another_pipeline_before_the_run_raises_it_too(rig: Rig) -> None:
    given_to(rig, Pipeline.MONOLITH, epoch=2)
    decision = rig.decision(SWITCH)
    assert counted(rig, decision) == 1.0
    assert reported(rig, decision).error == "NotAuthorised"
    assert rig.orders() == []


def test_a_run_that_only_speaks_of_it_does_not(rig: Rig) -> None:
    decision = rig.decision(SWITCH, account_id="NotAuthorised")
    assert counted(rig, decision) == 0.0
    assert "NotAuthorised" in reported(rig, decision).reason
    assert reported(rig, decision).error == "WrongAccount"
