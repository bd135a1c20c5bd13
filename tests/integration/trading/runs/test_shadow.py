"""A shadow run beside the pipeline that trades: the same plan, and never an order, whatever keys it holds."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from alchemiser_common import keys
from alchemiser_common.errors import InvalidMessage, LeaseHeld, NotAuthorised
from alchemiser_common.ids import Pipeline
from alchemiser_common.lambda_events import BatchResponse, sqs_event
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import LegStatus, RunStatus
from alchemiser_common.messages.wire import encode
from alchemiser_common.ports.queue import Delivery
from alchemiser_common.ports.state import load
from alchemiser_common.records.plan import Plan
from alchemiser_data.service import DataService
from alchemiser_monolith.handler import MonolithFunction
from alchemiser_monolith.monolith import Monolith
from alchemiser_strategy.service import StrategyService
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.handler import TradingFunction
from alchemiser_trading.service import DecisionService
from support.faulty_ports import Faults, FaultyBroker, Killed, killing_after
from support.trading_rig import QUARTER_HOUR, Rig
from support.trading_runs import SWITCH, assert_switched


def shadowing(rig: Rig) -> Rig:
    """The same rig for the pipeline without authority, with a broker that could trade."""
    return Rig(**{**vars(rig), "settings": rig.settings.model_copy(update={"shadow": True})})


def whole(service: DecisionService) -> MonolithFunction:
    """The monolith around it; the watch's event concerns neither of its other stages."""
    data, strategy = object.__new__(DataService), object.__new__(StrategyService)
    return MonolithFunction(Monolith(data, strategy, service), TradingFunction(service))


def plan_of(rig: Rig, run: object) -> Plan:
    found = load(rig.state, keys.plan_record(run), Plan)  # type: ignore[arg-type]
    assert found is not None
    return found.value


def test_it_plans_what_the_trading_pipeline_trades_and_sends_nothing(rig: Rig) -> None:
    shadow = shadowing(rig)
    beside = shadow.decision(SWITCH, pipeline=Pipeline.MONOLITH)
    calls = Faults()
    report = shadow.trade(beside, broker=FaultyBroker(rig.broker, calls))
    assert report.status is RunStatus.SHADOWED
    assert {leg.status for leg in report.legs} == {LegStatus.UNFILLED}
    assert rig.orders() == []
    assert not [name for name in calls.names if name.startswith(("submit", "cancel"))]

    decision = rig.decision(SWITCH)
    assert rig.trade(decision).status is RunStatus.COMPLETED
    assert_switched(rig)
    planned, traded = plan_of(rig, beside.run_id), plan_of(rig, decision.run_id)
    assert planned.legs == traded.legs
    assert planned.decision_hash == traded.decision_hash


def test_it_neither_waits_for_the_lease_nor_asks_for_authority_nor_leaves_anything_of_the_accounts(
    rig: Rig,
) -> None:
    shadow = shadowing(rig)
    decision = shadow.decision(SWITCH, pipeline=Pipeline.MONOLITH)
    held = AccountLease.acquire(rig.state, rig.clock, "bench", owner="trader", duration=timedelta(minutes=2))
    account = keys.account_partition("bench")
    before = rig.state.list(account), rig.state.list(keys.equity_partition("bench"))
    report = shadow.trade(decision)
    assert report.status is RunStatus.SHADOWED
    assert (rig.state.list(account), rig.state.list(keys.equity_partition("bench"))) == before
    held.keep()  # the trader's lease is as it was


def test_delivered_twice_it_reports_once(rig: Rig) -> None:
    shadow = shadowing(rig)
    decision = shadow.decision(SWITCH)
    first, again = shadow.trade(decision), shadow.trade(decision)
    assert first.status is again.status is RunStatus.SHADOWED
    assert "ended before" in again.reason
    assert len(rig.archive.keys("events/")) == 1


