"""Whatever makes a cycle late, early or double, in both pipelines: it ends in the state that says so, no order is sent
after the run's deadline, and the alarm of whoever must know fires, or none. docs/trading.md has the table.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from alchemiser_cli.cycles import Cycle, cycle_at
from alchemiser_common.decision_time import overdue_from
from alchemiser_common.errors import BrokerUnavailable
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.settings import Anchor
from alchemiser_monolith.platform import Platform
from alchemiser_readmodel.runs import RunDetail
from alchemiser_simulator.control.control import SimulatorControl
from alchemiser_simulator.control.faults import PartialFills, When
from alchemiser_trading.bootstrap import Connection
from support.cycles import TECL_ONLY, Counted, ended, exchange_at
from support.faulty_ports import Faults, FaultyBroker, Killed, killing_after

pytestmark = pytest.mark.parametrize("pipeline", Pipeline)

PHASES = {Pipeline.MONOLITH: "monolith", Pipeline.MODULAR: "modular"}
"""In which each trades."""
BEFORE_CLOSE = {"anchor": Anchor.CLOSE, "offset_minutes": 20}


def at(pipeline: Pipeline, **changes: object) -> Mapping[str, object]:
    return {**TECL_ONLY, "pipeline": pipeline, **changes}


def orders(platform: Platform) -> list[datetime]:
    """When each order reached the exchange, by the exchange's books."""
    with SimulatorControl(str(platform.settings.broker.trading_url)) as control:
        return [order.created_at for order in control.state().orders]


def nothing_fills(platform: Platform) -> None:
    with SimulatorControl(str(platform.settings.broker.trading_url)) as control:
        control.add_fault(PartialFills(match=When(method="POST"), fraction=Decimal("0.01"), max_fills=0))


@pytest.fixture
def counted() -> Counted:
    return Counted()


def ran(platform: Platform, cycle: Cycle, counted: Counted) -> RunDetail:
    """The cycle at work until its run has an end; whatever it did, no order is after its deadline."""
    result = counted.run(platform, cycle)
    assert result.dead_letters == ()
    run = ended(platform, cycle)
    assert RunStatus(run.summary.status).final
    if run.decision is not None:
        assert all(order <= run.decision.not_after for order in orders(platform))
    return run


def told(platform: Platform, cycle: Cycle, counted: Counted) -> set[str]:
    """The alarms that have fired once the watch has looked after the cycle's deadline, where its pipeline trades."""
    overdue = overdue_from(cycle.trigger.scheduled_at, platform.settings.schedule)
    platform.clock.sleep(max((overdue - platform.clock.now()).total_seconds(), 0))
    before = orders(platform)
    counted.watch(platform)
    assert orders(platform) == before, "nothing is sent after the deadline"
    return counted.alarms(PHASES[platform.settings.pipeline])


def slow_reading(platform: Platform, by: timedelta) -> Platform:
    """The data stage's broker takes so long to answer for the positions."""
    trader = platform.connection.broker
    assert trader is not None

    def wait(name: str) -> None:
        if name == "positions":
            platform.clock.sleep(by.total_seconds())

    return replace(platform, connection=Connection(FaultyBroker(trader, Faults(on_call=wait)), trader))


def outcome(run: RunDetail) -> tuple[str, bool]:
    """The run's state, and whether its report says that the latency budget was broken."""
    return run.summary.status, "latency budget broken" in run.summary.reason


@pytest.mark.parametrize(
    ("minutes", "state", "alarms", "words"),
    [
        (1, "completed", set(), ""),
        (29, "completed", {"slow-run"}, "data 1740 s, limit 90 s"),
        (31, "skipped", {"day-missed"}, "outside the decision window 14:45-15:15Z"),
    ],
)
def test_a_late_start(
    tmp_path: Path, pipeline: Pipeline, counted: Counted, minutes: int, state: str, alarms: set[str], words: str
) -> None:
    with exchange_at(tmp_path, late=timedelta(minutes=minutes), changes=at(pipeline)) as (platform, cycle):
        run = ran(platform, cycle, counted)
        assert bool(orders(platform)) is (state == "completed")
        assert told(platform, cycle, counted) == alarms
    assert outcome(run) == (state, "slow-run" in alarms)
    assert words in run.summary.reason


