"""The loop that drives all legs of a run."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from alchemiser_common.errors import OutOfTime
from alchemiser_common.messages.report import LegStatus, RunStatus
from alchemiser_common.settings import ExecutionStyle, Settings, TradingSettings
from alchemiser_simulator.control.faults import BadQuote, RateLimited, When
from alchemiser_trading.journal.journal import Journal
from alchemiser_trading.service import DecisionService
from support.faulty_ports import Faults, FaultyBroker
from support.trading_rig import SCHEDULED, Rig, exchange, quiet_market, rig_settings
from support.trading_runs import SWITCH, assert_no_open_orders, assert_switched


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


def test_the_deadline_ends_a_run_with_what_it_has(rig: Rig) -> None:
    rig.control.add_fault(BadQuote(flavour="missing", match=When(symbol="AAA")))
    settings = rig_settings(quote_patience_seconds=7200, poll_seconds=30)
    report = rig.trade(rig.decision(SWITCH), settings=settings)
    assert report.status is RunStatus.PARTIAL
    unfilled = next(leg for leg in report.legs if leg.symbol == "AAA")
    assert unfilled.status is LegStatus.UNFILLED
    assert "no order after" in unfilled.reason
    assert rig.clock.now() >= SCHEDULED + timedelta(hours=1)


def test_after_a_429_no_leg_sends_anything_for_a_while(tmp_path: Path) -> None:
    with exchange(quiet_market({"AAA": 100.0, "BBB": 50.0}), tmp_path) as rig:
        rig.control.add_fault(RateLimited(match=When(method="POST"), count=1))
        assert rig.trade(rig.decision({"AAA": 0.4, "BBB": 0.4})).status is RunStatus.COMPLETED
        assert min(order.created_at for order in rig.orders()) >= SCHEDULED + timedelta(seconds=5)


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
        # two orders, a cancel, the look-up that confirms its end, and what all legs share
        assert len(trading) / 100 < 6, f"{len(trading) / 100} requests a leg"
