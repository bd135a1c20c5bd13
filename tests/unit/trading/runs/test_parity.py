"""What a comparison of two runs of one cycle comes to."""

import pytest

from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.messages.snapshot import StrategyTargets, TargetWeight
from alchemiser_common.records.parity import Verdict
from alchemiser_common.records.plan import Plan
from alchemiser_trading.runs.parity import TOLERANCE, PipelineRun, compare
from support.messages import make_decision, make_report
from support.plans import planned

PRICES = {"AAA": "10", "BBB": "20"}


def wanting(aaa: float, bbb: float, *, cash: str = "100000", strategy: float | None = None) -> Plan:
    plan = planned({"AAA": aaa, "BBB": bbb}, cash=cash, prices=PRICES)
    said = StrategyTargets(
        strategy="only",
        decided_for=make_decision().session,
        weights=(TargetWeight(symbol="AAA", weight=aaa if strategy is None else strategy),),
    )
    return plan.model_copy(update={"strategy_targets": (said,)})


def side(
    pipeline: Pipeline, plan: Plan | None, *, saw: str = "same", status: RunStatus = RunStatus.COMPLETED
) -> PipelineRun:
    return PipelineRun(pipeline, make_report(status=status, reason="why"), saw, plan)


@pytest.mark.parametrize(
    ("mine", "theirs", "saw", "verdict", "words"),
    [
        (wanting(0.5, 0.4), wanting(0.5, 0.4), "same", Verdict.IDENTICAL, ""),
        (wanting(0.5, 0.4), wanting(0.5, 0.4, cash="7"), "same", Verdict.IDENTICAL, ""),
        (wanting(0.5, 0.4), wanting(0.5, 0.4), "other", Verdict.EQUIVALENT, "same weights"),
        (wanting(0.5, 0.4), wanting(0.5 + TOLERANCE / 2, 0.4), "other", Verdict.EQUIVALENT, "AAA 0.5000 and 0.5050"),
        (wanting(0.5, 0.4), wanting(0.5 + TOLERANCE / 2, 0.4), "same", Verdict.DIFFERENT, "same data; AAA"),
        (wanting(0.5, 0.4), wanting(0.52, 0.4), "other", Verdict.DIFFERENT, "other data; AAA 0.5000 and 0.5200"),
        (wanting(0.5, 0.4, strategy=0.3), wanting(0.5, 0.4), "same", Verdict.DIFFERENT, "only: AAA 0.3000 and 0.5000"),
        (wanting(0.5, 0.4), None, "same", Verdict.MISSING, "modular has no plan: failed, why"),
    ],
)
def test_the_verdict_and_what_differs(mine: Plan, theirs: Plan | None, saw: str, verdict: Verdict, words: str) -> None:
    ended = RunStatus.FAILED if theirs is None else RunStatus.SHADOWED
    found, detail = compare(side(Pipeline.MONOLITH, mine), side(Pipeline.MODULAR, theirs, saw=saw, status=ended))
    assert found is verdict
    assert words in detail
    assert found.broken == (verdict in {Verdict.DIFFERENT, Verdict.MISSING})
