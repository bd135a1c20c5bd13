"""The trading service as its callers see it: what it stores, what it returns, and what a second delivery finds."""

from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_common import keys
from alchemiser_common.errors import LeaseHeld
from alchemiser_common.messages.base import Stage
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import RunStatus, StageFailure
from alchemiser_simulator.control.faults import PartialFills, When
from alchemiser_trading.books.book_store import compare_books
from alchemiser_trading.journal.journal import Journal
from support.faulty_ports import Fault, Faults, FaultyBroker, Killed, killing_after
from support.trading_rig import QUARTER_HOUR, SCHEDULED, Rig
from support.trading_runs import SWITCH, assert_no_open_orders, assert_switched


def failure(rig: Rig, decision: TradeDecision) -> StageFailure:
    return StageFailure(
        run_id=decision.run_id,
        cycle_id=decision.cycle_id,
        pipeline=decision.pipeline,
        account_alias=rig.settings.account_alias,
        stage=Stage.STRATEGY,
        error="DataMissing",
        reason="AAA has 3 bars and needs 11",
    )


def test_a_run_that_nobody_delivers_any_more_is_ended_by_the_next_cycle(rig: Rig) -> None:
    rig.control.add_fault(PartialFills(match=When(method="POST"), fraction=Decimal("0.2"), max_fills=1))
    dead = rig.decision(SWITCH)
    faults = Faults()

    def dies_with_orders_open(name: str) -> None:
        if name == "cancel":
            faults.at[faults.calls] = Fault.KILL_BEFORE

    faults.on_call = dies_with_orders_open
    with pytest.raises(Killed):
        rig.service(broker=FaultyBroker(rig.broker, faults)).execute(dead, time_left=lambda: QUARTER_HOUR)
    assert [order for order in rig.orders() if order.status in {"new", "partially_filled"}]
    rig.control.clear_faults()
    next_cycle = SCHEDULED + timedelta(hours=2)
    early = rig.decision({"AAA": 0.1}, scheduled=SCHEDULED + timedelta(minutes=5))
    rig.clock.sleep(130)
    with pytest.raises(LeaseHeld, match="has not ended"):
        rig.trade(early)
    rig.clock.sleep((next_cycle - rig.clock.now()).total_seconds())
    report = rig.trade(rig.decision({"AAA": 0.5}, scheduled=next_cycle))
    journal = Journal.load(rig.state, dead.run_id)
    assert journal is not None
    assert journal.head.phase is RunStatus.PARTIAL
    assert "overdue" in journal.head.reason
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_no_open_orders(rig)
    assert compare_books(rig.state, "bench", rig.broker.holdings().positions) == ()


def test_a_stage_that_failed_before_is_recorded_once(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    report = rig.service().record_failure(failure(rig, decision))
    again = rig.service().record_failure(failure(rig, decision))
    assert report.status is again.status is RunStatus.FAILED
    assert "strategy: DataMissing" in report.reason
    assert report.error == "DataMissing"
    assert rig.state.get(keys.run_entry("bench", SCHEDULED, decision.pipeline)) is not None, "it is in the list of runs"
    late = rig.trade(decision)
    assert late.status is RunStatus.FAILED
    assert "ended before" in late.reason
    assert rig.orders() == []


def test_a_failure_does_not_touch_a_run_that_trades_or_has_traded(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    rig.trade(decision)
    assert rig.service().record_failure(failure(rig, decision)).status is RunStatus.COMPLETED


def test_a_failure_beside_a_run_in_progress_is_told_and_not_recorded(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    with pytest.raises(Killed):
        rig.trade(decision, broker=FaultyBroker(rig.broker, killing_after("submit sell CCC")))
    told = rig.service().record_failure(failure(rig, decision))
    assert (told.status, told.error) == (RunStatus.EXECUTING, "")
    assert "being executed; not recorded: strategy: DataMissing" in told.reason
    rig.clock.sleep(rig.settings.execution.lease_seconds + 1)
    assert rig.trade(decision).status is RunStatus.COMPLETED
    assert_switched(rig)
