"""The whole line on the simulated exchange, in one process: every way a cycle can end."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from alchemiser_cli.cycles import Cycle, cycle_at, cycle_runner
from alchemiser_cli.simulated import open_market
from alchemiser_common import keys
from alchemiser_common.decision_time import decision_time
from alchemiser_common.errors import BrokerRefused, BrokerUnavailable, StateCorrupt
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.report import LegStatus, RunStatus
from alchemiser_common.messages.snapshot import BarPolicy
from alchemiser_common.ports.state import load
from alchemiser_common.records.run import RunRecord
from alchemiser_common.settings import Anchor
from alchemiser_data.handler import DataFunction
from alchemiser_data.service import DataOutcome
from alchemiser_monolith.bootstrap import data_service, decision_service, local_pipeline, monolith, portfolio
from alchemiser_monolith.handler import HandedOver, MonolithFunction
from alchemiser_monolith.platform import Platform
from alchemiser_readmodel.runs import RunDetail
from alchemiser_simulator.control.control import SimulatorControl
from alchemiser_simulator.control.faults import PartialFills, When
from alchemiser_trading.bootstrap import Connection
from alchemiser_trading.handler import TradingFunction, WatchAnswer
from support.cycles import DAY, TECL_ONLY, ended, exchange_at
from support.faulty_ports import Faults, FaultyBroker


def test_every_message_delivered_three_times_trades_as_delivered_once(tmp_path: Path) -> None:
    with exchange_at(tmp_path / "once") as (platform, cycle):
        cycle_runner(platform)(cycle, 1)
        once = ended(platform, cycle)
    with exchange_at(tmp_path / "thrice") as (platform, cycle):
        result = cycle_runner(platform)(cycle, 3)
        thrice = ended(platform, cycle)
    assert result.delivered == 6
    assert result.dead_letters == ()
    assert once.summary.status == thrice.summary.status == RunStatus.COMPLETED.value
    assert [intent.client_order_id for intent in once.intents] == [intent.client_order_id for intent in thrice.intents]
    assert once.summary.report == thrice.summary.report


def test_monolith_and_modular_pipeline_decide_and_trade_the_same(tmp_path: Path) -> None:
    details: list[RunDetail] = []
    for pipeline in Pipeline:
        with exchange_at(tmp_path / pipeline.value, changes={"pipeline": pipeline}) as (platform, cycle):
            cycle_runner(platform)(cycle, 1)
            details.append(ended(platform, cycle))
    one, other = details
    assert one.snapshot is not None
    assert other.snapshot is not None
    assert one.decision is not None
    assert other.decision is not None
    assert one.snapshot.run_id != other.snapshot.run_id
    assert one.snapshot.content_hash() == other.snapshot.content_hash()
    assert one.decision.content_hash() == other.decision.content_hash()
    assert one.summary.report is not None
    assert other.summary.report is not None
    assert one.summary.report.legs == other.summary.report.legs


NEVER_FILLED: Mapping[str, object] = {
    **TECL_ONLY,
    "execution": {"poll_seconds": 60, "handover_seconds": 250, "lease_seconds": 600},
}
"""One leg, looked at every other minute."""
WATCH = timedelta(minutes=10)


@contextmanager
def nothing_fills(folder: Path, **changes: object) -> Iterator[tuple[Platform, Cycle]]:
    with exchange_at(folder, changes={**NEVER_FILLED, **changes}) as (platform, cycle):
        with SimulatorControl(str(platform.settings.broker.trading_url)) as control:
            control.add_fault(PartialFills(match=When(method="POST"), fraction=Decimal("0.01"), max_fills=0))
        yield platform, cycle


@pytest.mark.parametrize("pipeline", Pipeline)
def test_a_leg_that_does_not_fill_is_handed_over_until_the_deadline_and_is_no_dead_letter(
    tmp_path: Path, pipeline: Pipeline
) -> None:
    with nothing_fills(tmp_path, pipeline=pipeline) as (platform, cycle):
        result = cycle_runner(platform)(cycle, 1)
        run = ended(platform, cycle)
        late = platform.clock.now() - cycle.trigger.scheduled_at
    assert result.dead_letters == ()
    assert run.summary.report is not None
    assert (run.summary.status, run.summary.report.legs[0].status) == ("partial", LegStatus.UNFILLED)
    assert run.intents
    assert timedelta(minutes=59) < late < timedelta(minutes=64)


def test_the_monolith_hands_over_to_the_watch_without_an_error_that_aws_would_retry(tmp_path: Path) -> None:
    """AWS tries an invocation three times at most: hand-overs must not use these up, and end as answers."""
    with nothing_fills(tmp_path, pipeline=Pipeline.MONOLITH) as (platform, cycle):
        function = MonolithFunction(monolith(platform), TradingFunction(decision_service(platform)))

        def invoked(event: Mapping[str, object]) -> object:
            ends = platform.clock.now() + timedelta(minutes=15)
            return function.handle(event, lambda: ends - platform.clock.now())

        first = invoked(cycle.trigger.model_dump(mode="json"))
        assert isinstance(first, HandedOver)
        assert (first.status, first.reason) == (RunStatus.EXECUTING, "1 of 1 legs are left to the next delivery: BIL")
        answers, fires = list[WatchAnswer](), cycle.trigger.scheduled_at + timedelta(minutes=5)
        while not answers or answers[-1].ended is None:
            fires += WATCH
            if fires > platform.clock.now():
                platform.clock.sleep((fires - platform.clock.now()).total_seconds())
                answer = invoked({"watch": "overdue"})
                assert isinstance(answer, WatchAnswer)
                answers.append(answer)
        late = platform.clock.now() - cycle.trigger.scheduled_at
        run = ended(platform, cycle)
    assert answers[-1].status is RunStatus.PARTIAL
    assert all(answer.status is None and answer.reason for answer in answers[:-1])
    assert run.summary.status == RunStatus.PARTIAL.value
    assert late <= timedelta(minutes=platform.settings.schedule.deadline_minutes) + WATCH


def test_the_next_snapshot_carries_what_the_strategies_wanted(tmp_path: Path) -> None:
    with exchange_at(tmp_path, changes=TECL_ONLY) as (platform, cycle):
        run = cycle_runner(platform)
        run(cycle, 1)
        decision = ended(platform, cycle).decision
        market = open_market(None)
        following = market.as_session(market.sessions_from(DAY + timedelta(days=1), 1)[0])
        due = decision_time(following, platform.settings.schedule)
        platform.clock.sleep((due - platform.clock.now()).total_seconds())
        tomorrow = cycle_at(platform.settings, due)
        run(tomorrow, 1)
        snapshot = ended(platform, tomorrow).snapshot
    assert decision is not None
    assert snapshot is not None
    (kept,) = snapshot.previous_targets
    assert (kept.strategy, kept.decided_for) == ("tecl", DAY)
    assert kept.weights == decision.signals[0].weights


def test_a_second_trigger_minutes_later_publishes_the_first_snapshot_again(tmp_path: Path) -> None:
    """The market has moved and the queue no longer deduplicates; the run still decides on what it saw first."""
    with exchange_at(tmp_path, changes=TECL_ONLY) as (platform, cycle):
        manager = portfolio(platform)
        data = DataFunction(data_service(platform, manager, Pipeline.MODULAR), platform.market_data_queue)
        trigger = cycle.trigger.model_dump(mode="json")
        data.handle(trigger)
        first = load(platform.state, keys.data_record(cycle.run_id), RunRecord)
        platform.clock.sleep(600)
        data.handle(trigger)
        second = load(platform.state, keys.data_record(cycle.run_id), RunRecord)
        local_pipeline(platform).run(cycle.trigger)
        run = ended(platform, cycle)
    assert first == second
    assert run.summary.status == RunStatus.COMPLETED.value, run.summary.reason
    assert run.decision is not None
    assert first is not None
    assert run.decision.snapshot_hash == first.value.snapshot_hash


@pytest.mark.parametrize(
    "error",
    [
        IndexError("list index out of range"),
        BrokerUnavailable("positions: 503"),
        BrokerRefused("positions: 403", status=403),
        None,
    ],
)
def test_what_one_trigger_publishes_stands_whatever_another_meets_meanwhile(
    tmp_path: Path, error: Exception | None
) -> None:
    """Two workers read the same run; the slower one fails, or reads other prices."""
    with exchange_at(tmp_path, changes=TECL_ONLY) as (platform, cycle):
        trader, manager = platform.connection.broker, portfolio(platform)
        assert trader is not None
        first: list[DataOutcome] = []

        def overtaken(name: str) -> None:
            if name == "positions" and not first:
                first.append(data_service(platform, manager, Pipeline.MODULAR).run(cycle.trigger))
                platform.clock.sleep(60)
                if error is not None:
                    raise error

        slow = replace(platform, connection=Connection(FaultyBroker(trader, Faults(on_call=overtaken)), trader))
        raised = isinstance(error, IndexError | BrokerUnavailable)
        with pytest.raises(type(error)) if raised and error is not None else nullcontext():
            second = data_service(slow, manager, Pipeline.MODULAR).run(cycle.trigger)
            assert second == first[0]
        kept = load(platform.state, keys.data_record(cycle.run_id), RunRecord)
    assert kept is not None
    assert kept.value == first[0].record


def test_a_published_run_whose_snapshot_is_gone_is_not_taken_back(tmp_path: Path) -> None:
    with exchange_at(tmp_path, changes=TECL_ONLY) as (platform, cycle):
        service = data_service(platform, portfolio(platform), Pipeline.MODULAR)
        record = service.run(cycle.trigger).record
        assert record.snapshot_key is not None
        (tmp_path / "archive" / record.snapshot_key).unlink()
        with pytest.raises(StateCorrupt, match="is not in the archive"):
            service.run(cycle.trigger)
        kept = load(platform.state, keys.data_record(cycle.run_id), RunRecord)
    assert kept is not None
    assert kept.value == record


@pytest.mark.parametrize(
    ("late", "words"),
    [(timedelta(minutes=31), "outside the decision window"), (timedelta(days=5), "outside the decision window")],
)
def test_a_cycle_that_comes_too_late_is_skipped_and_nothing_else_happens(
    tmp_path: Path, late: timedelta, words: str
) -> None:
    with exchange_at(tmp_path, late=late) as (platform, cycle):
        cycle_runner(platform)(cycle, 1)
        run = ended(platform, cycle)
    assert run.summary.status == RunStatus.SKIPPED.value
    assert words in run.summary.reason
    assert (run.snapshot, run.decision, run.summary.report) == (None, None, None)


def test_a_day_without_session_is_skipped(tmp_path: Path) -> None:
    with exchange_at(tmp_path) as (platform, _):
        sunday = cycle_at(platform.settings, datetime.fromisoformat("2020-02-02T14:45:00+00:00"))
        cycle_runner(platform)(sunday, 1)
        run = ended(platform, sunday)
    assert (run.summary.status, run.summary.reason) == ("skipped", "2020-02-02 is not a trading day")


GAP_STAYS = {"carry_gaps": 0}


def test_a_missing_bar_is_carried_and_marked(tmp_path: Path) -> None:
    """The bundled market lacks one bar of XLP on 2021-03-24, on purpose."""
    with exchange_at(tmp_path, date(2021, 3, 26)) as (platform, cycle):
        cycle_runner(platform)(cycle, 1)
        run = ended(platform, cycle)
    assert run.summary.status == RunStatus.COMPLETED.value, run.summary.reason
    assert run.snapshot is not None
    assert [(item.symbol, item.days) for item in run.snapshot.carried] == [("XLP", (date(2021, 3, 24),))]
    assert run.snapshot.missing == ()


def test_a_gap_that_stays_ends_the_run_of_a_strategy_that_rests_on_it_naming_symbol_and_date(tmp_path: Path) -> None:
    with exchange_at(tmp_path, date(2021, 3, 26), changes={"data": GAP_STAYS}) as (platform, cycle):
        cycle_runner(platform)(cycle, 1)
        run = ended(platform, cycle)
    assert run.summary.status == RunStatus.FAILED.value
    assert "rsi-zero-seed(10) of XLP has 1 bars and needs 11" in run.summary.reason
    assert "no bar on 1 sessions from 2021-03-24 to 2021-03-24" in run.summary.reason


def test_by_policy_a_missing_symbol_is_left_out_and_only_its_strategy_goes_to_cash(tmp_path: Path) -> None:
    changes = {"strategies": {"allocations": {"tecl": 0.8, "klm": 0.2}, "on_unknown": "cash"}, "data": GAP_STAYS}
    with exchange_at(tmp_path, date(2021, 3, 26), changes=changes) as (platform, cycle):
        cycle_runner(platform)(cycle, 1)
        run = ended(platform, cycle)
    assert run.snapshot is not None
    assert [gap.symbol for gap in run.snapshot.missing] == ["XLP"]
    assert run.decision is not None
    status = {signal.strategy: signal.status.value for signal in run.decision.signals}
    assert status == {"klm": "unknown", "tecl": "target"}
    assert sum(target.weight for target in run.decision.targets) == pytest.approx(0.8)


def test_a_strategy_that_cannot_decide_ends_the_run_with_its_reason(tmp_path: Path) -> None:
    """`keep` without anything to keep: the strategy service has no state, the trading service records why."""
    changes = {"strategies": {"allocations": {"klm": 1.0}, "on_unknown": "keep"}, "data": GAP_STAYS}
    with exchange_at(tmp_path, date(2021, 3, 26), changes=changes) as (platform, cycle):
        result = cycle_runner(platform)(cycle, 2)
        run = ended(platform, cycle)
    assert run.summary.status == RunStatus.FAILED.value
    assert "klm lacks data and has no previous targets to keep" in run.summary.reason
    assert "XLP" in run.summary.reason
    assert result.dead_letters == ()


def test_a_provisional_bar_is_marked_timed_and_decided_on(tmp_path: Path) -> None:
    changes = {
        **TECL_ONLY,
        "data": {"bar_policy": BarPolicy.PROVISIONAL},
        "schedule": {"anchor": Anchor.CLOSE, "offset_minutes": 20},
    }
    with exchange_at(tmp_path, changes=changes) as (platform, cycle):
        cycle_runner(platform)(cycle, 1)
        run = ended(platform, cycle)
    assert run.summary.status == RunStatus.COMPLETED.value, run.summary.reason
    assert run.snapshot is not None
    assert run.snapshot.provisional is not None
    assert run.snapshot.as_of == run.snapshot.provisional.day == DAY
    assert run.decision is not None
    assert run.decision.bar_policy is BarPolicy.PROVISIONAL


@pytest.mark.parametrize("body", ["", "{", '{"schema_version": "9.0"}', '{"schema_version": "1.0", "kind": "letter"}'])
def test_a_poison_message_ends_as_a_dead_letter_and_the_next_cycle_goes_on(tmp_path: Path, body: str) -> None:
    with exchange_at(tmp_path, changes=TECL_ONLY) as (platform, cycle):
        for queue in (platform.market_data_queue, platform.trade_decision_queue):
            queue.send(body, group=platform.settings.account_alias, deduplication_id=f"poison {queue.name}")
        result = local_pipeline(platform).run(cycle.trigger)
        run = ended(platform, cycle)
        kept = [platform.archive.get(key) for key in platform.archive.keys("dead-letters/")]
    assert len(result.dead_letters) == 2
    assert kept == [body.encode()] * 2
    assert run.summary.status == RunStatus.COMPLETED.value


def test_the_archived_snapshot_is_the_message_and_decides_the_same_again(tmp_path: Path) -> None:
    with exchange_at(tmp_path, changes=TECL_ONLY) as (platform, cycle):
        cycle_runner(platform)(cycle, 1)
        record = load(platform.state, keys.data_record(cycle.run_id), RunRecord)
        assert record is not None
        assert record.value.snapshot_key is not None
        body = platform.archive.get(record.value.snapshot_key)
        run = ended(platform, cycle)
    assert body is not None
    assert json.loads(body)["kind"] == "market-snapshot"
    assert run.snapshot is not None
    assert run.snapshot.content_hash() == record.value.snapshot_hash
    assert run.decision is not None
    assert run.decision.snapshot_hash == record.value.snapshot_hash


def test_a_data_run_that_raises_says_why_in_its_record_and_can_be_tried_again(tmp_path: Path) -> None:
    """A bug, or a broker that stays away, must not leave a run that nobody knows the end of."""

    def strike(error: Exception | None) -> Faults:
        def on_call(name: str) -> None:
            if error is not None and name == "positions":
                raise error

        return Faults(on_call=on_call)

    with exchange_at(tmp_path, changes=TECL_ONLY) as (platform, cycle):
        trader, manager = platform.connection.broker, portfolio(platform)
        assert trader is not None
        for error, status, words in (
            (IndexError("list index out of range"), RunStatus.FAILED, "unexpected IndexError: list index out of range"),
            (BrokerUnavailable("positions: 503"), RunStatus.FAILED, "positions: 503; the trigger may come again"),
            (None, RunStatus.PUBLISHED, ""),
        ):
            connection = Connection(FaultyBroker(trader, strike(error)), trader)
            service = data_service(replace(platform, connection=connection), manager, Pipeline.MODULAR)
            with pytest.raises(type(error)) if error is not None else nullcontext():
                service.run(cycle.trigger)
            record = load(platform.state, keys.data_record(cycle.run_id), RunRecord)
            assert record is not None
            assert (record.value.status, record.value.reason) == (status, words)
