"""What pages ask of records: how far a run is, its steps leg by leg, which runs are meant, what strategies wanted."""

from datetime import timedelta

import pytest

from alchemiser_common.ids import Side
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.messages.snapshot import TargetWeight
from alchemiser_common.records.plan import StrategyHolding
from alchemiser_common.settings import LatencySettings
from alchemiser_readmodel.leg_steps import leg_steps
from alchemiser_readmodel.progress import progress
from alchemiser_readmodel.run_search import matches
from alchemiser_readmodel.runs import RunSummary, times_of
from alchemiser_readmodel.strategy_weights import strategies_now, wanted
from alchemiser_readmodel.waterfall import waterfall
from support.messages import CYCLE, RUN, SCHEDULED, make_report
from support.stored_records import make_data_record, make_head, make_intent, make_intent_at_market, make_plan_record


def run(
    *, record: RunStatus | None = None, head: RunStatus | None = None, report: RunStatus | None = None
) -> RunSummary:
    """With the records that a run leaves on its way."""
    return RunSummary(
        RUN,
        CYCLE,
        None if record is None else make_data_record().model_copy(update={"status": record}),
        None if head is None else make_head().model_copy(update={"phase": head}),
        None if report is None else make_report(status=report, reason="buy TECL: short of Cash"),
    )


@pytest.mark.parametrize(
    ("found", "standings"),
    [
        (run(record=RunStatus.STARTED), "working, ahead, ahead"),
        (run(record=RunStatus.PUBLISHED), "done, working, ahead"),
        (run(record=RunStatus.FAILED), "ended here, not reached, not reached"),
        (run(record=RunStatus.SKIPPED), "ended here, not reached, not reached"),
        (run(record=RunStatus.PUBLISHED, head=RunStatus.BUYING), "done, done, working"),
        (run(record=RunStatus.PUBLISHED, head=RunStatus.HALTED), "done, done, ended here"),
        (run(record=RunStatus.PUBLISHED, head=RunStatus.COMPLETED, report=RunStatus.COMPLETED), "done, done, done"),
        (run(record=RunStatus.PUBLISHED, head=RunStatus.SHADOWED, report=RunStatus.SHADOWED), "done, done, done"),
        (run(record=RunStatus.PUBLISHED, head=RunStatus.PARTIAL, report=RunStatus.PARTIAL), "done, done, ended here"),
    ],
)
def test_a_run_stands_where_its_records_say(found: RunSummary, standings: str) -> None:
    times = times_of(found, ())
    assert times is not None
    assert ", ".join(each.standing.value for each in progress(waterfall(times, LatencySettings()))) == standings


def test_a_run_that_only_began_has_no_times() -> None:
    assert times_of(run(), ()) is None


def test_each_leg_has_its_steps_in_order_and_what_became_of_it() -> None:
    plan, first, market = make_plan_record(), make_intent(), make_intent_at_market()
    second = first.model_copy(update={"step": 2})
    legs = leg_steps(plan, [market, second, first], make_report())
    assert [(leg.symbol, leg.side) for leg in legs] == [(leg.symbol, leg.side) for leg in plan.legs]
    steps = {plan.legs[index].number: leg.steps for index, leg in enumerate(legs)}
    assert steps[1] == (first, second)
    assert steps[2] == (market,)
    told = {(leg.symbol, leg.side): leg.report for leg in legs}
    sold = told["TECL", Side.SELL]
    assert sold is not None
    assert sold.symbol == "TECL"
    assert all(leg.report is None for leg in leg_steps(plan, (), None))
    assert leg_steps(None, [first], make_report()) == ()


@pytest.mark.parametrize(
    ("text", "status", "is_found"),
    [
        ("", "", True),
        ("cash", "", True),
        ("CASH tecl", "", True),
        ("cash nowhere", "", False),
        (str(RUN)[:8], "", True),
        ("unsettled", "", True),
        ("modular", "partial", True),
        ("modular", "completed", False),
        ("", "partial", True),
        ("UVXY", "", False),
    ],
)
def test_a_run_is_found_by_every_word_and_its_status(text: str, status: str, is_found: bool) -> None:
    found = run(record=RunStatus.PUBLISHED, head=RunStatus.PARTIAL, report=RunStatus.PARTIAL)
    assert matches(found, text, status) is is_found


def test_weights_are_by_session_and_those_who_hold_are_among_them() -> None:
    first = make_plan_record()
    holding = StrategyHolding(strategy="klm", weights=(TargetWeight(symbol="UVXY", weight=0.5),), shares=())
    later = first.model_copy(update={"session": first.session + timedelta(days=1), "holdings": (holding,)})
    again = later.model_copy(update={"targets": ()})
    assert [dict(each.weights) for each in wanted([first, later, again])] == [
        {target.symbol: target.weight for target in first.targets},
        {},
    ], "the last plan of a session counts"
    assert [dict(each.weights) for each in wanted([first, later], "klm")] == [{"GONE": 1.0}, {"UVXY": 0.5}]
    assert wanted([first], "nobody") == ()
    named = {each.strategy: each for each in strategies_now(first)}
    assert named["klm"].holds
    assert {each.strategy for each in first.strategy_targets} == set(named) - {"klm"}
    assert SCHEDULED.date() >= min(each.decided_for for each in named.values() if each.decided_for)
