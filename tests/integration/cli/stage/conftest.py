"""A stage that is deployed into phase shadow, with authority where it belongs; tests leave it as they found it."""

from collections.abc import Iterator

import pytest

from alchemiser_common.ids import Pipeline
from alchemiser_trading.account.authority import set_authority
from support.aws import CREDENTIALS
from support.stages import StageOnMoto, stage_on_moto


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StageOnMoto]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
            patch.delenv(name, raising=False)
        with stage_on_moto(tmp_path_factory.mktemp("checkout")) as stage:
            stage.first()
            set_authority(
                stage.store(), "paper-dev", Pipeline.MONOLITH, who="test", reason="first", now=stage.clock.now()
            )
            stage.deploy(phase="staged")
            stage.deploy(phase="shadow")
            stage.finish()
            yield stage


@pytest.fixture
def dev(world: StageOnMoto) -> StageOnMoto:
    world.told.clear()
    return world
