"""Networks cut, servers that go away, a broker slower than the function's time, a message that nobody can read."""

import json
import time
from decimal import Decimal

import pytest

from alchemiser_simulator.control.faults import Delay, When
from local.functions import Answered, Overran
from support.container_bench import SHORT_OF_TIME, ContainerBench, assert_as_undisturbed, kill, kill_while_it_works
from support.real_processes import until

ORDERS = When(method="POST", path="^/v2/orders$")


def test_every_message_delivered_twice(bench: ContainerBench, undisturbed: dict[str, Decimal]) -> None:
    """The schedule fires twice, the strategy decides twice, the decision comes twice."""
    assert isinstance(bench.fire().outcome, Answered)
    assert isinstance(bench.fire().outcome, Answered)
    with bench.boxes["strategy"].paused():
        lost = bench.deliver_meanwhile("strategy")
        time.sleep(0.3)
    lost.result(60)
    bench.let_time_pass()
    if bench.messages("MarketDataQueue"):
        assert bench.deliver_until_done("strategy").done
    event = bench.decision_event()
    assert bench.deliver_until_done("trading").done
    assert isinstance(bench.invoke("trading", event), Answered)
    assert bench.messages("TradeDecisionQueue") == 0
    assert_as_undisturbed(bench, undisturbed)


def test_the_network_to_the_broker_is_cut_during_a_submit(
    bench: ContainerBench, undisturbed: dict[str, Decimal]
) -> None:
    """The exchange takes the order while nobody can hear its answer."""
    bench.up_to_the_decision()
    bench.control.add_fault(Delay(match=ORDERS, seconds=2, count=1))
    trading = bench.deliver_meanwhile("trading")
    until(lambda: bench.control.faults()[0].used == 1, "an order on its way")
    with bench.boxes.cut("trading", "broker"):
        until(bench.has_orders, "the order at the exchange")
        time.sleep(3)
    if not trading.result(60).done:
        bench.let_time_pass()
        assert bench.deliver_until_done("trading").done
    assert_as_undisturbed(bench, undisturbed)


def test_an_order_arrives_after_its_sender_died_and_its_message_was_delivered_again(
    bench: ContainerBench, undisturbed: dict[str, Decimal]
) -> None:
    """It was absent when it was looked up, so the next delivery sent it again under the same id: one of them counts."""
    bench.up_to_the_decision()
    bench.control.add_fault(Delay(match=ORDERS, seconds=10, count=1))
    trading = bench.deliver_meanwhile("trading")
    until(lambda: bench.control.faults()[0].used == 1, "an order on its way")
    arrives = time.monotonic() + 10
    kill(bench, "trading", trading)
    assert bench.deliver_until_done("trading").done
    time.sleep(max(arrives + 1 - time.monotonic(), 0))
    assert_as_undisturbed(bench, undisturbed)


def test_a_broker_slower_than_the_functions_time(bench: ContainerBench, undisturbed: dict[str, Decimal]) -> None:
    """The emulator kills the runtime with SIGKILL when its time is over; the next delivery starts a new one."""
    bench.up_to_the_decision()
    trading = bench.deliver_meanwhile(SHORT_OF_TIME)
    until(bench.has_orders, "an order")
    bench.control.add_fault(Delay(match=When(method="GET", path="^/v2/"), seconds=25))
    delivery = trading.result(60)
    assert isinstance(delivery.outcome, Overran), delivery
    assert "Task timed out after" in delivery.outcome.reason
    bench.control.clear_faults()
    bench.let_time_pass()
    assert bench.boxes[SHORT_OF_TIME].running, "the container went with its runtime"
    assert isinstance(bench.invoke(SHORT_OF_TIME, {"probe": "version"}), Answered), "there is no new runtime"
    assert bench.deliver_until_done("trading").done
    assert_as_undisturbed(bench, undisturbed)


def test_the_exchange_is_killed_mid_run_and_comes_back_with_its_books(
    bench: ContainerBench, undisturbed: dict[str, Decimal]
) -> None:
    bench.up_to_the_decision()
    trading = bench.deliver_meanwhile("trading")
    until(bench.has_orders, "an order")
    orders = {order.client_order_id for order in bench.truth().orders}
    bench.boxes["alpaca"].kill()
    time.sleep(1)
    bench.boxes["alpaca"].start()
    assert orders <= {order.client_order_id for order in bench.truth().orders}, "the exchange lost orders"
    if not trading.result(60).done:
        bench.let_time_pass()
        assert bench.deliver_until_done("trading").done
    assert_as_undisturbed(bench, undisturbed)


def test_aws_is_started_again_and_what_it_held_is_carried_over(
    bench: ContainerBench, undisturbed: dict[str, Decimal]
) -> None:
    """AWS keeps what it holds; moto does not. The test carries table, archive and message over the restart itself."""
    bench.up_to_the_decision()
    kill_while_it_works(bench, "trading", bench.has_a_buy, "a buy")
    with bench.carried_over():
        bench.boxes["aws"].kill()
        bench.boxes["aws"].start()
    assert bench.deliver_until_done("trading").done
    assert_as_undisturbed(bench, undisturbed)


@pytest.mark.parametrize(
    ("role", "body"),
    [
        ("trading", "not JSON"),
        ("trading", json.dumps({"kind": "trade-decision", "schema_version": "99.0"})),
        ("strategy", json.dumps({"kind": "market-snapshot"})),
    ],
)
def test_a_message_that_cannot_be_read_ends_in_the_dead_letters_and_the_next_is_handled(
    bench: ContainerBench,
    undisturbed: dict[str, Decimal],
    role: str,
    body: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench.send(role, body)
    for number in range(1, 4):
        delivery = bench.deliver(role)
        assert (delivery.receive_count, delivery.done) == (number, False)
        bench.forget_the_visibility()
    assert bench.pumped[-1].last
    assert "ALARM: message goes to the dead letters" in caplog.text
    bench.up_to_the_decision()
    assert bench.deliver_until_done("trading").done
    (letter,) = json.loads(bench.alchemiser("dlq", "list", "--json"))
    assert json.loads(bench.alchemiser("dlq", "show", letter["id"], "--json"))["body"] == body
    bench.alchemiser("dlq", "drop", letter["id"], "--reason=nobody can read it", "--yes")
    assert_as_undisturbed(bench, undisturbed)
