"""What a comparison of two runs of one cycle comes to."""

import pytest

from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.decision import SignalStatus
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.messages.snapshot import StrategyTargets, TargetWeight
from alchemiser_common.records.parity import Verdict
from alchemiser_common.records.plan import Plan
from alchemiser_trading.runs.parity import TOLERANCE, PipelineRun, compare
from support.messages import make_decision, make_report
from support.plans import book, decided, planned, planned_for, signal

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


def saying(
    status: SignalStatus, weights: dict[str, float], *, shares: str = "900", rules: str = "ab" * 32, name: str = "h"
) -> Plan:
    """The plan of one strategy that says so and has some AAA."""
    said = decided(signal(name, 1.0, weights, status).model_copy(update={"rules": rules}))
    return planned_for(said, [book(name, AAA=shares)] if shares else [], cash="1000", prices=PRICES)


HOLD, TARGET, UNKNOWN = SignalStatus.HOLD, SignalStatus.TARGET, SignalStatus.UNKNOWN


@pytest.mark.parametrize(
    ("mine", "theirs", "saw", "verdict", "words"),
    [
        (saying(HOLD, {"AAA": 1.0}), saying(TARGET, {"AAA": 1.0}), "other", Verdict.EQUIVALENT, "same weights"),
        (saying(HOLD, {"AAA": 1.0}), saying(HOLD, {"AAA": 1.0}), "same", Verdict.IDENTICAL, ""),
        (saying(UNKNOWN, {"AAA": 1.0}), saying(HOLD, {"AAA": 1.0}), "other", Verdict.EQUIVALENT, "same weights"),
        (saying(HOLD, {"AAA": 1.0}, shares=""), saying(HOLD, {"AAA": 1.0}), "same", Verdict.IDENTICAL, ""),
        (saying(HOLD, {"AAA": 0.53}), saying(TARGET, {"AAA": 0.6}), "other", Verdict.DIFFERENT, "h: AAA 0.53"),
        (saying(HOLD, {"AAA": 0.6}), saying(TARGET, {"AAA": 0.605}), "other", Verdict.EQUIVALENT, "AAA 0.6000 and"),
        (saying(UNKNOWN, {}), saying(HOLD, {"AAA": 1.0}), "other", Verdict.DIFFERENT, "h: AAA 0.0000 and 1.0000"),
    ],
    ids=["hold and target", "both hold", "kept", "one before its first trade", "drifted", "drifted a little", "cash"],
)
def test_strategies_that_hold_are_compared_by_what_their_targets_have_drifted_to(
    mine: Plan, theirs: Plan, saw: str, verdict: Verdict, words: str
) -> None:
    found, detail = compare(side(Pipeline.MONOLITH, mine), side(Pipeline.MODULAR, theirs, saw=saw))
    assert (found, words in detail) == (verdict, True), detail


@pytest.mark.parametrize("status", [HOLD, TARGET])
@pytest.mark.parametrize("saw", ["same", "other"])
def test_the_same_weights_by_other_rules_are_different_and_named(saw: str, status: SignalStatus) -> None:
    mine, theirs = saying(HOLD, {"AAA": 1.0}), saying(status, {"AAA": 1.0}, rules="cd" * 32)
    found, detail = compare(side(Pipeline.MONOLITH, mine), side(Pipeline.MODULAR, theirs, saw=saw))
    assert (found, detail) == (Verdict.DIFFERENT, "h: rules abababababab and cdcdcdcdcdcd")
    unsaid = saying(status, {"AAA": 1.0}, rules="")
    found, _ = compare(side(Pipeline.MONOLITH, mine), side(Pipeline.MODULAR, unsaid, saw=saw))
    assert not found.broken, "an image from before does not say by which rules"
