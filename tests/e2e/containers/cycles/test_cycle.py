"""A cycle through containers, and the same one with its messages delivered again."""

from decimal import Decimal

from alchemiser_common.messages.report import RunStatus
from support.container_rig import OUT_OF, ContainerRig, assert_as_undisturbed


def test_a_cycle_sells_what_is_not_wanted_and_buys_what_is(rig: ContainerRig, undisturbed: dict[str, Decimal]) -> None:
    rig.up_to_the_decision()
    assert rig.status() == RunStatus.PUBLISHED.value
    assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)
    assert OUT_OF[0] not in rig.held()
    assert len(rig.plan().legs) >= 3, "too little is traded to disturb"
    assert [time.stage.value for time in rig.report().trace] == ["data", "strategy", "trading"]