@pytest.mark.parametrize(
    ("minutes", "state", "alarms", "words"),
    [
        (20, "completed", {"slow-run"}, "data 1200 s, limit 90 s"),
        (61, "expired", {"slow-run", "run-failed", "day-missed"}, "15:45"),
    ],
)
def test_slow_data(
    tmp_path: Path, pipeline: Pipeline, counted: Counted, minutes: int, state: str, alarms: set[str], words: str
) -> None:
    with exchange_at(tmp_path, changes=at(pipeline)) as (platform, cycle):
        run = ran(slow_reading(platform, timedelta(minutes=minutes)), cycle, counted)
        assert bool(orders(platform)) is (state == "completed")
        assert told(platform, cycle, counted) == alarms
    assert outcome(run) == (state, True)
    assert words in run.summary.reason


def test_a_run_that_died_with_an_order_out_and_is_delivered_after_the_close(
    tmp_path: Path, pipeline: Pipeline, counted: Counted
) -> None:
    with exchange_at(tmp_path, changes=at(pipeline)) as (platform, cycle):
        nothing_fills(platform)
        trader = platform.connection.broker
        assert trader is not None
        dying = replace(platform, connection=Connection(trader, FaultyBroker(trader, killing_after("submit"))))
        with pytest.raises(Killed):
            counted.run(dying, cycle)
        before = orders(platform)
        platform.clock.sleep(timedelta(hours=8).total_seconds())
        run = ran(platform, cycle, counted)
        assert orders(platform) == before != []
        assert told(platform, cycle, counted) == set(), "its death is Lambda's own error, which has its alarm"
    assert outcome(run) == ("partial", False), "its only order was in time"
    assert "the decision was good until 2020-02-03T15:45:00+00:00" in run.summary.reason


def test_a_run_that_has_ended_and_is_delivered_after_the_close(
    tmp_path: Path, pipeline: Pipeline, counted: Counted
) -> None:
    with exchange_at(tmp_path, changes=at(pipeline)) as (platform, cycle):
        first = ran(platform, cycle, counted)
        before = orders(platform)
        platform.clock.sleep(timedelta(hours=8).total_seconds())
        assert ran(platform, cycle, counted) == first
        assert orders(platform) == before != []
        assert told(platform, cycle, counted) == set()


EARLY_CLOSE = date(2020, 11, 27)
"""13:00 in New York, 18:00 UTC."""


def test_on_an_early_close_no_order_is_sent_within_five_minutes_of_it(
    tmp_path: Path, pipeline: Pipeline, counted: Counted
) -> None:
    """There is no quote, and half a minute after the deadline the leg would go by the last trade."""
    late = {"quote_patience_seconds": 330, "poll_seconds": 10}
    schedule = {**BEFORE_CLOSE, "offset_minutes": 10}
    with exchange_at(tmp_path, EARLY_CLOSE, changes=at(pipeline, schedule=schedule, execution=late)) as (
        platform,
        cycle,
    ):
        trader = platform.connection.broker
        assert trader is not None
        blind = replace(platform, connection=Connection(trader, FaultyBroker(trader, Faults(on_call=no_quotes))))
        run = ran(blind, cycle, counted)
        assert orders(platform) == []
        assert platform.clock.now() < datetime(2020, 11, 27, 17, 56, tzinfo=UTC)
        assert told(platform, cycle, counted) == {"slow-run"}
    assert cycle.trigger.scheduled_at == datetime(2020, 11, 27, 17, 50, tzinfo=UTC)
    assert run.decision is not None
    assert run.decision.not_after == datetime(2020, 11, 27, 17, 55, tzinfo=UTC)
    assert outcome(run) == ("partial", True)
    assert "no order after 2020-11-27T17:55:00+00:00" in run.summary.reason


def no_quotes(name: str) -> None:
    if name == "quotes":
        raise BrokerUnavailable("quotes: 503")


