"""The strategy function asked on trial: it decides on the recorded snapshot and sends nothing."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alchemiser_common.embedded.memory_queue import MemoryQueue
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.wire import decode
from alchemiser_common.settings import StrategySettings
from alchemiser_strategy.bootstrap import enabled_strategies
from alchemiser_strategy.handler import StrategyFunction
from alchemiser_strategy.service import StrategyService
from support.clock import ManualClock

EVENTS = Path(__file__).parents[3] / "deploy" / "events"


def body(name: str) -> str:
    return str(json.loads((EVENTS / name).read_text())["Records"][0]["body"])


def test_a_trial_decides_as_the_recorded_run_did_and_sends_nothing() -> None:
    clock = ManualClock(datetime(2020, 6, 3, 13, 45, tzinfo=UTC))
    queue = MemoryQueue("TradeDecisionQueue", clock, visibility=timedelta(minutes=1))
    function = StrategyFunction(StrategyService(enabled_strategies(StrategySettings(), {}), clock), queue)
    answer = function.handle({"probe": "decision", "snapshot": body("sqs-snapshot.json")})
    assert isinstance(answer, TradeDecision)
    assert answer.targets == decode(body("sqs-decision.json"), TradeDecision).targets
    assert list(queue.receive()) == []
