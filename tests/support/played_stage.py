"""The local stage without containers: what `make up` starts, played by processes and threads of this machine.

Moto and the exchange answer on ports as compose.yaml publishes them; the functions are the real ones behind the
emulator's interface, fed by the real event source.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from threading import Thread

from alchemiser_common.errors import AlchemiserError
from alchemiser_common.ids import Pipeline
from alchemiser_common.lambda_entry import LambdaEntry
from alchemiser_simulator import ClockMode, SimulatorConfig, SimulatorServer, sample_history
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


def _port(url: str) -> str:
    return url.rpartition(":")[2]


@contextmanager
def played_stage() -> Iterator[dict[str, str]]:
    """The variables that name its ports, as a person sets them for compose.yaml. Nothing is provisioned yet.

    The functions find the local AWS's key in the environment of this process, which the caller sets.
    """
    config = SimulatorConfig(history=sample_history(), start=MORNING, clock=ClockMode.FLOWING, speed=SPEED)
    with ExitStack() as open_things:
        aws = open_things.enter_context(moto_server())
        exchange = open_things.enter_context(SimulatorServer(config))
        stage = LocalStage(LocalAws(aws.url), ACCOUNT, SPEED)
        told = {**stage.variables(exchange.url), "ALCHEMISER_PIPELINE": Pipeline.MODULAR.value, **TECL}
        urls = {
            service: open_things.enter_context(fake_function(emulated(LambdaEntry(service, BUILDS[service], told)))).url
            for service in ("data", "strategy", "trading")
        }
        maps = [
            Map(stage.name("MarketDataQueue"), urls["strategy"], _TIME_OUT),
            Map(stage.name("TradeDecisionQueue"), urls["trading"], _TIME_OUT),
        ]
        stop = Flag()
        watches = [Watch(urls["trading"], _TIME_OUT, _EVERY)]
        source = Thread(target=deliver_all, args=(stage.aws, maps, stop, watches), daemon=True)
        source.start()
        open_things.callback(source.join)
        open_things.callback(stop.set)
        yield {
            "AWS_PORT": _port(aws.url),
            "ALPACA_PORT": _port(exchange.url),
            "DATA_PORT": _port(urls["data"]),
            "STRATEGY_PORT": _port(urls["strategy"]),
        }
