"""Rows 1 to 7 of the failure table once more, with containers, a queue's own deliveries and docker kill."""

import os
import random
import time
from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_cli.stored_runs import read_run
from alchemiser_common.ids import Pipeline, cycle_id, run_id
from alchemiser_common.messages.report import RunStatus
from alchemiser_simulator.control.faults import PartialFills, TimeoutAfterAccept, When
from local.functions import Answered, Failed, Outcome
from local.scheduler import cycle_event
from support.container_rig import (
    ACCOUNT,
    SCHEDULED,
    SHORT_OF_TIME,
    ContainerRig,
    assert_as_undisturbed,
    assert_orders_are_the_journals,
    kill,
    kill_while_it_works,
)
from support.real_processes import until

ORDERS = When(method="POST", path="^/v2/orders$")
KILLS = int(os.environ.get("KILLS", "20"))
"""Moments of a run; CI plays fewer."""


def handled(outcome: Outcome) -> bool:
    """The function did not fail its message."""
    return isinstance(outcome, Answered) and outcome.payload == {"batchItemFailures": []}


@pytest.mark.parametrize("killed", [False, True])
def test_row_01_timeout_after_the_broker_accepted_the_order(
    rig: ContainerRig, undisturbed: dict[str, Decimal], killed: bool
) -> None:
    rig.control.add_fault(TimeoutAfterAccept(match=ORDERS, hold_seconds=60, count=2))
    rig.up_to_the_decision()
    for accepted in (1, 2) if killed else ():
        rig.start("trading")
        waiting = rig.deliver_meanwhile("trading")
        until(lambda: rig.control.faults()[0].used == accepted, f"{accepted} orders without an answer")  # noqa: B023
        kill(rig, "trading", waiting)
    assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)


@pytest.mark.parametrize("seed", range(KILLS))
def test_row_02_killed_at_a_random_moment_then_redelivered(
    rig: ContainerRig, undisturbed: dict[str, Decimal], trading_seconds: float, seed: int
) -> None:
    """One moment of each part of the run, so that together they cover it. Every fifth run is killed twice."""
    chance = random.Random(seed)
    rig.up_to_the_decision()
    done = False
    for _ in range(2 if seed % 5 == 0 else 1):
        rig.start("trading")
        working = rig.deliver_meanwhile("trading")
        time.sleep(trading_seconds * (seed + chance.random()) / KILLS)
        rig.boxes["trading"].kill()
        done = working.result(60).done
        if done:
            break
        rig.let_time_pass()
    assert done or rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)


def test_row_03_killed_between_a_partial_fill_and_the_next_step(
    rig: ContainerRig, undisturbed: dict[str, Decimal]
) -> None:
    rig.control.add_fault(PartialFills(match=ORDERS, fraction=Decimal("0.3"), max_fills=1, count=14))
    rig.up_to_the_decision()
    kill_while_it_works(rig, "trading", rig.has_part_of_an_order, "part of an order filled")
    assert rig.has_part_of_an_order()
    assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)


@pytest.mark.parametrize("killed", [False, True])
def test_row_04_two_deliveries_of_one_message_at_once(
    rig: ContainerRig, undisturbed: dict[str, Decimal], killed: bool
) -> None:
    rig.up_to_the_decision()
    event = rig.decision_event()
    first = rig.deliver_meanwhile("trading")
    until(rig.has_orders, "an order of the first delivery")
    second = rig.invoke(SHORT_OF_TIME, event)
    assert first.done() or not handled(second), "the second delivery went on beside the first"
    if killed:
        kill(rig, "trading", first)
        assert rig.deliver_until_done("trading").done
    else:
        assert first.result(60).done
    orders = rig.truth().orders
    assert handled(rig.invoke(SHORT_OF_TIME, event)), "the message was not handled after the run had ended"
    assert rig.truth().orders == orders, "a delivery after the end placed something"
    assert_as_undisturbed(rig, undisturbed)


def test_row_05_the_same_decision_redelivered_hours_later(rig: ContainerRig, undisturbed: dict[str, Decimal]) -> None:
    rig.up_to_the_decision()
    event = rig.decision_event()
    assert rig.deliver_until_done("trading").done
    orders = rig.truth().orders
    rig.control.advance(timedelta(hours=3))
    assert handled(rig.invoke("trading", event))
    assert rig.truth().orders == orders
    assert_as_undisturbed(rig, undisturbed)


