"""What is checked before the first order, through the service."""

from decimal import Decimal

import pytest

from alchemiser_common.messages.report import RunStatus
from alchemiser_common.settings import Settings, TradingSettings
from support.trading_rig import Rig
from support.trading_runs import SWITCH, assert_switched


@pytest.mark.parametrize(("recorded", "known"), [(False, "no snapshot is on record"), (True, "was made from snapshot")])
def test_a_decision_of_unknown_origin_is_refused(rig: Rig, *, recorded: bool, known: str) -> None:
    decision = rig.decision(SWITCH, recorded=recorded)
    report = rig.trade(decision.model_copy(update={"snapshot_hash": "6" * 64}))
    assert report.status is RunStatus.FAILED
    assert known in report.reason
    assert rig.orders() == []


def test_a_limit_stops_buys_and_not_sells_and_says_what_would_have_been_bought(rig: Rig) -> None:
    settings = Settings(account_alias="bench", trading=TradingSettings(max_turnover=Decimal("0.1")))
    report = rig.trade(rig.decision(SWITCH), settings=settings)
    assert report.status is RunStatus.HALTED
    assert "buy AAA left alone: left out: 475.209777 shares; trading.max_turnover: the plan trades " in report.reason
    assert rig.held() == {}, "what takes risk away is done"
    assert {order.side for order in rig.orders()} == {"sell"}


def test_a_leg_over_the_size_limit_is_sent_in_slices_whatever_its_side(rig: Rig) -> None:
    settings = Settings(account_alias="bench", trading=TradingSettings(max_order_value=Decimal(10_000)))
    report = rig.trade(rig.decision(SWITCH), settings=settings)
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)
    assert all((order.qty or 0) * (order.limit_price or 0) <= Decimal(10_200) for order in rig.orders())
    assert len([order for order in rig.orders() if order.side == "sell"]) >= 2
