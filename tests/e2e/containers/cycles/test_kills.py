"""Containers killed with SIGKILL in the middle of their work, started again, and given the message again."""

import random
import time
from collections.abc import Callable
from concurrent.futures import Future
from decimal import Decimal

import pytest

from alchemiser_common.messages.report import RunStatus
from alchemiser_local.event_source import Delivery
from alchemiser_local.functions import Answered, Unreachable
from alchemiser_simulator.faults import Delay, PartialFills, When
from support.container_bench import ContainerBench, assert_as_undisturbed
from support.real_processes import until

ORDERS = When(method="POST", path="^/v2/orders$")
RANDOM_KILLS = 20


def slow(bench: ContainerBench, path: str) -> Callable[[], bool]:
    """The first such request takes three seconds; whether it is under way."""
    bench.control.add_fault(Delay(match=When(method="GET", path=path), seconds=3, count=1))
    return lambda: bench.control.faults()[0].used == 1


def kill_while_it_works(bench: ContainerBench, role: str, there: Callable[[], bool], what: str) -> None:
    """Deliver the next message, kill the function when it is there; the message stays in its queue."""
    working = bench.deliver_meanwhile(role)
    until(lambda: there() or working.done(), what)
    kill(bench, role, working)


def kill(bench: ContainerBench, role: str, working: Future[Delivery]) -> None:
    bench.boxes[role].kill()
    delivery = working.result(60)
    assert isinstance(delivery.outcome, Unreachable), f"it had ended before it was killed: {delivery}"
    assert not delivery.done
    bench.let_time_pass()


@pytest.mark.parametrize("path", ["/v2/calendar", "/v2/stocks/bars", "/v2/positions"])
def test_data_is_killed_while_it_reads(bench: ContainerBench, undisturbed: dict[str, Decimal], path: str) -> None:
    reading = slow(bench, path)
    firing = bench.pool.submit(bench.fire)
    until(lambda: reading() or firing.done(), f"{path} read")
    bench.boxes["data"].kill()
    attempt = firing.result(60)
    assert attempt.tries == 2, f"the kill did not meet an invocation: {attempt}"
    assert isinstance(attempt.outcome, Answered), attempt
    assert bench.deliver("strategy").done
    assert bench.deliver("trading").done
    assert_as_undisturbed(bench, undisturbed)


def test_data_is_killed_as_it_publishes(bench: ContainerBench, undisturbed: dict[str, Decimal]) -> None:
    """The record says published, the message may be sent or not: the second try publishes the same snapshot."""
    firing = bench.pool.submit(bench.fire)
    until(lambda: bench.status() == RunStatus.PUBLISHED.value or firing.done(), "a published record")
    bench.boxes["data"].kill()
    snapshot = bench.record().snapshot_hash
    firing.result(60)
    bench.start("data")
    assert isinstance(bench.fire().outcome, Answered)
    assert bench.record().snapshot_hash == snapshot, "the same run decided on two snapshots"
    assert bench.deliver("strategy").done
    assert bench.deliver("trading").done
    assert_as_undisturbed(bench, undisturbed)


@pytest.mark.parametrize("seed", range(3))
def test_strategy_is_killed_while_it_decides(bench: ContainerBench, undisturbed: dict[str, Decimal], seed: int) -> None:
    assert isinstance(bench.fire().outcome, Answered)
    deciding = bench.deliver_meanwhile("strategy")
    time.sleep(random.Random(seed).uniform(0.02, 0.15))
    bench.boxes["strategy"].kill()
    if not deciding.result(60).done:
        bench.let_time_pass()
        assert bench.deliver_until_done("strategy").done
    assert bench.deliver("trading").done
    assert_as_undisturbed(bench, undisturbed)


def test_strategy_is_killed_while_its_queue_does_not_answer(
    bench: ContainerBench, undisturbed: dict[str, Decimal]
) -> None:
    assert isinstance(bench.fire().outcome, Answered)
    with bench.boxes.cut("strategy", "aws"):
        deciding = bench.deliver_meanwhile("strategy")
        time.sleep(1.5)
        assert not deciding.done(), "it sent its decision without a network"
        kill(bench, "strategy", deciding)
    assert bench.deliver_until_done("strategy").done
    assert bench.deliver("trading").done
    assert_as_undisturbed(bench, undisturbed)


@pytest.mark.parametrize(
    "moment", ["reads the account", "has sold in part", "has placed an order", "has placed a buy", "holds everything"]
)
def test_trading_is_killed_at_a_stage(bench: ContainerBench, undisturbed: dict[str, Decimal], moment: str) -> None:
    bench.up_to_the_decision()
    there: Callable[[], bool]
    match moment:
        case "reads the account":
            there = slow(bench, "/v2/account")
        case "has sold in part":
            bench.control.add_fault(PartialFills(match=ORDERS, fraction=Decimal("0.3"), max_fills=1, count=3))
            there = lambda: any(0 < order.filled_qty < (order.qty or 0) for order in bench.truth().orders)  # noqa: E731
        case "has placed an order":
            there = lambda: bool(bench.truth().orders)  # noqa: E731
        case "has placed a buy":
            there = lambda: any(order.side == "buy" for order in bench.truth().orders)  # noqa: E731
        case _:
            there = lambda: bench.held() == undisturbed  # noqa: E731
    kill_while_it_works(bench, "trading", there, moment)
    assert bench.deliver_until_done("trading").done
    assert_as_undisturbed(bench, undisturbed)


@pytest.mark.parametrize("seed", range(RANDOM_KILLS))
def test_trading_is_killed_at_random_moments(
    bench: ContainerBench, undisturbed: dict[str, Decimal], trading_seconds: float, seed: int
) -> None:
    """Every third run is killed twice. A run that has ended already gets its message again."""
    chance = random.Random(seed)
    bench.up_to_the_decision()
    for _ in range(2 if seed % 3 == 0 else 1):
        # One moment of each twentieth, so that the seeds together cover the run.
        moment = trading_seconds * (seed + chance.random()) / RANDOM_KILLS
        working = bench.deliver_meanwhile("trading")
        time.sleep(moment)
        bench.boxes["trading"].kill()
        if working.result(60).done:
            break
        bench.start("trading")
        bench.let_time_pass()
    if bench.status() != RunStatus.COMPLETED.value or not bench.pumped[-1].done:
        assert bench.deliver_until_done("trading").done
    assert_as_undisturbed(bench, undisturbed)
