"""A small seeded part of what tests/prove/trading explores in full: some faults, some interleavings."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alchemiser_common.ids import Pipeline
from support.exploration import check, play, race, random_story, stage
from support.trading_rig import Rig


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Rig]]:
    with stage(Path(tmp_path_factory.mktemp("exploration"))) as fresh:
        yield fresh


@pytest.mark.parametrize("seed", range(9000, 9008))
def test_up_to_four_faults_leave_the_exchange_as_none(scene: Callable[[], Rig], seed: int) -> None:
    rig = scene()
    report, _ = play(rig, random_story(seed, 79))
    assert check(rig, report) == "completed"


@pytest.mark.parametrize("seed", range(9000, 9004))
def test_three_workers_and_another_pipeline_trade_once(scene: Callable[[], Rig], seed: int) -> None:
    result, _ = race(scene(), seed, [Pipeline.MODULAR] * 3 + [Pipeline.MONOLITH])
    assert result == "completed"
