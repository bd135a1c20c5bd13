"""A run that breaks its latency budget says so in its report, and the function counts what the report says."""

import io
import json
from datetime import timedelta

import pytest

from alchemiser_common import keys
from alchemiser_common.messages.base import Stage, StageTime
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.messages.wire import encode
from alchemiser_common.metrics import Metric, Metrics
from alchemiser_common.ports.state import load, load_all
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.trading_state import TradingState
from alchemiser_trading.account.trading_state import set_trading_state
from alchemiser_trading.handler import TradingFunction
from support.faulty_ports import FaultyBroker, Killed, killing_after
from support.trading_rig import QUARTER_HOUR, SCHEDULED, Rig
from support.trading_runs import SWITCH


def handle(rig: Rig, decision: TradeDecision, **changes: object) -> tuple[ExecutionReport, dict[str, float]]:
    """Deliver a decision to the function; the report that it stored, and the one line of metrics that it wrote."""
    out = io.StringIO()
    settings = rig.settings.model_copy(update=changes)
    function = TradingFunction(rig.service(settings=settings), Metrics("dev", rig.clock, out))
    function.handle({"Records": [{"messageId": "1", "body": encode(decision)}]}, lambda: QUARTER_HOUR)
    known = load(rig.state, keys.report_record(decision.run_id), ExecutionReport)
    assert known is not None
    (line,) = [json.loads(line) for line in out.getvalue().splitlines()]
    return known.value, line


def decided_after(rig: Rig, seconds: float) -> TradeDecision:
    """A decision that took so long, and comes then."""
    done = SCHEDULED + timedelta(seconds=seconds)
    times = (
        StageTime(stage=Stage.DATA, started=SCHEDULED, finished=done),
        StageTime(stage=Stage.STRATEGY, started=done, finished=done),
    )
    decision = rig.decision(SWITCH, trace=times)
    rig.clock.move_to(done)
    return decision


def last_order(rig: Rig, decision: TradeDecision) -> float:
    intents = load_all(rig.state, keys.run_partition(decision.run_id), Intent, prefix=keys.INTENT_PREFIX)
    return (max(item.value.written_at for item in intents) - SCHEDULED).total_seconds()


def test_a_run_in_time_says_nothing_and_counts_its_last_order(rig: Rig) -> None:
    decision = decided_after(rig, 20)
    report, counted = handle(rig, decision)
    assert (report.status, report.reason) == (RunStatus.COMPLETED, "")
    assert counted[Metric.OVER_BUDGET] == 0.0
    assert 20 < counted[Metric.LAST_ORDER_DELAY] == last_order(rig, decision) < counted[Metric.RUN_DELAY]


def test_a_late_run_trades_all_the_same_and_its_report_names_whole_and_stage(rig: Rig) -> None:
    decision = decided_after(rig, 290)
    report, counted = handle(rig, decision)
    took = last_order(rig, decision)
    assert report.status is RunStatus.COMPLETED
    assert report.reason == (
        f"latency budget broken: {took:.0f} s to the last order, limit 300 s, data 290 s, limit 90 s"
    )
    assert (counted[Metric.OVER_BUDGET], counted[Metric.LAST_ORDER_DELAY]) == (1.0, took)
    again, counted = handle(rig, decision)
    assert (again, counted[Metric.OVER_BUDGET]) == (report, 1.0), "a redelivery says the same"


def test_only_orders_count_and_those_of_an_earlier_delivery_too(rig: Rig) -> None:
    """The process dies behind its last request; the next one finds the account halted, sends nothing, and ends late."""
    decision = decided_after(rig, 0)
    with pytest.raises(Killed):
        rig.trade(decision, broker=FaultyBroker(rig.broker, killing_after("submit buy BBB")))
    sent = last_order(rig, decision)
    set_trading_state(rig.state, "bench", TradingState.HALTED, who="test", reason="no more orders", now=rig.clock.now())
    rig.clock.sleep(400)
    report, counted = handle(rig, decision)
    assert counted[Metric.RUN_DELAY] > 400
    assert (counted[Metric.LAST_ORDER_DELAY], counted[Metric.OVER_BUDGET]) == (sent, 0.0)
    assert "latency" not in report.reason


@pytest.mark.parametrize(("after", "words"), [(20, ""), (301, "301 s to the end of trading, limit 300 s")])
def test_a_shadow_is_judged_by_its_plan(rig: Rig, after: float, words: str) -> None:
    report, counted = handle(rig, decided_after(rig, after), shadow=True)
    assert report.status is RunStatus.SHADOWED
    assert words in report.reason
    assert ("latency" in report.reason) is (counted[Metric.OVER_BUDGET] == 1.0) is bool(words)
    assert rig.orders() == []
