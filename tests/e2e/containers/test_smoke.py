"""The probes before a deployment, sent to the real image under the emulator instead of through Lambda's API."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from alchemiser_cli.stage.images import Image
from alchemiser_cli.stage.smoke import (
    SmokeFailed,
    recorded_decision,
    recorded_snapshot,
    require_composition,
    require_decision,
    require_version,
)
from alchemiser_common.messages.wire import encode
from alchemiser_common.settings import StrategySettings
from alchemiser_strategy.bootstrap import enabled_strategies
from images import build
from images.function import RunningImage, running
from images.settings import ROOT
from images.source import read_source

from .conftest import BuiltImage

EVENTS = ROOT / "deploy" / "events"
SETTINGS = {
    "ALCHEMISER_BACKEND": "aws",
    "ALCHEMISER_AWS__TRADE_DECISION_QUEUE": "https://sqs.us-east-1.amazonaws.com/1/nobody.fifo",
    "ALCHEMISER_AWS__BUCKET": "nobodys",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
}


@dataclass(frozen=True)
class EmulatedFunction:
    """A container as the probes ask it."""

    image: RunningImage

    @property
    def name(self) -> str:
        return self.image.function.url

    def invoke(self, event: Mapping[str, object]) -> bytes:
        return self.image.invoke(json.dumps(event).encode()).text.encode()


def test_the_strategy_image_passes_the_probes_with_no_aws_in_reach(built: BuiltImage) -> None:
    image = Image("strategy", read_source(ROOT).tag, "sha256:local")
    with running(built("strategy") + build.LOCAL, environment=SETTINGS) as container:
        function = EmulatedFunction(container)
        require_version(function, image)
        made_of, ours = require_composition(function), enabled_strategies(StrategySettings(), {})
        assert {item.strategy: item.rules for item in made_of.strategies} == ours.rules
        assert made_of.bars == ours.universe
        snapshot = encode(recorded_snapshot(EVENTS))
        assert require_decision(function, {"snapshot": snapshot}).targets == recorded_decision(EVENTS).targets
        with pytest.raises(SmokeFailed, match="says it is strategy, not trading"):
            require_version(function, Image("trading", image.tag, image.digest))
        with pytest.raises(SmokeFailed, match=f"says it is build {image.tag}, not 0000000"):
            require_version(function, Image("strategy", "0000000", image.digest))
