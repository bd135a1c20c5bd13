"""A cycle through containers, and the same one with its messages delivered again."""

from decimal import Decimal

from alchemiser_common.messages.report import RunStatus
from support.container_bench import OUT_OF, ContainerBench, assert_as_undisturbed


def test_a_cycle_sells_what_is_not_wanted_and_buys_what_is(
    bench: ContainerBench, undisturbed: dict[str, Decimal]
) -> None:
    bench.up_to_the_decision()
    assert bench.status() == RunStatus.PUBLISHED.value
    assert bench.deliver_until_done("trading").done
    assert_as_undisturbed(bench, undisturbed)
    assert OUT_OF[0] not in bench.held()
    assert len(bench.plan().legs) >= 3, "too little is traded to disturb"
    assert [time.stage.value for time in bench.report().trace] == ["data", "strategy", "trading"]
