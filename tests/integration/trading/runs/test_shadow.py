"""A shadow run beside the pipeline that trades: the same plan, and never an order, whatever keys it holds."""

from datetime import timedelta

import pytest

from alchemiser_common import keys
from alchemiser_common.errors import InvalidMessage
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.report import LegStatus, RunStatus
from alchemiser_common.ports.state import load
from alchemiser_common.records.plan import Plan
from alchemiser_trading.account.lease import AccountLease
from support.faulty_ports import Faults, FaultyBroker
from support.trading_rig import QUARTER_HOUR, Rig
from support.trading_runs import SWITCH, assert_switched


def shadowing(rig: Rig) -> Rig:
    """The same rig for the pipeline without authority, with a broker that could trade."""
    return Rig(**{**vars(rig), "settings": rig.settings.model_copy(update={"shadow": True})})


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


def test_it_ends_no_run_of_the_pipeline_that_trades(rig: Rig) -> None:
    with pytest.raises(InvalidMessage, match="asks the shadow pipeline, which holds no lease"):
        shadowing(rig).service().end_overdue(time_left=lambda: QUARTER_HOUR)
