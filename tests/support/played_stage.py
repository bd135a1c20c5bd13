"""The local stage without containers: what `make up` starts, played by processes and threads of this machine.

Moto and the exchange answer on ports as compose.yaml publishes them; the functions are the real ones behind the
emulator's interface, fed by the real event source.
"""

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from threading import Thread

import yaml

from alchemiser_common.errors import AlchemiserError
from alchemiser_common.lambda_entry import LambdaEntry
from alchemiser_simulator import ClockMode, SimulatorConfig, SimulatorServer, sample_history
from deploy.template import ROOT
from local.aws import LocalAws
from local.delivering import Map, Watch, deliver_all
from local.stage import LocalStage
from support.aws import moto_server
from support.fake_function import Behaviour, Reply, fake_function
from support.functions import BUILDS, TECL, QuarterHour

ACCOUNT = "demo"
SPEED = 60.0
"""Exchange seconds a real second."""
MORNING = datetime(2020, 6, 3, 12, tzinfo=UTC)
"""Of a session, before its open."""
_TIME_OUT = timedelta(seconds=30)
_EVERY = timedelta(seconds=5)


def emulated(entry: LambdaEntry) -> Behaviour:
    """A function's handler as the emulator lets it be asked."""

    def behave(event: Mapping[str, object]) -> Reply:
        try:
            return 200, json.dumps(entry(event, QuarterHour()))
        except AlchemiserError as error:
            return 200, json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})

    return behave


@dataclass(frozen=True, slots=True)
class PlayedStage:
    """What is up."""

    ports: Mapping[str, str]
    """The variables that choose its ports, as a person sets them for compose.yaml."""
    logs: io.StringIO
    """What functions and event source say, as `make logs` has it."""


@contextmanager
def played_stage() -> Iterator[PlayedStage]:
    """The stage with compose.yaml's own settings. Nothing is provisioned yet.

    The functions find the local AWS's key in the environment of this process, which the caller sets.
    """
    config = SimulatorConfig(history=sample_history(), start=MORNING, clock=ClockMode.FLOWING, speed=SPEED)
    logs = io.StringIO()
    with ExitStack() as up:
        aws = up.enter_context(moto_server())
        exchange = up.enter_context(SimulatorServer(config))
        up.enter_context(redirect_stdout(logs))
        urls = {}
        for service in ("data", "strategy", "trading"):
            entry = LambdaEntry(service, BUILDS[service], told(service, aws.url, exchange.url))
            urls[service] = up.enter_context(fake_function(emulated(entry))).url
        stage, stop = LocalStage(LocalAws(aws.url), ACCOUNT, SPEED), Flag()
        maps = [
            Map(stage.name("MarketDataQueue"), urls["strategy"], _TIME_OUT),
            Map(stage.name("TradeDecisionQueue"), urls["trading"], _TIME_OUT),
        ]
        watches = [Watch(urls["trading"], _TIME_OUT, _EVERY)]
        source = Thread(target=deliver_all, args=(stage.aws, maps, stop, watches), daemon=True)
        source.start()
        up.callback(source.join)
        up.callback(stop.set)
        named = {
            "AWS_PORT": aws.url,
            "ALPACA_PORT": exchange.url,
            "DATA_PORT": urls["data"],
            "STRATEGY_PORT": urls["strategy"],
        }
        yield PlayedStage({name: url.rpartition(":")[2] for name, url in named.items()}, logs)


def told(service: str, aws: str, exchange: str) -> dict[str, str]:
    """What compose.yaml tells a function, with addresses of this machine for those of its network; few strategies."""
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"][service]["environment"]
    addresses = {"http://aws:5000": aws, "http://alpaca:8765": exchange}
    found = dict(TECL)
    for name, text in compose.items():
        for within, here in addresses.items():
            text = text.replace(within, here)  # noqa: PLW2901  (one after the other)
        found[name] = text
    return found
