"""A decision that does not follow from its run is refused, whatever run id and hashes it carries."""

from datetime import UTC, date, datetime, timedelta

import pytest

from alchemiser_common.errors import DecisionRefused
from alchemiser_common.ids import Pipeline, cycle_id, run_id
from alchemiser_common.messages.decision import Signal, SignalStatus, StrategyShare, Target, TradeDecision, netted
from alchemiser_common.messages.snapshot import BarPolicy
from alchemiser_common.records.run import RunRecord
from alchemiser_common.settings import ScheduleSettings
from alchemiser_trading.runs.decision_checks import check_origin, check_targets, check_times
from support.messages import SCHEDULED, make_decision
from support.plans import signal
from support.stored_records import make_data_record

SCHEDULE = ScheduleSettings()


def target(symbol: str, weight: float, strategy: str = "tecl") -> Target:
    return Target(symbol=symbol, weight=weight, shares=(StrategyShare(strategy=strategy, weight=weight),))


BIL, UVXY = make_decision().targets


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ((target("SOXL", 0.99),), "BIL 0 for 0.375, SOXL 0.99 for 0, UVXY 0 for 0.125"),
        ((BIL, target("UVXY", 0.625)), "UVXY 0.625 for 0.125"),
        ((BIL, target("UVXY", 0.12500000000000003)), "UVXY 0.12500000000000003 for 0.125"),
        ((BIL,), "UVXY 0 for 0.125"),
        ((), "BIL 0 for 0.375, UVXY 0 for 0.125"),
        ((BIL, UVXY, target("SPY", 0.0)), "SPY 0.0 for 0"),
        ((BIL, target("UVXY", 0.125, "klm")), "UVXY 0.125 for 0.125"),
    ],
    ids=["99 % in one", "more", "a bit more", "one less", "none", "one with nothing", "another strategy's"],
)
def test_targets_that_the_signals_do_not_add_up_to_are_refused(targets: tuple[Target, ...], words: str) -> None:
    with pytest.raises(DecisionRefused) as refused:
        check_targets(make_decision(targets=targets))
    assert f"targets do not follow from the signals: {words}; nothing of it is traded" in str(refused.value)


SIGNALS: tuple[Signal, ...] = (
    signal("a", 0.1, {"SPY": 0.3, "BIL": 0.7}),
    signal("b", 0.2, {"SPY": 0.1}, SignalStatus.HOLD),
    signal("c", 0.7, {}, SignalStatus.UNKNOWN),
)


def test_what_the_signals_add_up_to_passes_in_any_order_and_after_the_queue() -> None:
    check_targets(make_decision())
    targets = netted(SIGNALS)
    assert [(item.symbol, item.weight) for item in targets] == [("BIL", 0.1 * 0.7), ("SPY", 0.1 * 0.3 + 0.2 * 0.1)]
    decision = make_decision(signals=SIGNALS, targets=tuple(reversed(targets)))
    check_targets(TradeDecision.model_validate_json(decision.model_dump_json()))
    check_targets(make_decision(signals=(), targets=()))


def of_cycle(scheduled: datetime, **changes: object) -> TradeDecision:
    cycle = cycle_id("demo", scheduled)
    return make_decision(cycle_id=cycle, run_id=run_id(cycle, Pipeline.MODULAR), **changes)


TWO_DAYS_AGO = SCHEDULED - timedelta(days=2)
LATER = SCHEDULED + timedelta(minutes=60, microseconds=1)


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (of_cycle(TWO_DAYS_AGO), "for session 2020-06-03, its cycle is of 2020-06-01"),
        (of_cycle(TWO_DAYS_AGO, session=date(2020, 6, 1), as_of=date(2020, 5, 29)), "60 minutes"),
        (make_decision(session=date(2020, 6, 4)), "for session 2020-06-04, its cycle is of 2020-06-03"),
        (make_decision(not_after=LATER), "not_after is 2020-06-03T14:45:00.000001+00:00; 60 minutes"),
        (make_decision(as_of=date(2020, 6, 3)), "the last bar is of 2020-06-03; by the completed policy"),
        (make_decision(as_of=date(2020, 6, 4)), "the last bar is of 2020-06-04"),
        (make_decision(bar_policy=BarPolicy.PROVISIONAL), "the last bar is of 2020-06-02; by the provisional policy"),
    ],
)
def test_a_session_deadline_or_last_bar_that_is_not_the_cycles_is_refused(decision: TradeDecision, words: str) -> None:
    with pytest.raises(DecisionRefused) as refused:
        check_times(decision, SCHEDULE)
    assert words in str(refused.value)


def test_the_cycles_own_times_pass_and_an_earlier_deadline_too() -> None:
    check_times(make_decision(), SCHEDULE)
    check_times(make_decision(not_after=SCHEDULED + timedelta(minutes=20)), SCHEDULE)
    check_times(make_decision(not_after=LATER), ScheduleSettings(deadline_minutes=61))
    check_times(make_decision(as_of=date(2020, 6, 3), bar_policy=BarPolicy.PROVISIONAL), SCHEDULE)
    evening = datetime(2020, 6, 4, 0, 30, tzinfo=UTC)
    check_times(of_cycle(evening, not_after=evening), SCHEDULE)  # New York's date counts


def recorded(**changes: object) -> RunRecord:
    return make_data_record().model_copy(update={"snapshot_hash": make_decision().snapshot_hash, **changes})


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (None, "has no known origin"),
        (recorded(snapshot_hash=None), "has no known origin"),
        (recorded(snapshot_hash="0" * 64), "the run's is 000000000000"),
        (recorded(scheduled_at=TWO_DAYS_AGO), "scheduled at 2020-06-01T13:45:00+00:00"),
        (recorded(cycle_id="demo:2020-06-01T13:45:00Z"), "the record of run"),
    ],
)
def test_a_decision_without_the_runs_snapshot_or_cycle_is_refused(record: RunRecord | None, words: str) -> None:
    check_origin(make_decision(), recorded())
    with pytest.raises(DecisionRefused) as refused:
        check_origin(make_decision(), record)
    assert words in str(refused.value)
