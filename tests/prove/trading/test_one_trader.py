"""The table of authority, phases, flags and deaths with every row played, none taken for another."""

from collections.abc import Iterator

import pytest

from alchemiser_cli.stage.names import PHASES
from support.one_trader.combinations import Count, played
from support.one_trader.stage import Stage, staged


@pytest.fixture
def stage() -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patch, staged(patch) as made:
        yield made


@pytest.mark.timeout(900)
def test_each_of_five_hundred_combinations_is_played(stage: Stage) -> None:
    count = Count()
    for phase in PHASES:
        for row, outcome, own in played(stage.play, phase, every=True):
            count.add(row, outcome, own=own)
    print(count)  # noqa: T201  (shown with -rP)
    assert count.faults == []
    assert (count.rows, count.played, count.two, count.none, count.silent) == (500, 500, 0, 400, 0)
