"""A stage that is deployed into phase shadow, with authority where it belongs; tests leave it as they found it."""

from collections.abc import Iterator

import pytest

from support.stages import StageOnMoto, shadow_stage


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StageOnMoto]:
    with shadow_stage(tmp_path_factory.mktemp("checkout")) as stage:
        yield stage


@pytest.fixture
def dev(world: StageOnMoto) -> StageOnMoto:
    world.told.clear()
    return world