def test_a_schedule_that_does_not_know_the_early_close_is_skipped(
    tmp_path: Path, pipeline: Pipeline, counted: Counted
) -> None:
    usual = datetime(2020, 11, 27, 20, 40, tzinfo=UTC)
    with exchange_at(tmp_path, EARLY_CLOSE, changes=at(pipeline, schedule=BEFORE_CLOSE)) as (platform, cycle):
        platform.clock.sleep((usual - platform.clock.now()).total_seconds())
        run = ran(platform, cycle_at(platform.settings, usual), counted)
        assert orders(platform) == []
        assert told(platform, cycle, counted) == {"day-missed"}
    assert run.summary.status == "skipped"
    assert "outside the decision window 17:40-18:10Z" in run.summary.reason


def test_a_holiday(tmp_path: Path, pipeline: Pipeline, counted: Counted) -> None:
    scheduled = datetime(2020, 1, 20, 14, 45, tzinfo=UTC)
    with exchange_at(tmp_path, date(2020, 1, 17), changes=at(pipeline)) as (platform, _):
        platform.clock.sleep((scheduled - platform.clock.now()).total_seconds())
        cycle = cycle_at(platform.settings, scheduled)
        run = ran(platform, cycle, counted)
        assert orders(platform) == []
        assert told(platform, cycle, counted) == set()
    assert (run.summary.status, run.summary.reason) == ("skipped", "2020-01-20 is not a trading day")


@pytest.mark.parametrize(("day", "hour", "other"), [(date(2020, 3, 9), 13, 14), (date(2020, 11, 2), 14, 13)])
def test_on_the_first_session_after_a_clock_change_only_the_new_hour_is_due(
    tmp_path: Path, pipeline: Pipeline, counted: Counted, day: date, hour: int, other: int
) -> None:
    """9:45 in New York; a schedule that stayed on UTC fires an hour late in spring, and an hour early in autumn."""
    new, old = (datetime(day.year, day.month, day.day, utc, 45, tzinfo=UTC) for utc in (hour, other))
    with exchange_at(tmp_path, day, late=min(old - new, timedelta(0)), changes=at(pipeline)) as (platform, cycle):
        assert cycle.trigger.scheduled_at == new
        states, sent = {}, {}
        for fires in sorted((new, old)):
            platform.clock.sleep(max((fires - platform.clock.now()).total_seconds(), 0))
            before = len(orders(platform))
            run = ran(platform, cycle_at(platform.settings, fires), counted)
            states[fires], sent[fires] = run.summary.status, len(orders(platform)) - before
        assert told(platform, cycle, counted) == set()
    assert states == {new: "completed", old: "skipped"}
    assert sent[new] > 0 == sent[old]


def test_two_schedules_that_fire_make_one_trader_whichever_is_first(
    tmp_path: Path, pipeline: Pipeline, counted: Counted
) -> None:
    """The flags of both pipelines are on by mistake: authority decides, and the other one says whose it is. A person is
    told if the phase has the other one trade; if not, everything is as it should be but for a schedule too many.
    """
    with exchange_at(tmp_path, changes=at(Pipeline.MODULAR)) as (platform, cycle):
        runs, sent = {}, list[int]()
        for fires in sorted(Pipeline, key=lambda other: other is not pipeline):
            settings = platform.settings.model_copy(update={"pipeline": fires})
            due = cycle_at(settings, cycle.trigger.scheduled_at)
            runs[fires] = ran(replace(platform, settings=settings), due, counted)
            sent.append(len(orders(platform)))
        assert told(platform, cycle, counted) == set()
        assert counted.alarms("shadow") == {"authority-mismatch", "run-failed", "parity-broken"}
    trader, other = runs[Pipeline.MODULAR].summary, runs[Pipeline.MONOLITH].summary
    assert trader.report is not None
    assert (trader.status, trader.report.orders_placed) == ("completed", sent[-1])
    assert (other.status, other.report.error if other.report else "") == ("failed", "NotAuthorised")
    assert "is traded by modular" in other.reason


def test_one_schedule_that_fires_twice_makes_one_run(tmp_path: Path, pipeline: Pipeline, counted: Counted) -> None:
    with exchange_at(tmp_path, changes=at(pipeline)) as (platform, cycle):
        first = ran(platform, cycle, counted)
        before = orders(platform)
        again = ran(platform, cycle, counted)
        assert orders(platform) == before
        assert told(platform, cycle, counted) == set()
    assert first.summary.report == again.summary.report
