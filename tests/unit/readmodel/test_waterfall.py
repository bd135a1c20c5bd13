"""A run's time is told from whatever records it left, stretch by stretch, and nothing of it is guessed."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from alchemiser_common.ids import Pipeline, Side, run_id
from alchemiser_common.messages.base import Stage, StageTime
from alchemiser_common.messages.report import ExecutionReport, LegReport, LegStatus, RunStatus
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.run import RunRecord
from alchemiser_common.settings import LatencySettings
from alchemiser_readmodel.waterfall import RunTimes, Span, over_budget, waterfall
from support.messages import CYCLE, SCHEDULED, make_report
from support.stored_records import make_data_record, make_head, make_intent

BUDGET = LatencySettings()
DATA = (2, 10)
STRATEGY = (12, 15)
TRADING = (16, 100)
"""Seconds after the scheduled time at which a stage began and ended."""


def at(seconds: float) -> datetime:
    return SCHEDULED + timedelta(seconds=seconds)


def trace(*stages: tuple[float, float]) -> tuple[StageTime, ...]:
    """Of data, strategy and trading, as far as given."""
    return tuple(
        StageTime(stage=stage, started=at(began), finished=at(ended))
        for stage, (began, ended) in zip(Stage, stages, strict=False)
    )


def intent(leg: int, side: Side, asked: float, *, began: float) -> Intent:
    changes = {"leg": leg, "side": side, "leg_started_at": at(began), "written_at": at(asked)}
    return make_intent().model_copy(update={**changes, "client_order_id": f"alc-{leg}-{asked}"})


def leg(side: Side, took: float, filled: str = "10") -> LegReport:
    return LegReport(
        symbol="TECL",
        side=side,
        status=LegStatus.FILLED,
        intended=Decimal(10),
        filled=Decimal(filled),
        duration=timedelta(seconds=took),
    )


def report(*stages: tuple[float, float], legs: Iterable[LegReport] = (), **changes: object) -> ExecutionReport:
    return make_report(trace=trace(*stages), legs=tuple(legs), reason="", **changes)


def record(status: RunStatus, seconds: float, reason: str = "") -> RunRecord:
    changes = {"status": status, "updated_at": at(seconds), "reason": reason, "trace": ()}
    return make_data_record().model_copy(update=changes)


def told(spans: Sequence[Span]) -> list[tuple[str, str, float]]:
    return [(span.stage.value, span.stretch.value, span.took.total_seconds()) for span in spans]


ORDERS = (
    intent(1, Side.SELL, 20, began=19),
    intent(1, Side.SELL, 30, began=19),
    intent(2, Side.BUY, 45, began=44),
)
TRADED = RunTimes(
    record=record(RunStatus.PUBLISHED, 10),
    report=report(DATA, STRATEGY, TRADING, legs=[leg(Side.SELL, 15), leg(Side.BUY, 46)]),
    intents=ORDERS,
)


def test_a_run_that_traded_is_told_from_its_scheduled_time_to_its_report_without_a_gap() -> None:
    seen = waterfall(TRADED, BUDGET)
    assert told(seen.spans) == [
        ("data", "start", 2),
        ("data", "work", 8),
        ("strategy", "queue", 2),
        ("strategy", "work", 3),
        ("trading", "queue", 1),
        ("trading", "first order", 4),
        ("trading", "last order", 25),
        ("trading", "last fill", 45),
        ("trading", "end", 10),
    ]
    assert (seen.orders.first, seen.orders.last, seen.orders.last_fill) == (at(20), at(45), at(90))
    assert seen.latency.to_last_order == timedelta(seconds=45)
    assert sum((span.took for span in seen.spans if span.stretch.budgeted), timedelta(0)) == timedelta(seconds=45)
    assert sum(seen.latency.stages.values(), timedelta(0)) == timedelta(seconds=45)
    assert (seen.stage, seen.status, seen.at) == (Stage.TRADING, RunStatus.COMPLETED, at(100))
    assert seen.latency.breaks == ()


def test_in_the_monolith_no_queue_is_told() -> None:
    ours = report(DATA, STRATEGY, TRADING, pipeline=Pipeline.MONOLITH, run_id=run_id(CYCLE, Pipeline.MONOLITH))
    seen = waterfall(RunTimes(report=ours), BUDGET)
    assert [span.stretch.value for span in seen.spans] == ["start", "work", "call", "work", "call", "work"]


def test_a_last_fill_before_the_last_order_is_no_stretch_and_one_after_the_end_is_the_end() -> None:
    """A leg that got nothing asks on after the others are done; the broker's clock may be ahead of this machine's."""
    early = RunTimes(report=report(DATA, STRATEGY, TRADING, legs=[leg(Side.SELL, 2)]), intents=ORDERS)
    seen = waterfall(early, BUDGET)
    assert seen.orders.last_fill == at(21)
    assert told(seen.spans)[-2:] == [("trading", "last order", 25), ("trading", "end", 55)]
    ahead = RunTimes(report=report(DATA, STRATEGY, TRADING, legs=[leg(Side.BUY, 60)]), intents=ORDERS)
    assert waterfall(ahead, BUDGET).orders.last_fill == at(100)
    nothing = RunTimes(report=report(DATA, STRATEGY, TRADING, legs=[leg(Side.BUY, 60, filled="0")]), intents=ORDERS)
    assert waterfall(nothing, BUDGET).orders.last_fill is None


ENDS = {
    "skipped in data": (
        RunTimes(record=record(RunStatus.SKIPPED, 4, "no session")),
        (Stage.DATA, RunStatus.SKIPPED, "no session", 4),
        [("data", "work", 4)],
    ),
    "begun and not heard of again": (
        RunTimes(record=record(RunStatus.STARTED, 4)),
        (Stage.DATA, RunStatus.STARTED, "", 4),
        [],
    ),
    "waits for the strategies": (
        RunTimes(record=record(RunStatus.PUBLISHED, 10), trace=trace(DATA)),
        (Stage.STRATEGY, RunStatus.PUBLISHED, "", 10),
        [("data", "start", 2), ("data", "work", 8)],
    ),
    "failed in strategy": (
        RunTimes(
            record=record(RunStatus.PUBLISHED, 10),
            head=make_head(),
            report=report(DATA, STRATEGY, status=RunStatus.FAILED),
        ),
        (Stage.STRATEGY, RunStatus.FAILED, make_head().reason, 15),
        [("data", "start", 2), ("data", "work", 8), ("strategy", "queue", 2), ("strategy", "work", 3)],
    ),
    "trades": (
        RunTimes(
            record=record(RunStatus.PUBLISHED, 10),
            head=make_head().model_copy(
                update={"phase": RunStatus.BUYING, "created_at": at(16), "updated_at": at(40), "reason": ""}
            ),
            trace=trace(DATA),
            intents=ORDERS,
        ),
        (Stage.TRADING, RunStatus.EXECUTING, "", 40),
        [("data", "start", 2), ("data", "work", 8), ("trading", "first order", 4), ("trading", "last order", 25)],
    ),
    "ended by the watch, and no decision is archived": (
        RunTimes(
            record=record(RunStatus.PUBLISHED, 10),
            report=make_report(
                trace=(StageTime(stage=Stage.TRADING, started=at(16), finished=at(100)),), status=RunStatus.PARTIAL
            ),
        ),
        (Stage.TRADING, RunStatus.PARTIAL, "", 100),
        [("data", "work", 10), ("trading", "work", 84)],
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_run_is_told_as_far_as_it_came_and_where_it_ended(name: str) -> None:
    times, (stage, status, reason, seconds), spans = ENDS[name]
    seen = waterfall(times, BUDGET)
    assert (seen.stage, seen.status, seen.reason, seen.at) == (stage, status, reason, at(seconds))
    assert told(seen.spans) == spans


def test_a_decision_that_was_made_again_while_the_run_traded_is_not_the_one_it_waited_for() -> None:
    """A process died behind its last order; the next delivery decides anew and ends the run."""
    late = RunTimes(report=report(DATA, (900, 901), (16, 950), legs=[leg(Side.SELL, 926)]), intents=ORDERS)
    seen = waterfall(late, BUDGET)
    assert told(seen.spans) == [
        ("data", "start", 2),
        ("data", "work", 8),
        ("trading", "first order", 4),
        ("trading", "last order", 25),
        ("trading", "last fill", 900),
        ("trading", "end", 5),
    ]
    assert (seen.latency.to_last_order, seen.latency.breaks) == (timedelta(seconds=45), ())


def test_nothing_at_all_is_no_run() -> None:
    with pytest.raises(ValueError, match="no times"):
        RunTimes()


SHADOW = report(DATA, STRATEGY, (16, 301), status=RunStatus.SHADOWED)
BROKEN: dict[str, tuple[RunTimes, dict[str, float], tuple[str, ...]]] = {
    "within": (TRADED, {}, ()),
    "the whole and the stage to blame": (
        RunTimes(report=report(DATA, STRATEGY, (16, 400)), intents=(intent(1, Side.SELL, 301.5, began=20),)),
        {},
        ("301.5 s to the last order, limit 300 s", "trading 286.5 s, limit 180 s"),
    ),
    "orders in time, filled after it": (RunTimes(report=report(DATA, STRATEGY, (16, 900)), intents=ORDERS), {}, ()),
    "a shadow, which sends none": (
        RunTimes(report=SHADOW),
        {},
        ("301 s to the end of trading, limit 300 s", "trading 286 s, limit 180 s"),
    ),
    "late to start": (
        RunTimes(report=report((89, 91), (91, 92), (92, 93))),
        {},
        ("data 91 s, limit 90 s",),
    ),
    "a queue that waits is its stage's": (
        RunTimes(report=report((0, 1), (31, 32), (33, 34))),
        {},
        ("strategy 31 s, limit 30 s",),
    ),
    "data that failed slowly": (RunTimes(record=record(RunStatus.FAILED, 95)), {}, ("data 95 s, limit 90 s",)),
    "just so": (RunTimes(report=report((0, 90), (90, 120), (120, 300))), {}, ()),
    "another budget": (
        TRADED,
        {"budget_seconds": 40},
        ("45 s to the last order, limit 40 s", "strategy 5 s, limit 4 s", "trading 30 s, limit 24 s"),
    ),
    "other shares": (
        TRADED,
        {"budget_seconds": 45, "data_share": 0.2, "strategy_share": 0.2, "trading_share": 0.6},
        ("data 10 s, limit 9 s", "trading 30 s, limit 27 s"),
    ),
    "ended by the watch: only the whole can be told": (
        RunTimes(report=make_report(trace=(StageTime(stage=Stage.TRADING, started=at(16), finished=at(400)),))),
        {},
        ("400 s to the end of trading, limit 300 s",),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_budget_is_broken_by_the_whole_or_by_a_stage_with_the_wait_before_it(name: str) -> None:
    times, changes, breaks = BROKEN[name]
    assert over_budget(times, BUDGET.model_copy(update=changes)) == breaks
