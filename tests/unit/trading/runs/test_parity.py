"""What a comparison of two runs of one cycle comes to, by their decisions and plans."""

from datetime import timedelta

import pytest

from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.base import Stage
from alchemiser_common.messages.decision import (
    Candidate,
    ConditionStep,
    Explanation,
    RankingStep,
    Signal,
    SignalStatus,
    TradeDecision,
    netted,
)
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.messages.snapshot import BarPolicy, TargetWeight
from alchemiser_common.records.parity import Cause, Verdict
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.run import RunRecord
from alchemiser_common.settings import TradingSettings
from alchemiser_trading.runs.parity.sides import DELIVERED_AGAIN, RETRIES, PipelineRun
from alchemiser_trading.runs.parity.verdicts import on_equal_inputs, on_silence, on_unequal_inputs
from support.messages import SCHEDULED, make_decision, make_report
from support.plans import SETTINGS, planned, position

RSI = ConditionStep(text="rsi(TQQQ, 10) > 79", left=80.5, right=79.0, holds=True, margin=1.5)
TOP = RankingStep(
    text="top 1 by rsi(10)",
    candidates=(Candidate(name="AAA", value=2.0, chosen=True), Candidate(name="BBB", value=1.0, chosen=False)),
)


def says(weight: float = 0.5, *steps: ConditionStep | RankingStep, **changes: object) -> Signal:
    signal = Signal(
        strategy="only",
        allocation=1.0,
        status=SignalStatus.TARGET,
        weights=(TargetWeight(symbol="AAA", weight=weight),),
        explanation=Explanation(summary="so", steps=steps or (RSI, TOP)),
        rules="ab" * 32,
    )
    return signal.model_copy(update=changes)


def decides(*signals: Signal, saw: str = "same", policy: BarPolicy = BarPolicy.COMPLETED) -> TradeDecision:
    said = signals or (says(),)
    return make_decision(signals=said, targets=netted(said), snapshot_hash=saw, bar_policy=policy)


def plans(cash: str = "100000", price: str = "10", settings: TradingSettings = SETTINGS, held: str = "") -> Plan:
    positions = (position("AAA", held, price),) if held else ()
    return planned({"AAA": 0.5}, cash=cash, prices={"AAA": price}, positions=positions, settings=settings)


def side(pipeline: Pipeline, decision: TradeDecision | None = None, plan: Plan | None = None) -> PipelineRun:
    return PipelineRun(pipeline, None, make_report(), plan or plans(), decision or decides())


def changed(**fields: object) -> ConditionStep:
    return RSI.model_copy(update=fields)


