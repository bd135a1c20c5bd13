"""The drill's stage: deployed by the real command, its functions real images in containers, its time the exchange's."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from alchemiser_simulator import ClockMode, PriceHistory, SimulatorControl, sample_history
from alchemiser_simulator.market.intraday import SpreadModel
from drill.platform import Platform
from images.docker import docker
from local.cycle import Exchange
from local.exchange import SHADOW_TOKEN
from support.aws import CREDENTIALS
from support.command import Result, alchemiser
from support.stages import StageOnMoto, stage_on_moto

ACCOUNT = "paper-dev"
GOOD, BAD = "a" * 12, "b" * 12
"""The build that is deployed, and the one with another threshold."""


@dataclass
class DrillStage:
    """The stage as an operator has it: a checkout, credentials, and the command."""

    moto: StageOnMoto
    platform: Platform
    control: SimulatorControl
    exchange: Exchange

    def run(self, *arguments: str, extra: Mapping[str, str] | None = None) -> Result:
        """The operator's command, in the checkout."""
        here = {
            **CREDENTIALS,
            "AWS_DEFAULT_REGION": "us-east-1",
            "ALCHEMISER_AWS__ENDPOINT_URL": self.moto.url,
            "ALCHEMISER_AWS__READ_TIMEOUT_SECONDS": "60",  # moto makes a whole stack in one answer
            "ALCHEMISER_BROKER__TRADING_URL": self.moto.exchange_url,
            "ALCHEMISER_BROKER__DATA_URL": self.moto.exchange_url,
            **(extra or {}),
        }
        return alchemiser(self.moto.folder, *arguments, extra=here)

    def on_stage(self, *arguments: str) -> Result:
        """A command on the stage's own records, in a terminal that `alchemiser stage dev` has told where it is."""
        told = json.loads(self.run("stage", "dev", "--json").out)
        return self.run(
            *arguments, extra={**told, "ALCHEMISER_ENVIRONMENT": "simulated"}
        )  # the exchange is this machine's

    def finish(self) -> None:
        """What moto's CloudFormation leaves out of table and bucket."""
        self.moto.finish()


def quiet(history: PriceHistory) -> PriceHistory:
    """Each day at one price: what a pipeline sees does not hang on the minute in which it looks."""
    close = history.close
    return replace(history, given_open=close, given_high=close, given_low=close, source="quiet sample market")


@contextmanager
def drill_stage(folder: Path, images: Mapping[str, str], bad_strategy: str, days_alike: int) -> Iterator[DrillStage]:
    """An account with the images, the keys and nothing deployed; its containers go in the end."""
    label = uuid4().hex[:8]
    gateway = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    with ExitStack() as up:
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
            os.environ.pop(name, None)
        os.environ.update({**CREDENTIALS, "STAGE_LABEL": label})
        moto = up.enter_context(
            stage_on_moto(
                folder,
                host=gateway,
                history=quiet(sample_history()),
                clock=ClockMode.WAITED,
                reading_tokens=frozenset({SHADOW_TOKEN}),
                spread=SpreadModel(floor=0.00005, range_share=0, illiquid=0, opening_factor=1),
            )
        )
        moto.push(GOOD, images=images)
        moto.push(BAD, "strategy", images={"strategy": bad_strategy})
        secret = json.dumps({"oauth_token": SHADOW_TOKEN})
        moto.client("secretsmanager").create_secret(Name="alchemiser/dev/shadow", SecretString=secret)
        _configure(folder / "deploy" / "samconfig.toml", days_alike)
        control = up.enter_context(SimulatorControl(moto.exchange_url))
        platform = Platform(moto, control, label)
        up.callback(platform.remove_containers)
        yield DrillStage(moto, platform, control, Exchange(moto.exchange_url))


def _configure(file: Path, days_alike: int) -> None:
    """The checkout's stage dev: alarms on, and as many days before cutover as the script has."""
    text = file.read_text("utf-8")
    changed = text.replace("AlarmsEnabled=false", "AlarmsEnabled=true", 1).replace(
        "\n[staging.global", f"\n[dev.alchemiser.parameters]\ndays_alike = {days_alike}\n\n[staging.global", 1
    )
    assert changed.count("days_alike = ") == 1, "samconfig.toml has another form"
    file.write_text(changed)
