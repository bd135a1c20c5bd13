"""The trading service as its callers see it: what it stores, what it returns, and what a second delivery finds."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from alchemiser_common import keys
from alchemiser_common.errors import LeaseHeld, OutOfTime
from alchemiser_common.ids import Pipeline, run_id
from alchemiser_common.messages.base import Stage
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, LegStatus, RunStatus, StageFailure
from alchemiser_common.messages.wire import decode
from alchemiser_common.ports.state import load
from alchemiser_common.records.books import DailyEquity
from alchemiser_common.records.journal import Phase
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.targets import StoredTargets
from alchemiser_common.settings import ExecutionStyle, Settings, TradingSettings
from alchemiser_simulator.control.faults import BadQuote, PartialFills, RateLimited, When
from alchemiser_trading.books.book_store import StoredBooks, compare_books, repair_books
from alchemiser_trading.journal.journal import Journal
from alchemiser_trading.service import DecisionService
from support.faulty_ports import Fault, Faults, FaultyBroker, Killed, killing_after
from support.trading_rig import QUARTER_HOUR, SCHEDULED, Rig, exchange, quiet_market, rig_settings
from support.trading_runs import SWITCH, assert_no_open_orders, assert_switched, deliver


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
    assert compare_books(rig.state, "bench", rig.broker.positions()) == ()
    equity = load(rig.state, keys.equity_record("bench", decision.session), DailyEquity)
    assert equity is not None
    worth = {item.strategy: item for item in equity.value.strategies}
    assert abs(worth["only"].market_value + equity.value.cash - equity.value.equity) < Decimal("0.01")
    assert worth["unassigned"].realised != 0, "what was there before was sold at a result"


def test_the_report_says_how_well_each_leg_was_executed(rig: Rig) -> None:
    report = rig.trade(rig.decision(SWITCH))
    for leg in report.legs:
        assert leg.status is LegStatus.FILLED
        assert leg.slippage_bps is not None
        assert 0 <= leg.slippage_bps < 10
        assert leg.steps >= 1
        assert leg.duration > timedelta(0)
    assert report.account_before is not None
    assert report.account_after is not None
    assert all(abs(item.target - item.actual) < 0.006 for item in report.residuals)


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


def test_a_process_that_must_end_cancels_and_leaves_the_run_to_the_next(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    ends = rig.clock.now() + timedelta(seconds=55)
    with pytest.raises(OutOfTime, match="left to the next delivery"):
        rig.service().execute(decision, time_left=lambda: ends - rig.clock.now())
    assert_no_open_orders(rig)
    journal = Journal.load(rig.state, decision.run_id)
    assert journal is not None
    assert not journal.head.phase.final
    assert rig.trade(decision).status is RunStatus.COMPLETED, "the next delivery goes on at once"
    assert_switched(rig)


def test_many_short_processes_end_a_run(rig: Rig) -> None:
    decision = rig.decision(SWITCH)

    def short(_: int) -> DecisionService:
        return rig.service()

    report = None
    for _ in range(12):
        ends = rig.clock.now() + timedelta(seconds=54)
        try:
            report = short(0).execute(decision, time_left=lambda ends=ends: ends - rig.clock.now())  # type: ignore[misc]
            break
        except OutOfTime:
            continue
    assert report is not None
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


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
    assert journal.head.phase is Phase.PARTIAL
    assert "overdue" in journal.head.reason
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_no_open_orders(rig)
    assert compare_books(rig.state, "bench", rig.broker.positions()) == ()


def test_the_deadline_ends_a_run_with_what_it_has(rig: Rig) -> None:
    rig.control.add_fault(BadQuote(flavour="missing", match=When(symbol="AAA")))
    settings = rig_settings(quote_patience_seconds=7200, poll_seconds=30)
    report = rig.trade(rig.decision(SWITCH), settings=settings)
    assert report.status is RunStatus.PARTIAL
    unfilled = next(leg for leg in report.legs if leg.symbol == "AAA")
    assert unfilled.status is LegStatus.UNFILLED
    assert "no order after" in unfilled.reason
    assert rig.clock.now() >= SCHEDULED + timedelta(hours=1)


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


def test_after_a_429_no_leg_sends_anything_for_a_while(tmp_path: Path) -> None:
    with exchange(quiet_market({"AAA": 100.0, "BBB": 50.0}), tmp_path) as rig:
        rig.control.add_fault(RateLimited(match=When(method="POST"), count=1))
        assert rig.trade(rig.decision({"AAA": 0.4, "BBB": 0.4})).status is RunStatus.COMPLETED
        assert min(order.created_at for order in rig.orders()) >= SCHEDULED + timedelta(seconds=5)


@pytest.mark.parametrize(("recorded", "known"), [(False, "no snapshot is on record"), (True, "was made from snapshot")])
def test_a_decision_of_unknown_origin_is_refused(rig: Rig, *, recorded: bool, known: str) -> None:
    decision = rig.decision(SWITCH, recorded=recorded)
    report = rig.trade(decision.model_copy(update={"snapshot_hash": "6" * 64}))
    assert report.status is RunStatus.FAILED
    assert known in report.reason
    assert rig.orders() == []


def test_a_limit_that_is_breached_halts_before_anything_is_sent(rig: Rig) -> None:
    settings = Settings(account_alias="bench", trading=TradingSettings(max_turnover=Decimal("0.1")))
    report = rig.trade(rig.decision(SWITCH), settings=settings)
    assert report.status is RunStatus.HALTED
    assert "trading.max_turnover" in report.reason
    assert rig.orders() == []


def test_a_decision_that_is_met_already_trades_nothing(rig: Rig) -> None:
    rig.trade(rig.decision(SWITCH))
    before = len(rig.orders())
    again = rig.decision(SWITCH, scheduled=SCHEDULED + timedelta(minutes=10))
    rig.clock.sleep(600)
    report = rig.trade(again)
    assert report.status is RunStatus.COMPLETED
    assert report.legs == ()
    assert len(rig.orders()) == before


def test_books_that_differ_are_named_and_repaired_with_a_trail(rig: Rig) -> None:
    rig.trade(rig.decision(SWITCH))
    rig.control.set_holding("DDD", Decimal(5))
    positions = rig.broker.positions()
    (difference,) = compare_books(rig.state, "bench", positions)
    assert (difference.symbol, difference.in_books, difference.at_broker) == ("DDD", Decimal(0), Decimal(5))
    repair_books(rig.state, "bench", positions, who="ann", reason="shares were given", now=rig.clock.now())
    assert compare_books(rig.state, "bench", positions) == ()
    assert StoredBooks.load(rig.state, "bench").books["unassigned"].quantity("DDD") == Decimal(5)


@pytest.mark.parametrize("style", list(ExecutionStyle))
def test_each_style_trades_the_plan(tmp_path: Path, style: ExecutionStyle) -> None:
    settings = rig_settings(tight_style=style, normal_style=style, wide_style=style)
    with exchange(quiet_market({"AAA": 100.0, "BBB": 50.0, "CCC": 20.0}), tmp_path, settings=settings) as rig:
        rig.control.set_holding("CCC", Decimal("1000.123456789"))
        report = rig.trade(rig.decision(SWITCH))
        assert report.status is RunStatus.COMPLETED, report.reason
        assert_switched(rig)
        if style is ExecutionStyle.MARKET:
            assert report.orders_placed == 3


def test_a_hundred_legs_stay_within_the_request_budget(tmp_path: Path) -> None:
    symbols = {f"S{number:03d}": 20.0 + number for number in range(100)}
    settings = Settings(account_alias="bench", trading=TradingSettings(max_orders=200))
    with exchange(quiet_market(symbols), tmp_path, settings=settings) as rig:
        for symbol in list(symbols)[:50]:
            rig.control.set_holding(symbol, Decimal(20))
        decision = rig.decision(dict.fromkeys(list(symbols)[50:], 0.019))
        calls: list[tuple[float, str]] = []
        faults = Faults(on_call=lambda name: calls.append((rig.clock.now().timestamp(), name)))
        service = rig.service(broker=FaultyBroker(rig.broker, faults))
        report = service.execute(decision, time_left=lambda: timedelta(hours=2))
        assert report.status is RunStatus.COMPLETED, report.reason
        assert [leg.status for leg in report.legs] == [LegStatus.FILLED] * 100
        trading = [at for at, name in calls if name not in {"bars", "trades", "quotes"}]
        busiest = max(sum(1 for other in trading if at <= other < at + 60) for at in trading)
        assert busiest <= settings.execution.requests_per_minute, f"{busiest} trading requests in one minute"
        assert len(trading) / 100 < 5, f"{len(trading) / 100} requests a leg"


def test_the_plan_in_the_store_is_the_one_that_was_traded(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    report = deliver(rig, decision, lambda _: rig.service())
    plan = load(rig.state, keys.plan_record(decision.run_id), Plan)
    assert plan is not None
    assert [(leg.symbol, leg.quantity) for leg in plan.value.legs] == [
        (leg.symbol, leg.intended) for leg in report.legs
    ]
    assert decision.run_id == run_id(decision.cycle_id, Pipeline.MODULAR)
