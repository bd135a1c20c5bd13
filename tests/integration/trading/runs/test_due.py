"""Whoever trades tells by its watch that a trading day's cycle was not completed, whatever the reason."""

import io
import json
from datetime import timedelta

from alchemiser_common.decision_time import decision_time, overdue_from
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.metrics import Metric, Metrics
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.records.trading_state import TradingState
from alchemiser_trading.account.trading_state import set_trading_state
from alchemiser_trading.handler import TradingFunction
from support.trading_rig import QUARTER_HOUR, SCHEDULED, Rig
from support.trading_runs import SWITCH


def watch(rig: Rig) -> float:
    """One look; how often it counted the day as missed."""
    out = io.StringIO()
    function = TradingFunction(rig.service(), Metrics("dev", rig.clock, out))
    function.handle({"watch": "overdue"}, lambda: QUARTER_HOUR)
    return sum(float(line.get(Metric.DAY_MISSED, 0)) for line in map(json.loads, out.getvalue().splitlines()))


def until_overdue(rig: Rig, seconds: float = 0) -> None:
    session = rig.broker.session_on(SCHEDULED.astimezone(EXCHANGE_ZONE).date())
    assert session is not None
    overdue = overdue_from(decision_time(session, rig.settings.schedule), rig.settings.schedule)
    rig.clock.sleep((overdue - rig.clock.now()).total_seconds() + seconds)


def test_a_day_of_which_nothing_was_heard_is_missed_once_its_deadline_has_passed(rig: Rig) -> None:
    until_overdue(rig, -1)
    assert watch(rig) == 0
    rig.clock.sleep(1)
    assert watch(rig) == 1
    rig.clock.sleep(600)
    assert watch(rig) == 1, "it stays so"


def test_a_day_with_a_completed_run_is_not(rig: Rig) -> None:
    report = rig.trade(rig.decision(SWITCH))
    assert report.status is RunStatus.COMPLETED
    until_overdue(rig)
    assert watch(rig) == 0


def test_a_halted_run_is_no_run_of_the_day(rig: Rig) -> None:
    set_trading_state(rig.state, "bench", TradingState.HALTED, who="test", reason="a drill", now=rig.clock.now())
    assert rig.trade(rig.decision(SWITCH)).status is RunStatus.HALTED
    until_overdue(rig)
    assert watch(rig) == 1


def test_a_day_without_session_is_not_due(rig: Rig) -> None:
    day = rig.clock.now()
    while rig.broker.session_on(day.astimezone(EXCHANGE_ZONE).date()) is not None:
        day += timedelta(days=1)
    rig.clock.sleep((day - rig.clock.now()).total_seconds() + 6 * 3600)
    assert watch(rig) == 0
