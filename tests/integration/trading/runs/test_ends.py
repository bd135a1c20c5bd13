"""What the world hears of a run's end, and how a run ends that nobody delivers any more."""

from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_common.embedded.archived_events import ArchivedEvents
from alchemiser_common.errors import StoreUnavailable
from alchemiser_common.messages.event import RunEvent
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.messages.wire import decode
from alchemiser_common.settings import Settings, TradingSettings
from alchemiser_simulator.control.faults import PartialFills, When
from alchemiser_trading.handler import TradingFunction, WatchAnswer
from support.faulty_ports import Fault, Faults, FaultyArchive, FaultyBroker, Killed
from support.trading_rig import QUARTER_HOUR, Rig
from support.trading_runs import SWITCH, assert_no_open_orders, assert_switched


def published(rig: Rig) -> list[RunEvent]:
    bodies = [rig.archive.get(key) for key in rig.archive.keys("events/")]
    return [decode(body, RunEvent) for body in bodies if body is not None]


def test_a_run_is_published_once_however_often_it_is_delivered(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    report = rig.trade(decision)
    for _ in range(2):
        rig.trade(decision)
    (event,) = published(rig)
    assert (event.event, event.run_id, event.orders_placed) == (
        RunStatus.COMPLETED,
        decision.run_id,
        report.orders_placed,
    )


def test_a_run_that_is_refused_is_published_with_its_reason(rig: Rig) -> None:
    settings = Settings(account_alias="bench", trading=TradingSettings(max_orders=1))
    rig.trade(rig.decision(SWITCH), settings=settings)
    (event,) = published(rig)
    assert event.event is RunStatus.HALTED
    assert "trading.max_orders" in event.reason


def test_an_event_that_the_bus_does_not_take_is_published_by_the_next_delivery(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    away = Faults(on_call=lambda _: away.at.update({away.calls: Fault.FAIL_BEFORE}))
    service = rig.service(events=ArchivedEvents(FaultyArchive(rig.archive, away)))
    with pytest.raises(StoreUnavailable):
        service.execute(decision, time_left=lambda: QUARTER_HOUR)
    assert published(rig) == []
    again = rig.trade(decision)
    assert again.status is RunStatus.COMPLETED
    assert again.orders_placed == 0, "the redelivery places nothing"
    assert len(published(rig)) == 1
    assert_switched(rig)


@pytest.mark.parametrize("late", [False, True], ids=["before its deadline", "after it"])
def test_the_watch_takes_up_a_run_whose_process_died(rig: Rig, late: bool) -> None:
    function = TradingFunction(rig.service())

    def watch() -> WatchAnswer:
        answer = function.handle({"watch": "overdue"}, lambda: QUARTER_HOUR)
        assert isinstance(answer, WatchAnswer)
        return answer

    assert watch() == WatchAnswer(), "nothing is unfinished"
    rig.control.add_fault(PartialFills(match=When(method="POST"), fraction=Decimal("0.2"), max_fills=1))
    decision = rig.decision(SWITCH)
    faults = Faults()
    faults.on_call = lambda name: faults.at.update({faults.calls: Fault.KILL_BEFORE} if name == "cancel" else {})
    with pytest.raises(Killed):
        rig.service(broker=FaultyBroker(rig.broker, faults)).execute(decision, time_left=lambda: QUARTER_HOUR)
    rig.control.clear_faults()
    rig.clock.sleep(rig.settings.execution.lease_seconds + 1)
    if late:
        rig.clock.sleep((decision.not_after - rig.clock.now() + timedelta(seconds=1)).total_seconds())
    answer = watch()
    expected = RunStatus.PARTIAL if late else RunStatus.COMPLETED
    assert (answer.ended, answer.status) == (str(decision.run_id), expected), answer.reason
    assert ("overdue" in answer.reason) is late
    assert_no_open_orders(rig)
    (event,) = published(rig)
    assert event.event is expected
    assert watch() == WatchAnswer()
