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
from support.container_rig import ContainerRig, assert_as_undisturbed, kill, kill_while_it_works
from support.real_processes import until


def slow(rig: ContainerRig, path: str) -> Callable[[], bool]:
    """The first such request takes three seconds; whether it is under way."""
    rig.control.add_fault(Delay(match=When(method="GET", path=path), seconds=3, count=1))
    return lambda: rig.control.faults()[0].used == 1


@pytest.mark.parametrize("path", ["/v2/calendar", "/v2/stocks/bars", "/v2/positions"])
def test_data_is_killed_while_it_reads(rig: ContainerRig, undisturbed: dict[str, Decimal], path: str) -> None:
    reading = slow(rig, path)
    firing = rig.pool.submit(rig.fire)
    until(lambda: reading() or firing.done(), f"{path} read")
    rig.boxes["data"].kill()
    attempt = firing.result(60)
    assert attempt.tries == 2, f"the kill did not meet an invocation: {attempt}"
    assert isinstance(attempt.outcome, Answered), attempt
    assert rig.deliver_until_done("strategy").done
    assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)


def test_data_is_killed_as_it_publishes(rig: ContainerRig, undisturbed: dict[str, Decimal]) -> None:
    """The record says published, the message may be sent or not: the second try publishes the same snapshot."""
    firing = rig.pool.submit(rig.fire)
    until(lambda: rig.status() == RunStatus.PUBLISHED.value or firing.done(), "a published record")
    rig.boxes["data"].kill()
    snapshot = rig.record().snapshot_hash
    firing.result(60)
    rig.start("data")
    assert isinstance(rig.fire().outcome, Answered)
    assert rig.record().snapshot_hash == snapshot, "the same run decided on two snapshots"
    assert rig.deliver_until_done("strategy").done
    assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)


@pytest.mark.parametrize("seed", range(3))
def test_strategy_is_killed_while_it_decides(rig: ContainerRig, undisturbed: dict[str, Decimal], seed: int) -> None:
    assert isinstance(rig.fire().outcome, Answered)
    deciding = rig.deliver_meanwhile("strategy")
    time.sleep(random.Random(seed).uniform(0.02, 0.15))
    rig.boxes["strategy"].kill()
    if not deciding.result(60).done:
        rig.let_time_pass()
        assert rig.deliver_until_done("strategy").done
    assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)


def test_strategy_is_killed_while_its_queue_does_not_answer(rig: ContainerRig, undisturbed: dict[str, Decimal]) -> None:
    assert isinstance(rig.fire().outcome, Answered)
    with rig.boxes.cut("strategy", "aws"):
        deciding = rig.deliver_meanwhile("strategy")
        time.sleep(1.5)
        assert not deciding.done(), "it sent its decision without a network"
        kill(rig, "strategy", deciding)
    assert rig.deliver_until_done("strategy").done
    assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)


@pytest.mark.parametrize("moment", ["reads the account", "has placed an order", "has placed a buy", "holds everything"])
def test_trading_is_killed_at_a_stage(rig: ContainerRig, undisturbed: dict[str, Decimal], moment: str) -> None:
    rig.up_to_the_decision()
    there: Callable[[], bool]
    match moment:
        case "reads the account":
            there = slow(rig, "/v2/account")
        case "has placed an order":
            there = rig.has_orders
        case "has placed a buy":
            there = rig.has_a_buy
        case _:
            # The account shows its fills late, so the run still waits for them when everything is filled.
            rig.control.add_fault(LaggingPositions(seconds=25))
            there = lambda: rig.held() == undisturbed  # noqa: E731
    kill_while_it_works(rig, "trading", there, moment)
    assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)


def test_three_kills_end_in_the_dead_letters_and_a_redrive_completes_the_run(
    rig: ContainerRig, undisturbed: dict[str, Decimal], caplog: pytest.LogCaptureFixture
) -> None:
    rig.give_up_after(3)
    rig.up_to_the_decision()
    for number in range(3):
        rig.start("trading")
        wanted = number + 1
        kill_while_it_works(rig, "trading", lambda: len(rig.truth().orders) >= wanted, f"{wanted} orders")  # noqa: B023
    assert rig.pumped[-1].last
    assert "ALARM: message goes to the dead letters" in caplog.text
    assert rig.source("trading").poll() is None, "a fourth delivery"
    (letter,) = json.loads(rig.alchemiser("dlq", "list", "--json"))
    assert letter["run_id"] == str(rig.run)
    assert rig.status() == RunStatus.EXECUTING.value
    rig.alchemiser("dlq", "redrive", letter["id"], "--reason=the machine is well again", "--yes")
    assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)
