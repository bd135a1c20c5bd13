"""Records the events that functions are invoked with by hand: deploy/events, from one cycle on the simulated exchange.

The sample market and a simulated clock decide everything in them, so that recording again gives the same bytes.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from alchemiser_cli.cycles import connected, due_cycle
from alchemiser_cli.simulated import Exchange, Market
from alchemiser_common.decision_time import decision_time
from alchemiser_common.ids import Pipeline
from alchemiser_common.lambda_events import sqs_event
from alchemiser_common.ports.queue import Queue
from alchemiser_common.settings import Environment, Settings
from alchemiser_data.handler import DataFunction
from alchemiser_monolith.bootstrap import data_service, portfolio
from alchemiser_monolith.platform import MARKET_DATA_QUEUE, TRADE_DECISION_QUEUE
from alchemiser_strategy.handler import StrategyFunction
from alchemiser_strategy.service import StrategyService
from images.errors import ImagesError
from images.settings import ROOT

FOLDER = ROOT / "deploy" / "events"
_DAY = date(2020, 6, 3)
_MESSAGE_ID = "00000000-0000-4000-8000-000000000001"

type Event = Mapping[str, object]


def record() -> dict[str, Event]:
    """The events by file name: the scheduler's, one from each queue, and the version probe."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), environment=Environment.SIMULATED, pipeline=Pipeline.MODULAR)
        build = {"ALCHEMISER_GIT_SHA": "recorded"}
        with connected(settings, build, start=_DAY, prepare=_to_decision_time) as platform:
            trigger = due_cycle(platform).trigger.model_dump(mode="json")
            manager = portfolio(platform)
            data = DataFunction(data_service(platform, manager, Pipeline.MODULAR), platform.market_data_queue)
            data.handle(trigger)
            snapshot = _received(platform.market_data_queue, MARKET_DATA_QUEUE)
            strategy = StrategyFunction(StrategyService(manager, platform.clock), platform.trade_decision_queue)
            strategy.handle(snapshot)
            decision = _received(platform.trade_decision_queue, TRADE_DECISION_QUEUE)
    return {
        "scheduled.json": trigger,
        "sqs-snapshot.json": snapshot,
        "sqs-decision.json": decision,
        "version.json": {"probe": "version"},
    }


def write(folder: Path = FOLDER) -> list[Path]:
    """Record and write them; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, event in record().items():
        path = folder / name
        path.write_text(json.dumps(event, indent=1) + "\n", "utf-8")
        written.append(path)
    return written


def _to_decision_time(market: Market, exchange: Exchange) -> None:
    session = market.as_session(market.sessions_from(_DAY, 1)[0])
    exchange.clock.move_to(decision_time(session, Settings().schedule))


def _received(queue: Queue, name: str) -> Event:
    """The queue's one message as Lambda hands it in. Raises ImagesError if there is none."""
    deliveries = queue.receive()
    if not deliveries:
        raise ImagesError(f"the recorded cycle sent nothing to {name}; `alchemiser run --date {_DAY}` shows why")
    (delivery,) = deliveries
    always_alike = replace(delivery, message_id=_MESSAGE_ID, receipt="recorded")
    return sqs_event(always_alike, f"arn:aws:sqs:us-east-1:000000000000:{name}.fifo")
