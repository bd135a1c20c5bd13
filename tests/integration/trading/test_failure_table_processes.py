"""The failure table, rows 1 to 7: processes, deliveries and ports that fail, on the simulated exchange."""

import threading
from decimal import Decimal

import pytest

from alchemiser_common.errors import BrokerUnavailable, LeaseHeld, StoreUnavailable
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.report import RunStatus
from alchemiser_simulator.control.faults import (
    PartialFills,
    TimeoutAfterAccept,
    When,
)
from alchemiser_trading.service import DecisionService
from support.faulty_ports import Fault, Faults, FaultyBroker, FaultyStore, Killed
from support.trading_rig import QUARTER_HOUR, Rig, rig_settings
from support.trading_runs import SWITCH, assert_switched, deliver, faulty

ORDERS = When(method="POST", path="^/v2/orders$")
CANCELS = When(method="DELETE", path="^/v2/orders/")


def test_without_any_fault_the_switch_is_traded_once(rig: Rig) -> None:
    report = rig.trade(rig.decision(SWITCH))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


def test_row_01_timeout_after_the_broker_accepted_the_order(rig: Rig) -> None:
    rig.control.add_fault(TimeoutAfterAccept(match=ORDERS, count=2))
    report = rig.trade(rig.decision(SWITCH))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


def traded_once_despite(rig: Rig, point: int, fault: Fault) -> None:
    """A fault at one I/O call of the first delivery; the deliveries after it have none."""
    decision = rig.decision(SWITCH)
    report = deliver(rig, decision, lambda delivery: faulty(rig, Faults({point: fault} if delivery == 0 else {})))
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


@pytest.mark.parametrize("point", range(5, 90, 9))
@pytest.mark.parametrize("fault", [Fault.KILL_BEFORE, Fault.KILL_AFTER])
def test_row_02_process_killed_at_an_io_boundary_then_redelivered(rig: Rig, point: int, fault: Fault) -> None:
    traded_once_despite(rig, point, fault)


def test_row_03_killed_between_a_partial_fill_and_the_next_step(rig: Rig) -> None:
    """A part of each leg's first order fills and the broker ends it; the process dies before the next one is sent."""
    rig.settings = rig_settings(walk=("1", "1"))
    rig.control.add_fault(PartialFills(match=ORDERS, fraction=Decimal("0.3"), max_fills=1, then="cancel", count=3))
    decision = rig.decision(SWITCH)
    partly_filled: list[str] = []

    def first_dies_before_the_step_after_a_partial_fill(delivery: int) -> DecisionService:
        faults = Faults()

        def strike(name: str) -> None:
            if delivery == 0 and name.startswith("submit") and not partly_filled:
                partly_filled.extend(
                    order.client_order_id
                    for order in rig.orders()
                    if order.qty is not None and 0 < order.filled_qty < order.qty
                )
                if partly_filled:
                    faults.at[faults.calls] = Fault.KILL_BEFORE

        faults.on_call = strike
        return faulty(rig, faults)

    report = deliver(rig, decision, first_dies_before_the_step_after_a_partial_fill)
    assert partly_filled, "the kill came between a partial fill and the next step"
    assert report.status is RunStatus.COMPLETED, report.reason
    assert_switched(rig)


def test_row_04_two_deliveries_of_one_message_at_once(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    faults = Faults()
    refused: list[object] = []

    def second_delivery(name: str) -> None:
        if name.startswith("submit"):
            with pytest.raises(LeaseHeld) as error:
                rig.trade(decision, worker="second")
            refused.append(error)

    faults.on_call = second_delivery
    report = faulty(rig, faults).execute(decision, time_left=lambda: QUARTER_HOUR)
    assert report.status is RunStatus.COMPLETED, report.reason
    assert refused, "the second delivery never met the first"
    assert_switched(rig)


def test_row_04_two_threads_take_the_same_message(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    outcomes: list[int] = []

    def work(worker: str) -> None:
        try:
            outcomes.append(rig.trade(decision, worker=worker).orders_placed)
        except LeaseHeld:
            outcomes.append(-1)

    threads = [threading.Thread(target=work, args=(f"worker-{number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(outcomes) > 0, f"nobody traded: {outcomes}"
    assert min(outcomes) <= 0, f"both traded: {outcomes}"
    assert_switched(rig)


def test_row_05_the_same_decision_redelivered_hours_later(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    first = rig.trade(decision)
    rig.clock.sleep(3 * 3600)
    again = rig.trade(decision)
    assert again.status is first.status
    assert again.orders_placed == 0
    assert "ended before" in again.reason
    assert_switched(rig)


def test_row_05_a_decision_that_arrives_hours_late_is_expired(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    rig.clock.sleep(3 * 3600)
    report = rig.trade(decision)
    assert report.status is RunStatus.EXPIRED
    assert rig.orders() == []


def test_row_06_monolith_and_modular_triggered_for_one_cycle(rig: Rig) -> None:
    modular = rig.decision(SWITCH)
    monolith = rig.decision(SWITCH, pipeline=Pipeline.MONOLITH)
    refused = rig.trade(monolith)
    traded = rig.trade(modular)
    late = rig.trade(monolith)
    assert refused.status is RunStatus.FAILED
    assert "modular" in refused.reason
    assert traded.status is RunStatus.COMPLETED, traded.reason
    assert late.orders_placed == 0
    assert_switched(rig)


@pytest.mark.parametrize("point", range(0, 72, 8))
@pytest.mark.parametrize("fault", [Fault.FAIL_BEFORE, Fault.FAIL_AFTER])
def test_row_07_a_port_fails_at_one_call(rig: Rig, point: int, fault: Fault) -> None:
    traded_once_despite(rig, point, fault)


def test_row_07_the_store_stays_away_mid_run(rig: Rig) -> None:
    decision = rig.decision(SWITCH)
    dead = Faults()

    def from_the_first_order_on(name: str) -> None:
        if name.startswith("submit"):
            dead.at.update(dict.fromkeys(range(dead.calls + 1, dead.calls + 4000), Fault.FAIL_BEFORE))

    dead.on_call = from_the_first_order_on
    service = rig.service(state=FaultyStore(rig.state, dead), broker=FaultyBroker(rig.broker, dead))
    with pytest.raises((StoreUnavailable, BrokerUnavailable)):
        service.execute(decision, time_left=lambda: QUARTER_HOUR)
    assert len(rig.orders()) <= 1, "orders were sent without a journal"
    rig.clock.sleep(121)
    assert rig.trade(decision).status is RunStatus.COMPLETED
    assert_switched(rig)


def test_a_killed_process_does_nothing_more(rig: Rig) -> None:
    with pytest.raises(Killed):
        faulty(rig, Faults({30: Fault.KILL_BEFORE})).execute(rig.decision(SWITCH), time_left=lambda: QUARTER_HOUR)