def test_row_05_a_run_cut_short_is_wound_up_hours_later(rig: ContainerRig) -> None:
    rig.up_to_the_decision()
    kill_while_it_works(rig, "trading", rig.has_a_buy, "a buy")
    placed = [order.client_order_id for order in rig.truth().orders]
    rig.control.advance(timedelta(hours=3))
    assert rig.deliver_until_done("trading").done
    report = rig.report()
    # Killed between an intent and its request, nobody knows whether the order is on its way.
    ended = RunStatus.HALTED if rig.intents().keys() - set(placed) else RunStatus.PARTIAL
    assert report.status is ended, report.reason
    assert "the decision was good until" in report.reason
    assert [order.client_order_id for order in rig.truth().orders] == placed, "an order was sent after the deadline"
    assert_orders_are_the_journals(rig)
    (event,) = rig.heard()
    assert event.event.event_name == ended.event_name


@pytest.mark.parametrize("killed", [False, True])
def test_row_06_monolith_and_modular_triggered_for_one_cycle(
    rig: ContainerRig, undisturbed: dict[str, Decimal], killed: bool
) -> None:
    """Neither is a shadow: what keeps the monolith from trading is the record of who may."""
    rig.up_to_the_decision()
    trading = rig.deliver_meanwhile("trading")
    until(rig.has_orders, "an order of the modular pipeline")
    meanwhile = rig.invoke("monolith", cycle_event(SCHEDULED))
    if killed:
        kill(rig, "trading", trading)
        again = rig.invoke("monolith", cycle_event(SCHEDULED))
        assert isinstance(again, Failed), f"a run that has not ended was overtaken: {again}"
        assert again.error == "LeaseHeld"
        assert rig.deliver_until_done("trading").done
    else:
        assert trading.result(60).done
    assert not isinstance(meanwhile, Failed) or meanwhile.error == "LeaseHeld", meanwhile
    assert isinstance(rig.invoke("monolith", cycle_event(SCHEDULED)), Answered)
    refused = read_run(rig.stage.state, run_id(cycle_id(ACCOUNT, SCHEDULED), Pipeline.MONOLITH))
    assert refused is not None
    assert refused.status == RunStatus.FAILED.value
    assert "is traded by modular" in refused.reason
    events = {event.event.event_name: event.run_id for event in rig.heard()}
    assert events == {"RunCompleted": rig.run, "RunFailed": refused.run_id}
    assert_as_undisturbed(rig, undisturbed, heard=False)


@pytest.mark.parametrize("killed", [False, True])
def test_row_07_the_state_store_cannot_be_reached_mid_run(
    rig: ContainerRig, undisturbed: dict[str, Decimal], killed: bool
) -> None:
    rig.up_to_the_decision()
    trading = rig.deliver_meanwhile("trading")
    until(rig.has_orders, "an order")
    with rig.boxes.cut("trading", "aws"):
        before = len(rig.truth().orders)
        if killed:
            time.sleep(2)
            kill(rig, "trading", trading)
        else:
            assert not trading.result(60).done, "it ended the run without its journal"
            rig.let_time_pass()
        assert len(rig.truth().orders) <= before + 1, "orders were sent that were not written down"
    assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)


@pytest.mark.parametrize("role", ["data", "strategy", "trading"])
def test_row_07_aws_stands_still_for_a_while(rig: ContainerRig, undisturbed: dict[str, Decimal], role: str) -> None:
    """Paused, it takes connections and answers nothing: each client waits, and tries again within bounds."""
    if role == "trading":
        rig.up_to_the_decision()
        working = rig.deliver_meanwhile("trading")
        until(rig.has_orders, "an order")
        with rig.boxes["aws"].paused():
            time.sleep(3)
        if not working.result(60).done:
            rig.let_time_pass()
            assert rig.deliver_until_done("trading").done
    else:
        firing = rig.pool.submit(rig.fire)
        if role == "data":
            with rig.boxes["aws"].paused():
                time.sleep(3)
        assert isinstance(firing.result(60).outcome, Answered)
        deciding = rig.deliver_meanwhile("strategy")
        if role == "strategy":
            with rig.boxes["aws"].paused():
                time.sleep(3)
        if not deciding.result(60).done:
            rig.let_time_pass()
            assert rig.deliver_until_done("strategy").done
        assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)
