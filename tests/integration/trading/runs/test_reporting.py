"""What a run's report says of its legs."""

from datetime import timedelta

from alchemiser_common.messages.report import LegStatus, RunStatus
from support.trading_rig import SCHEDULED, Rig
from support.trading_runs import SWITCH


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


def test_a_decision_that_is_met_already_trades_nothing(rig: Rig) -> None:
    rig.trade(rig.decision(SWITCH))
    before = len(rig.orders())
    again = rig.decision(SWITCH, scheduled=SCHEDULED + timedelta(minutes=10))
    rig.clock.sleep(600)
    report = rig.trade(again)
    assert report.status is RunStatus.COMPLETED
    assert report.legs == ()
    assert len(rig.orders()) == before
