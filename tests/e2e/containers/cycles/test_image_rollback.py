"""The trading function is rolled back to this image with a run of the next release in the store."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from alchemiser_common import keys
from alchemiser_common.messages.report import RunStatus
from support.container_rig import NEXT_RELEASE, ContainerRig, assert_as_undisturbed, kill_while_it_works
from support.next_minor import FIELD


@pytest.mark.parametrize("moment", ["has placed an order", "has placed a buy"])
def test_this_image_finishes_what_the_next_one_began(
    rig: ContainerRig, undisturbed: dict[str, Decimal], moment: str
) -> None:
    rig.up_to_the_decision()
    there: Callable[[], bool] = rig.has_orders if moment == "has placed an order" else rig.has_a_buy
    kill_while_it_works(rig, NEXT_RELEASE, there, moment)
    stored = rig.stage.state.get(keys.journal_record(rig.run))
    assert stored is not None
    assert FIELD in stored.body, "the next release left the run"
    assert rig.status() == RunStatus.EXECUTING.value
    assert rig.deliver_until_done("trading").done
    assert_as_undisturbed(rig, undisturbed)


def test_the_next_image_ends_a_run_that_this_one_reports_again(
    rig: ContainerRig, undisturbed: dict[str, Decimal]
) -> None:
    rig.up_to_the_decision()
    event = rig.decision_event()
    assert rig.deliver_until_done(NEXT_RELEASE).done
    again = rig.function("trading").invoke(event)
    assert again.payload == {"batchItemFailures": []}, again  # type: ignore[union-attr]
    assert_as_undisturbed(rig, undisturbed)
