"""Two clocks that do not agree, in the middle of a run: durations go on, and no order comes after the deadline."""

from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.settings import Settings
from alchemiser_simulator.control.faults import Operation, PartialFills, Patch, When
from support.faulty_ports import Faults, FaultyBroker
from support.trading_rig import Rig, rig_settings
from support.trading_runs import SWITCH, assert_no_open_orders, deliver

HOUR = timedelta(hours=1)


def never_filled(rig: Rig, faults: Faults, settings: Settings) -> ExecutionReport:
    """A run that would send orders for ever; its decision is good for eight minutes."""
    rig.control.add_fault(PartialFills(match=When(method="POST"), fraction=Decimal(1), max_fills=0))
    decision = rig.decision(SWITCH, not_after=rig.clock.now() + timedelta(minutes=8))
    return deliver(rig, decision, lambda _: rig.service(broker=FaultyBroker(rig.broker, faults), settings=settings))


@pytest.mark.parametrize("jump", [-HOUR, HOUR], ids=["set back", "set forward"])
def test_a_clock_that_is_changed_in_the_middle_of_a_run_sends_nothing_after_the_deadline(
    rig: Rig, jump: timedelta
) -> None:
    faults, began = Faults(), rig.clock.now()

    def change(name: str) -> None:
        if name == "the day's orders" and rig.orders():
            faults.on_call = None
            rig.clock.skew = jump

    faults.on_call = change
    report = never_filled(rig, faults, rig_settings(walk=("0", "0.2", "0.4", "0.6", "0.8", "1"), max_steps=20))
    assert rig.clock.skew == jump
    assert report.status in {RunStatus.PARTIAL, RunStatus.HALTED}
    assert_no_open_orders(rig)
    last = max(order.created_at for order in rig.orders())
    assert last < began + timedelta(minutes=8)
    assert rig.control.clock().now < began + timedelta(minutes=10), "and the run ends when it should"


def test_clocks_that_come_apart_in_the_middle_of_a_run_stop_it_with_the_figure(rig: Rig) -> None:
    later = (Operation(path="timestamp", value=30, do="shift"),)
    rig.control.add_fault(Patch(match=When(method="GET", path="^/v2/clock$"), operations=later, skip=1))
    report = never_filled(rig, Faults(), rig_settings())
    assert report.status is RunStatus.HALTED
    assert "this machine's clock and the broker's have come 30.0 s apart; limit 10.0 s" in report.reason
    assert_no_open_orders(rig)
