"""The two pipelines' runs of one cycle are compared once, by whoever ends second, and counted for the alarm."""

import io
import json

import pytest

from alchemiser_common import keys
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.base import Stage
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.wire import encode
from alchemiser_common.metrics import Metric, Metrics
from alchemiser_common.ports.state import load
from alchemiser_common.records.parity import Parity, Verdict
from alchemiser_trading.account.authority import set_authority
from alchemiser_trading.handler import TradingFunction
from support.trading_rig import QUARTER_HOUR, Rig
from support.trading_runs import SWITCH


def handle(rig: Rig, decision: TradeDecision, *, shadow: bool) -> list[dict[str, object]]:
    """Deliver a decision to the function; the metrics' lines that it wrote."""
    out = io.StringIO()
    settings = rig.settings.model_copy(update={"shadow": shadow})
    function = TradingFunction(rig.service(settings=settings), Metrics("dev", rig.clock, out))
    event = {"Records": [{"messageId": "1", "body": encode(decision)}]}
    function.handle(event, lambda: QUARTER_HOUR)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def parities(lines: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(line["Pipeline"], line[Metric.PARITY_BROKEN]) for line in lines if Metric.PARITY_CHECKED in line]


@pytest.mark.parametrize(
    ("shadows", "verdict", "broken"),
    [(SWITCH, Verdict.IDENTICAL, 0.0), ({"AAA": 0.4, "BBB": 0.3}, Verdict.DIFFERENT, 1.0)],
)
@pytest.mark.parametrize("first", list(Pipeline))
def test_whoever_ends_second_tells(
    rig: Rig, shadows: dict[str, float], verdict: Verdict, broken: float, first: Pipeline
) -> None:
    set_authority(rig.state, "bench", Pipeline.MONOLITH, who="test", reason="shadow", now=rig.clock.now())
    decisions = {
        Pipeline.MONOLITH: rig.decision(SWITCH, pipeline=Pipeline.MONOLITH),
        Pipeline.MODULAR: rig.decision(shadows),
    }
    order = sorted(Pipeline, key=lambda pipeline: pipeline is not first)
    told = [parities(handle(rig, decisions[pipeline], shadow=pipeline is Pipeline.MODULAR)) for pipeline in order]
    assert told == [[], [("modular", broken)]]
    stored = load(rig.state, keys.parity_record(decisions[Pipeline.MODULAR].run_id), Parity)
    assert stored is not None
    assert stored.value.verdict is verdict
    assert rig.traded()[("AAA", "buy")] > 0


def test_two_runs_that_fail_alike_are_no_agreement(rig: Rig) -> None:
    told = []
    for pipeline in Pipeline:
        decision = rig.decision(SWITCH, pipeline=pipeline, account_id="someone-else")
        told.append(parities(handle(rig, decision, shadow=pipeline is Pipeline.MODULAR)))
    assert told == [[], [("modular", 1.0)]]
    stored = load(rig.state, keys.parity_record(rig.decision(SWITCH).run_id), Parity)
    assert stored is not None
    assert stored.value.verdict is Verdict.MISSING
    assert [(item.pipeline, item.stage) for item in stored.value.lacking] == [
        (pipeline, Stage.TRADING) for pipeline in (Pipeline.MONOLITH, Pipeline.MODULAR)
    ]


def test_a_redelivery_tells_no_verdict_again(rig: Rig) -> None:
    set_authority(rig.state, "bench", Pipeline.MONOLITH, who="test", reason="shadow", now=rig.clock.now())
    handle(rig, rig.decision(SWITCH, pipeline=Pipeline.MONOLITH), shadow=False)
    decision = rig.decision(SWITCH)
    assert parities(handle(rig, decision, shadow=True)) == [("modular", 0.0)]
    assert parities(handle(rig, decision, shadow=True)) == []
