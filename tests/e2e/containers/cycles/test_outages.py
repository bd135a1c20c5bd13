"""Networks cut, servers that go away, a broker slower than the function's time, a message that nobody can read."""

import json
import time
from decimal import Decimal

import pytest

from alchemiser_cli.stage.names import RECEIVES
from alchemiser_simulator.control.faults import Delay, When
from local.functions import Answered, Overran
from support.container_rig import QUEUES, SHORT_OF_TIME, ContainerRig, assert_as_undisturbed, kill, kill_while_it_works
from support.real_processes import until

ORDERS = When(method="POST", path="^/v2/orders$")


def test_every_message_delivered_twice(rig: ContainerRig, undisturbed: dict[str, Decimal]) -> None:
    """The schedule fires twice, the strategy decides twice, the decision comes twice."""
    assert isinstance(rig.fire().outcome, Answered)
    assert isinstance(rig.fire().outcome, Answered)
    with rig.boxes["strategy"].paused():
        lost = rig.deliver_meanwhile("strategy")
        time.sleep(0.3)
    lost.result(60)
    rig.let_time_pass()
    if rig.messages("MarketDataQueue"):
        assert rig.deliver_until_done("strategy").done
    event = rig.decision_event()
    assert rig.deliver_until_done("trading").done
    assert isinstance(rig.invoke("trading", event), Answered)
    assert rig.messages("TradeDecisionQueue") == 0
    assert_as_undisturbed(rig, undisturbed)


def test_the_network_to_the_broker_is_cut_during_a_submit(rig: ContainerRig, undisturbed: dict[str, Decimal]) -> None:
    """The exchange takes the order while nobody can hear its answer."""
    rig.up_to_the_decision()
    rig.control.add_fault(Delay(match=ORDERS, seconds=2, count=1))
    trading = rig.deliver_meanwhile("trading")
    until(lambda: rig.control.faults()[0].used == 1, "an order on its way")
    with rig.boxes.cut("trading", "broker"):
        until(rig.has_orders, "the order at the exchange")
        time.sleep(3)
    if not trading.result(60).done:
        rig.let_time_pass()
        assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)


def test_an_order_arrives_after_its_sender_died_and_its_message_was_delivered_again(
    rig: ContainerRig, undisturbed: dict[str, Decimal]
) -> None:
    """It was absent when it was looked up, so the next delivery sent it again under the same id: one of them counts."""
    rig.up_to_the_decision()
    rig.control.add_fault(Delay(match=ORDERS, seconds=10, count=1))
    trading = rig.deliver_meanwhile("trading")
    until(lambda: rig.control.faults()[0].used == 1, "an order on its way")
    arrives = time.monotonic() + 10
    kill(rig, "trading", trading)
    assert rig.deliver_until_done("trading").done
    time.sleep(max(arrives + 1 - time.monotonic(), 0))
    assert_as_undisturbed(rig, undisturbed)


def test_a_broker_slower_than_the_functions_time(rig: ContainerRig, undisturbed: dict[str, Decimal]) -> None:
    """The emulator kills the runtime with SIGKILL when its time is over; the next delivery starts a new one."""
    rig.up_to_the_decision()
    trading = rig.deliver_meanwhile(SHORT_OF_TIME)
    until(rig.has_orders, "an order")
    rig.control.add_fault(Delay(match=When(method="GET", path="^/v2/"), seconds=25))
    delivery = trading.result(60)
    assert isinstance(delivery.outcome, Overran), delivery
    assert "Task timed out after" in delivery.outcome.reason
    rig.control.clear_faults()
    rig.let_time_pass()
    assert rig.boxes[SHORT_OF_TIME].running, "the container went with its runtime"
    assert isinstance(rig.invoke(SHORT_OF_TIME, {"probe": "version"}), Answered), "there is no new runtime"
    assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)


def test_the_exchange_is_killed_mid_run_and_comes_back_with_its_books(
    rig: ContainerRig, undisturbed: dict[str, Decimal]
) -> None:
    rig.up_to_the_decision()
    trading = rig.deliver_meanwhile("trading")
    until(rig.has_orders, "an order")
    orders = {order.client_order_id for order in rig.truth().orders}
    rig.boxes["alpaca"].kill()
    time.sleep(1)
    rig.boxes["alpaca"].start()
    assert orders <= {order.client_order_id for order in rig.truth().orders}, "the exchange lost orders"
    if not trading.result(60).done:
        rig.let_time_pass()
        assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)


def test_aws_is_started_again_and_what_it_held_is_carried_over(
    rig: ContainerRig, undisturbed: dict[str, Decimal]
) -> None:
    """AWS keeps what it holds; moto does not. The test carries table, archive and message over the restart itself."""
    rig.up_to_the_decision()
    kill_while_it_works(rig, "trading", rig.has_a_buy, "a buy")
    with rig.carried_over():
        rig.boxes["aws"].kill()
        rig.boxes["aws"].start()
    assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)


@pytest.mark.parametrize(
    ("role", "body"),
    [
        ("trading", "not JSON"),
        ("trading", json.dumps({"kind": "trade-decision", "schema_version": "99.0"})),
        ("strategy", json.dumps({"kind": "market-snapshot"})),
    ],
)
def test_a_message_that_cannot_be_read_ends_in_the_dead_letters_and_the_next_is_handled(
    rig: ContainerRig,
    undisturbed: dict[str, Decimal],
    role: str,
    body: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig.send(role, body)
    for number in range(1, RECEIVES[QUEUES[role]] + 1):
        delivery = rig.deliver(role)
        assert (delivery.receive_count, delivery.done) == (number, False)
        rig.forget_the_visibility()
    assert rig.pumped[-1].last
    assert "ALARM: message goes to the dead letters" in caplog.text
    rig.up_to_the_decision()
    assert rig.deliver_until_done("trading").done
    (letter,) = json.loads(rig.alchemiser("dlq", "list", "--json"))
    assert json.loads(rig.alchemiser("dlq", "show", letter["id"], "--json"))["body"] == body
    rig.alchemiser("dlq", "drop", letter["id"], "--reason=nobody can read it", "--yes")
    assert_as_undisturbed(rig, undisturbed)