@pytest.mark.parametrize(
    ("changes", "later", "status", "words"),
    [
        ({"account_id": "someone-else"}, 0, RunStatus.FAILED, "WrongAccount"),
        ({"snapshot_hash": "6" * 64}, 0, RunStatus.FAILED, "was made from snapshot"),
        ({}, 3600, RunStatus.EXPIRED, "the decision was good until"),
    ],
)
def test_what_would_not_be_traded_is_not_planned(
    rig: Rig, changes: dict[str, object], later: int, status: RunStatus, words: str
) -> None:
    shadow = shadowing(rig)
    decision = shadow.decision(SWITCH)
    if later:
        rig.clock.sleep(later)
    report = shadow.trade(decision.model_copy(update=changes))
    assert report.status is status
    assert words in report.reason
    assert load(rig.state, keys.plan_record(decision.run_id), Plan) is None


def begun(rig: Rig) -> TradeDecision:
    """A run of the modular pipeline that died with an order at the broker."""
    decision = rig.decision(SWITCH)
    with pytest.raises(Killed):
        rig.trade(decision, broker=FaultyBroker(rig.broker, killing_after("submit sell CCC")))
    assert len(rig.broker.open_orders().orders) == 1
    return decision


@pytest.mark.parametrize("function", [TradingFunction, whole], ids=["trading", "monolith"])
def test_asked_directly_it_ends_no_run_of_the_pipeline_that_trades(
    rig: Rig, function: Callable[[DecisionService], TradingFunction | MonolithFunction]
) -> None:
    begun(rig)
    rig.clock.sleep(2 * 3600)
    account, calls = keys.account_partition("bench"), Faults()
    before = rig.state.list(account)
    shadow = shadowing(rig).service(broker=FaultyBroker(rig.broker, calls))
    with pytest.raises(InvalidMessage, match="asks the shadow pipeline, which holds no lease"):
        function(shadow).handle({"watch": "overdue"}, lambda: QUARTER_HOUR)
    assert rig.state.list(account) == before, "the lease was taken"
    assert calls.names == []


def test_a_run_whose_phase_was_moved_back_under_it_is_refused_and_left_to_whoever_trades(rig: Rig) -> None:
    decision = begun(rig)
    open_before = rig.broker.open_orders()
    stored = rig.state.list(keys.account_partition("bench")), rig.state.list(keys.run_partition(decision.run_id))
    event = sqs_event(Delivery("1", "1", encode(decision), "bench", rig.clock.now(), 1), "arn:aws:sqs:x:0:q.fifo")
    answer = TradingFunction(shadowing(rig).service()).handle(event, lambda: QUARTER_HOUR)
    assert isinstance(answer, BatchResponse)
    assert len(answer.batchItemFailures) == 1, "its message becomes a dead letter, with an alarm"
    with pytest.raises(NotAuthorised, match=r"begun by a service that trades \(selling\) .* this function is a shadow"):
        shadowing(rig).trade(decision)
    assert rig.broker.open_orders() == open_before
    now = rig.state.list(keys.account_partition("bench")), rig.state.list(keys.run_partition(decision.run_id))
    assert now == stored
    rig.clock.move_to(decision.not_after + timedelta(minutes=1))
    ended = rig.service(worker="monolith").end_overdue(time_left=lambda: QUARTER_HOUR)
    assert ended is not None
    assert ended.run_id == decision.run_id
    assert rig.broker.open_orders().orders == ()


def test_a_run_that_was_only_received_when_the_phase_moved_back_is_planned_in_shadow(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    held = AccountLease.acquire(rig.state, rig.clock, "bench", owner="trader", duration=timedelta(minutes=2))
    with pytest.raises(LeaseHeld):
        rig.trade(decision)
    report = shadowing(rig).trade(decision)
    assert report.status is RunStatus.SHADOWED
    held.release()
    again = rig.trade(decision)
    assert again.status is RunStatus.SHADOWED
    assert "ended before" in again.reason
    assert rig.orders() == []
