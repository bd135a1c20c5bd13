"""Containers killed with SIGKILL in the middle of their work, started again, and given the message again."""

import json
import random
import time
from collections.abc import Callable
from decimal import Decimal

import pytest

from alchemiser_common.messages.report import RunStatus
from alchemiser_simulator.control.faults import Delay, LaggingPositions, When
from local.functions import Answered
from support.container_bench import ContainerBench, assert_as_undisturbed, kill, kill_while_it_works
from support.real_processes import until


def slow(bench: ContainerBench, path: str) -> Callable[[], bool]:
    """The first such request takes three seconds; whether it is under way."""
    bench.control.add_fault(Delay(match=When(method="GET", path=path), seconds=3, count=1))
    return lambda: bench.control.faults()[0].used == 1


@pytest.mark.parametrize("path", ["/v2/calendar", "/v2/stocks/bars", "/v2/positions"])
def test_data_is_killed_while_it_reads(bench: ContainerBench, undisturbed: dict[str, Decimal], path: str) -> None:
    reading = slow(bench, path)
    firing = bench.pool.submit(bench.fire)
    until(lambda: reading() or firing.done(), f"{path} read")
    bench.boxes["data"].kill()
    attempt = firing.result(60)
    assert attempt.tries == 2, f"the kill did not meet an invocation: {attempt}"
    assert isinstance(attempt.outcome, Answered), attempt
    assert bench.deliver_until_done("strategy").done
    assert bench.deliver_until_done("trading").done
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
    assert bench.deliver_until_done("strategy").done
    assert bench.deliver_until_done("trading").done
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
    assert bench.deliver_until_done("trading").done
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
    assert bench.deliver_until_done("trading").done
    assert_as_undisturbed(bench, undisturbed)


@pytest.mark.parametrize("moment", ["reads the account", "has placed an order", "has placed a buy", "holds everything"])
def test_trading_is_killed_at_a_stage(bench: ContainerBench, undisturbed: dict[str, Decimal], moment: str) -> None:
    bench.up_to_the_decision()
    there: Callable[[], bool]
    match moment:
        case "reads the account":
            there = slow(bench, "/v2/account")
        case "has placed an order":
            there = bench.has_orders
        case "has placed a buy":
            there = bench.has_a_buy
        case _:
            # The account shows its fills late, so the run still waits for them when everything is filled.
            bench.control.add_fault(LaggingPositions(seconds=25))
            there = lambda: bench.held() == undisturbed  # noqa: E731
    kill_while_it_works(bench, "trading", there, moment)
    assert bench.deliver_until_done("trading").done
    assert_as_undisturbed(bench, undisturbed)


def test_three_kills_end_in_the_dead_letters_and_a_redrive_completes_the_run(
    bench: ContainerBench, undisturbed: dict[str, Decimal], caplog: pytest.LogCaptureFixture
) -> None:
    bench.up_to_the_decision()
    for number in range(3):
        bench.start("trading")
        wanted = number + 1
        kill_while_it_works(bench, "trading", lambda: len(bench.truth().orders) >= wanted, f"{wanted} orders")  # noqa: B023
    assert bench.pumped[-1].last
    assert "ALARM: message goes to the dead letters" in caplog.text
    assert bench.source("trading").poll() is None, "a fourth delivery"
    (letter,) = json.loads(bench.alchemiser("dlq", "list", "--json"))
    assert letter["run_id"] == str(bench.run)
    assert bench.status() == RunStatus.EXECUTING.value
    bench.alchemiser("dlq", "redrive", letter["id"], "--reason=the machine is well again", "--yes")
    assert bench.deliver_until_done("trading").done
    assert_as_undisturbed(bench, undisturbed)
