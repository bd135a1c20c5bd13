"""Steps between phases: which are allowed, and who must have the authority for them."""

import pytest

from alchemiser_cli.stage.guards import require_agreement, require_neighbour, require_settled, trader_of
from alchemiser_cli.stage.names import PHASES
from alchemiser_cli.stage.stack import DeployedStack, Refused
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ids import Pipeline


def allowed(now: str | None, to: str) -> bool:
    try:
        require_neighbour(now, to)
    except InvalidSettings:
        return False
    return True


def test_a_step_goes_to_a_neighbour_or_stays_and_begins_with_the_monolith() -> None:
    for here, now in enumerate(PHASES):
        for there, to in enumerate(PHASES):
            assert allowed(now, to) == (abs(here - there) <= 1), (now, to)
    assert [phase for phase in PHASES if allowed(None, phase)] == ["monolith"]


@pytest.mark.parametrize(
    ("authority", "now", "to", "may"),
    [
        (Pipeline.MONOLITH, "shadow", "shadow", True),
        (Pipeline.MONOLITH, "shadow", "cutover", True),  # the phase first, then the authority
        (Pipeline.MONOLITH, "cutover", "cutover", False),  # between the steps
        (Pipeline.MONOLITH, "cutover", "modular", False),
        (Pipeline.MONOLITH, "cutover", "shadow", True),  # the way back
        (Pipeline.MODULAR, "cutover", "modular", True),
        (Pipeline.MODULAR, "cutover", "shadow", True),
        (Pipeline.MODULAR, "shadow", "staged", False),
        (None, "staged", "shadow", False),
    ],
)
def test_a_phase_moves_only_while_its_trader_or_the_next_one_has_the_authority(
    authority: Pipeline | None, now: str, to: str, may: bool
) -> None:
    if may:
        require_agreement(authority, now, to)
    else:
        with pytest.raises(Refused, match=f"in phase {now} the {trader_of(now).value} pipeline trades"):
            require_agreement(authority, now, to)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("UPDATE_IN_PROGRESS", "another change is at work; wait"),
        ("ROLLBACK_COMPLETE", "its first deployment failed. Delete it"),
        ("UPDATE_ROLLBACK_FAILED", "mend that first"),
    ],
)
def test_a_stack_at_work_or_broken_is_not_changed(status: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        require_settled(DeployedStack("alchemiser-dev", "1", status, "", {}, {}))
