"""One delivery's work on one run, and what it leaves."""

from decimal import Decimal

import pytest

from alchemiser_common import keys
from alchemiser_common.errors import StoreUnavailable
from alchemiser_common.ids import Pipeline, run_id
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.messages.wire import decode
from alchemiser_common.ports.state import load
from alchemiser_common.records.books import DailyEquity
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.targets import StoredTargets
from alchemiser_trading.books.book_store import StoredBooks, compare_books
from support.faulty_ports import Fault, Faults, FaultyArchive, FaultyBroker, FaultyStore, Killed
from support.trading_rig import QUARTER_HOUR, Rig
from support.trading_runs import SWITCH, SWITCHED, assert_switched, deliver


def test_a_run_leaves_its_report_decision_targets_books_and_equity(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    report = rig.trade(decision)
    archived = rig.archive.get(keys.report_object(decision.session, decision.run_id))
    assert archived is not None
    assert decode(archived, ExecutionReport) == report
    assert rig.archive.get(keys.decision_object(decision.session, decision.run_id)) is not None
    targets = load(rig.state, keys.strategy_targets("bench", "only"), StoredTargets)
    assert targets is not None
    assert {item.symbol: item.weight for item in targets.value.weights} == SWITCH
    assert compare_books(rig.state, "bench", rig.broker.holdings().positions) == ()
    equity = load(rig.state, keys.equity_record("bench", decision.session), DailyEquity)
    assert equity is not None
    worth = {item.strategy: item for item in equity.value.strategies}
    assert abs(worth["only"].market_value + equity.value.cash - equity.value.equity) < Decimal("0.01")
    assert worth["unassigned"].realised != 0, "what was there before was sold at a result"


@pytest.mark.parametrize("shadow", [False, True], ids=["trading", "in shadow"])
@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("archived_before", [0, 1], ids=["decision", "report"])
def test_whatever_befalls_the_archive_once_the_report_is_stored_the_next_delivery_archives_both(
    rig: Rig, archived_before: int, fault: Fault, *, shadow: bool
) -> None:
    """Without its decision a run cannot be compared with the other pipeline's, nor explained."""
    decision = rig.decision(SWITCH)
    rig.settings = rig.settings.model_copy(update={"shadow": shadow})
    faults = Faults({archived_before: fault} if shadow else {0: Fault.FAIL_BEFORE, archived_before + 1: fault})
    with pytest.raises((Killed, StoreUnavailable)):
        rig.service(archive=FaultyArchive(rig.archive, faults)).execute(decision, time_left=lambda: QUARTER_HOUR)
    rig.clock.sleep(rig.settings.execution.lease_seconds + 1)
    orders = rig.orders()
    report = rig.trade(decision)
    assert ("ended before" in report.reason, rig.orders()) == (True, orders)
    archived = rig.archive.get(keys.decision_object(decision.session, decision.run_id))
    assert archived is not None
    assert decode(archived, TradeDecision) == decision
    assert rig.archive.get(keys.report_object(decision.session, decision.run_id)) is not None


def test_another_decision_for_a_run_that_has_ended_is_not_archived_as_its_own(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    killed = FaultyArchive(rig.archive, Faults({0: Fault.FAIL_BEFORE, 1: Fault.KILL_BEFORE}))
    with pytest.raises(Killed):
        rig.service(archive=killed).execute(decision, time_left=lambda: QUARTER_HOUR)
    rig.trade(rig.decision({"AAA": 0.5}))
    assert rig.archive.get(keys.decision_object(decision.session, decision.run_id)) is None


def test_the_decision_of_a_run_that_is_killed_and_ended_by_the_watch_is_in_the_archive(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    killed = FaultyBroker(rig.broker, Faults({20: Fault.KILL_BEFORE}))
    with pytest.raises(Killed):
        rig.service(broker=killed).execute(decision, time_left=lambda: QUARTER_HOUR)
    rig.clock.sleep(rig.settings.execution.lease_seconds + 1)
    report = rig.service().end_overdue(time_left=lambda: QUARTER_HOUR)
    assert report is not None
    assert report.status is RunStatus.COMPLETED, report.reason
    archived = rig.archive.get(keys.decision_object(decision.session, decision.run_id))
    assert archived is not None
    assert decode(archived, TradeDecision) == decision


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("write", ["write LEASE TARGETS#", "write LEASE JOURNAL REPORT"])
def test_whatever_befalls_the_writes_of_the_end_the_next_delivery_ends_it_right(
    rig: Rig, write: str, fault: Fault
) -> None:
    """Targets come first and may be written twice; report and books come together, and once."""
    decision = rig.decision(SWITCH)
    faults = Faults()
    faults.on_call = lambda name: faults.at.update({faults.calls: fault} if name.startswith(write) else {})
    with pytest.raises((Killed, StoreUnavailable)):
        rig.service(state=FaultyStore(rig.state, faults)).execute(decision, time_left=lambda: QUARTER_HOUR)
    rig.clock.sleep(rig.settings.execution.lease_seconds + 1)
    report = rig.trade(decision)
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)
    targets = load(rig.state, keys.strategy_targets("bench", "only"), StoredTargets)
    assert targets is not None
    assert {item.symbol: item.weight for item in targets.value.weights} == SWITCH
    assert targets.value.as_of == decision.as_of
    assert compare_books(rig.state, "bench", rig.broker.holdings().positions) == ()
    books = StoredBooks.load(rig.state, "bench").books
    assert [lot.quantity for lot in books["only"].lots] == [SWITCHED["AAA", "buy"], SWITCHED["BBB", "buy"]]


def test_another_decision_for_the_same_run_does_not_change_the_frozen_plan(rig: Rig) -> None:
    first, other = rig.decision(SWITCH), rig.decision({"DDD": 0.9})
    with pytest.raises(Killed):
        rig.service(broker=FaultyBroker(rig.broker, Faults({20: Fault.KILL_BEFORE}))).execute(
            first, time_left=lambda: QUARTER_HOUR
        )
    rig.clock.sleep(121)
    report = rig.trade(other)
    assert report.status is RunStatus.COMPLETED, report.reason
    assert report.decision_hash == first.content_hash()
    assert_switched(rig)


def test_the_plan_in_the_store_is_the_one_that_was_traded(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    report = deliver(rig, decision, lambda _: rig.service())
    plan = load(rig.state, keys.plan_record(decision.run_id), Plan)
    assert plan is not None
    assert [(leg.symbol, leg.quantity) for leg in plan.value.legs] == [
        (leg.symbol, leg.intended) for leg in report.legs
    ]
    assert decision.run_id == run_id(decision.cycle_id, Pipeline.MODULAR)