OTHER_SETTINGS = SETTINGS.model_copy(update={"min_trade_value": SETTINGS.min_trade_value + 1})
BY_NAME: dict[str, tuple[TradeDecision, Plan, Verdict, Cause | None, str]] = {
    "nothing": (decides(), plans(), Verdict.IDENTICAL, None, ""),
    "other cash": (decides(), plans(cash="7000"), Verdict.IDENTICAL, None, ""),
    "other prices": (decides(), plans(price="11"), Verdict.IDENTICAL, None, ""),
    "rounding": (
        decides(says(0.5 + 1e-16 * 2)),
        plans(),
        Verdict.DIFFERENT,
        Cause.CODE,
        "only weight AAA: 0.5 and 0.5000000000000002",
    ),
    "another status": (
        decides(says(status=SignalStatus.HOLD)),
        plans(),
        Verdict.DIFFERENT,
        Cause.CODE,
        "only says: target and hold",
    ),
    "another rule, same outcome": (
        decides(says(rules="cd" * 32)),
        plans(),
        Verdict.DIFFERENT,
        Cause.CODE,
        "only rules: abababababab and cdcdcdcdcdcd",
    ),
    "another figure on the way": (
        decides(says(0.5, changed(left=80.4))),
        plans(),
        Verdict.DIFFERENT,
        Cause.CODE,
        "only step 1: rsi(TQQQ, 10) > 79 is True: 80.5 and 79.0 and rsi(TQQQ, 10) > 79 is True: 80.4 and 79.0",
    ),
    "a step more": (decides(says(0.5, RSI)), plans(), Verdict.DIFFERENT, Cause.CODE, "only step 2: top 1 by rsi"),
    "a strategy more": (
        decides(says(allocation=1.0), says(weight=0.1, strategy="two", allocation=0.5)),
        plans(),
        Verdict.DIFFERENT,
        Cause.CODE,
        "strategy two: nothing and present",
    ),
    "another strategy in its place": (
        decides(says(strategy="two")),
        plans(),
        Verdict.DIFFERENT,
        Cause.SETTINGS,
        "strategies.allocations only: 1.0 and nothing; strategies.allocations two: nothing and 1.0",
    ),
    "a part of the account given to another": (
        decides(says(allocation=0.5), says(weight=0.1, strategy="two", allocation=0.5)),
        plans(),
        Verdict.DIFFERENT,
        Cause.SETTINGS,
        "strategies.allocations only: 1.0 and 0.5; strategies.allocations two: nothing and 0.5",
    ),
    "another part of the account": (
        decides(says(allocation=0.9)),
        plans(),
        Verdict.DIFFERENT,
        Cause.SETTINGS,
        "strategies.allocations only: 1.0 and 0.9",
    ),
    "another policy": (
        decides(policy=BarPolicy.PROVISIONAL),
        plans(),
        Verdict.DIFFERENT,
        Cause.SETTINGS,
        "bar policy: completed and provisional",
    ),
    "another setting of trading": (
        decides(),
        plans(settings=OTHER_SETTINGS),
        Verdict.DIFFERENT,
        Cause.SETTINGS,
        "trading.min_trade_value: 10 and 11",
    ),
}


@pytest.mark.parametrize(("theirs", "plan", "verdict", "cause", "words"), BY_NAME.values(), ids=BY_NAME)
def test_on_equal_inputs_nothing_may_differ(
    theirs: TradeDecision, plan: Plan, verdict: Verdict, cause: Cause | None, words: str
) -> None:
    found = on_equal_inputs(side(Pipeline.MONOLITH), side(Pipeline.MODULAR, theirs, plan))
    assert found is not None
    assert (found.verdict, found.cause) == (verdict, cause)
    assert words in found.detail


def test_equal_account_and_prices_and_other_legs_are_code() -> None:
    mine = plans(held="10")
    theirs = mine.model_copy(update={"legs": mine.legs[:0]})
    found = on_equal_inputs(side(Pipeline.MONOLITH, plan=mine), side(Pipeline.MODULAR, plan=theirs))
    assert found is not None
    assert (found.cause, found.differences[0].where) == (Cause.CODE, "plan AAA")


OTHER = decides(says(0.25), saw="other")
"""What the modular pipeline decided on data of its own."""


@pytest.mark.parametrize(
    ("again", "verdict", "cause", "words"),
    [
        (OTHER, Verdict.EQUIVALENT, Cause.DATA, "only the data differ; only weight AAA: 0.5 and 0.25"),
        (decides(says(0.5), saw="other"), Verdict.DIFFERENT, Cause.CODE, "only weight AAA: 0.5 and 0.25"),
        (decides(says(0.25000000000000006), saw="other"), Verdict.DIFFERENT, Cause.CODE, "and 0.25"),
        (decides(says(0.25, changed(right=78.0)), saw="other"), Verdict.DIFFERENT, Cause.CODE, "only step 1"),
        ("StrategyUnknown: lacks data", Verdict.DIFFERENT, Cause.CODE, "decides nothing: StrategyUnknown: lacks data"),
    ],
    ids=["data", "code", "a small change of code", "another way to the same", "undecidable"],
)
def test_on_unequal_inputs_deciding_again_proves_which_it_is(
    again: TradeDecision | str, verdict: Verdict, cause: Cause, words: str
) -> None:
    found = on_unequal_inputs(side(Pipeline.MONOLITH), side(Pipeline.MODULAR, OTHER), again, [])
    assert (found.verdict, found.cause) == (verdict, cause)
    assert words in found.detail
    assert on_equal_inputs(side(Pipeline.MONOLITH), side(Pipeline.MODULAR, OTHER)) is None


