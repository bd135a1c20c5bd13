"""What was captured once is what each stage gives today for the same input: through its handler, with real stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from alchemiser_common.messages.decision import RankingStep, Signal, TradeDecision
from alchemiser_common.messages.report import StageFailure
from alchemiser_common.records.parity import Verdict
from support.cases import bars_recorded, captured, names, replayed_data, replayed_decision, replayed_trading
from support.write_cases import SCENES

CASES = names()
BRANCHES = {
    "nuclear": {
        *("UVXY", "BTAL+UVXY", "TQQQ", "UPRO", "SQQQ", "QQQ", "QQQ+SQQQ", "QQQ+TQQQ", "PSQ+SQQQ"),
        "top 3 by moving-average-return(90)",
    },
    "tecl": {"BIL+UVXY", "BIL", "TECL", "SPXL", "top 1 by rsi-zero-seed(9)"},
    "klm": {"UVXY", "VIXM", "SPXL", "TECL", "SOXL", "LABU", "FNGU", "bottom 1 by stdev-return(6)"},
}
"""What each branch of a strategy leads to: symbols, or the ranking that chooses them."""
BRANCHES["nuclear-volatility"] = BRANCHES["nuclear"]


@pytest.mark.parametrize("name", [name for name in CASES if bars_recorded(captured(name))])
def test_data_sees_the_same(name: str, tmp_path: Path) -> None:
    case = captured(name)
    assert case.record is not None
    record, sent = replayed_data(case, tmp_path)
    assert (record.status, record.reason, record.snapshot_hash, record.figures) == (
        *(case.record.status, case.record.reason),
        *(case.record.snapshot_hash, case.record.figures),
    )
    assert (None if sent is None else sent.content_hash()) == case.record.snapshot_hash


@pytest.mark.parametrize("name", [name for name in CASES if captured(name).snapshot is not None])
def test_strategy_and_trading_decide_and_plan_the_same(name: str, tmp_path: Path) -> None:
    case = captured(name)
    answer = replayed_decision(case)
    plan, report = replayed_trading(case, answer, tmp_path)
    assert case.report is not None
    match answer:
        case TradeDecision():
            assert case.decision is not None
            assert answer.content_hash() == case.decision.content_hash()
        case StageFailure():
            assert case.decision is None
    assert plan == case.plan
    if plan is None:
        told = (case.report.status, case.report.reason, case.report.error)
        assert (report.status, report.reason, report.error) == told
    else:
        planned = {(leg.symbol, leg.side, leg.intended) for leg in case.report.legs}
        assert {(leg.symbol, leg.side, leg.intended) for leg in report.legs} == planned


def signals() -> Iterator[Signal]:
    for name in CASES:
        decision = captured(name).decision
        yield from () if decision is None else decision.signals


def branch(signal: Signal) -> str:
    rankings = [step.text for step in signal.explanation.steps if isinstance(step, RankingStep)]
    return rankings[-1] if rankings else "+".join(sorted(item.symbol for item in signal.weights))


@pytest.mark.parametrize("strategy", sorted(BRANCHES))
def test_every_branch_of_a_built_in_strategy_has_a_case(strategy: str) -> None:
    found = {branch(signal) for signal in signals() if signal.strategy == strategy}
    assert found >= BRANCHES[strategy], BRANCHES[strategy] - found


def test_the_ensemble_has_cases_of_more_than_one_winner() -> None:
    first = [signal.explanation.steps[0] for signal in signals() if signal.strategy == "klm-ensemble"]
    chosen = {item.name for step in first if isinstance(step, RankingStep) for item in step.candidates if item.chosen}
    assert len(chosen) > 1, chosen


def test_the_cases_are_what_they_are_called() -> None:
    early, split, partly = captured("early-close").snapshot, captured("split-day"), captured("partial-fills").report
    assert early is not None
    assert early.session.closes.hour == 18
    assert split.plan is not None
    assert [str(position.quantity) for position in split.plan.positions] == ["300"]
    assert partly is not None
    assert partly.status.value == "partial"
    assert captured("holiday").about.status == "skipped"
    assert captured("halted").about.reason.startswith("TradingHalted")
    assert "which the broker's calendar has as sessions" in captured("bars-rejected").about.reason
    carried = captured("gap-carried").snapshot
    assert carried is not None
    assert [item.symbol for item in carried.carried] == ["XLK"]
    assert captured("unknown-aborts").about.status == "failed"
    parity = captured("shadow-mismatch-modular").parity
    assert parity is not None
    assert parity.verdict is Verdict.DIFFERENT
    assert captured("shadow-mismatch-monolith").parity == parity


def test_each_scene_has_its_case() -> None:
    made = {name.removesuffix("-monolith").removesuffix("-modular") for name in CASES}
    assert made >= {scene.name for scene in SCENES}