def test_evidence_that_is_gone_proves_nothing() -> None:
    mine, theirs = side(Pipeline.MONOLITH), PipelineRun(Pipeline.MODULAR, None, make_report(), plans(), None)
    found = on_unequal_inputs(mine, theirs, OTHER, [])
    assert (found.verdict, found.cause) == (Verdict.DIFFERENT, Cause.UNPROVEN)


def record(status: RunStatus) -> RunRecord:
    run = make_report().run
    return RunRecord(**run.fields(), scheduled_at=SCHEDULED, status=status, reason="why", updated_at=SCHEDULED)


def traced(stage: Stage, status: RunStatus) -> PipelineRun:
    report = make_report(status=status, reason="why").model_copy(update={"trace": ()})
    return PipelineRun(Pipeline.MODULAR, None, report.traced(stage, SCHEDULED, SCHEDULED), None)


@pytest.mark.parametrize(
    ("silent", "stage", "why"),
    [
        (PipelineRun(Pipeline.MODULAR, None, None, None), Stage.DATA, "no run is on record"),
        (PipelineRun(Pipeline.MODULAR, record(RunStatus.STARTED), None, None), Stage.DATA, "started, why"),
        (PipelineRun(Pipeline.MODULAR, record(RunStatus.FAILED), None, None), Stage.DATA, "failed, why"),
        (PipelineRun(Pipeline.MODULAR, record(RunStatus.SKIPPED), None, None), Stage.DATA, "skipped, why"),
        (PipelineRun(Pipeline.MODULAR, record(RunStatus.PUBLISHED), None, None), Stage.STRATEGY, "its snapshot was"),
        (PipelineRun(Pipeline.MODULAR, None, None, plans()), Stage.TRADING, "its plan is made, and no end"),
        (traced(Stage.STRATEGY, RunStatus.FAILED), Stage.STRATEGY, "failed, why"),
        (traced(Stage.TRADING, RunStatus.HALTED), Stage.TRADING, "halted, why"),
    ],
    ids=["nothing", "died in data", "data failed", "skipped", "lost", "died in trading", "strategy failed", "halted"],
)
def test_a_side_without_a_plan_says_how_far_it_came(silent: PipelineRun, stage: Stage, why: str) -> None:
    found = on_silence([side(Pipeline.MONOLITH), silent])
    assert found is not None
    assert found.verdict is Verdict.MISSING
    lacking = silent.lacking
    assert lacking is not None
    assert (lacking.stage, lacking.why.startswith(why)) == (stage, True), lacking.why
    assert found.detail == f"modular has no plan: {stage.value}: {lacking.why}"


def test_two_sides_with_plans_are_not_silent_and_two_without_are_both_named() -> None:
    assert on_silence([side(Pipeline.MONOLITH), side(Pipeline.MODULAR)]) is None
    both = [PipelineRun(pipeline, None, None, None) for pipeline in Pipeline]
    found = on_silence(both)
    assert found is not None
    assert found.detail.count("no run is on record") == 2


def test_a_run_whose_decision_is_not_archived_yet_may_still_be() -> None:
    report = make_report().model_copy(update={"trace": ()}).traced(Stage.TRADING, SCHEDULED, SCHEDULED)
    early = PipelineRun(Pipeline.MODULAR, None, report, plans())
    assert not early.ended(SCHEDULED + DELIVERED_AGAIN - timedelta(seconds=1))
    assert early.ended(SCHEDULED + DELIVERED_AGAIN)
    assert PipelineRun(Pipeline.MODULAR, None, report, plans(), decides()).ended(SCHEDULED)


def test_a_failed_data_stage_has_ended_once_nobody_tries_it_again() -> None:
    failed = PipelineRun(Pipeline.MODULAR, record(RunStatus.FAILED), None, None)
    assert not failed.ended(SCHEDULED + RETRIES - timedelta(seconds=1))
    assert failed.ended(SCHEDULED + RETRIES)
    assert not PipelineRun(Pipeline.MODULAR, record(RunStatus.PUBLISHED), None, None).ended(SCHEDULED + RETRIES)
