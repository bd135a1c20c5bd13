"""Rows 1 to 7 of the failure table once more, with real processes and SIGKILL.

The exchange lives in the test's process, the state in SQLite files, and each delivery in a process of its own.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.settings import Environment, LiveSettings
from alchemiser_simulator.control.faults import PartialFills, TimeoutAfterAccept, When
from support.exploration import HELD, PRICES, calls_without_faults, check
from support.real_processes import Crew, locked, until
from support.stoppable_trading import Moment
from support.trading_rig import Rig, exchange, quiet_market
from support.trading_runs import SWITCH, assert_no_open_orders

ORDERS = When(method="POST", path="^/v2/orders$")
BOUNDARIES = 8
"""Kills of row 2, spread over the run."""
CALLS_OF_AN_ENDED_RUN = 4
"""What a delivery does that finds the run ended: it reads journal and report, archives, and looks for its event."""
TALLY: Counter[str] = Counter()


@pytest.fixture(scope="module")
def calls(scene: Callable[[], Rig]) -> int:
    """I/O calls of a run that meets no fault."""
    return len(calls_without_faults(scene()))


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    with exchange(quiet_market(PRICES), tmp_path) as rig, Crew(rig, tmp_path) as crew:
        rig.control.set_holding("CCC", HELD)
        yield crew
        TALLY.update(runs=1, processes=crew.started, killed=crew.killed)


def assert_as_undisturbed(crew: Crew, decision: TradeDecision, report: ExecutionReport) -> None:
    """The exchange stands as after a run nobody disturbed, or the halt has a reason; one more delivery adds nothing."""
    TALLY[check(crew.rig, report)] += 1
    assert_nothing_is_added(crew, decision, report)


def assert_nothing_is_added(crew: Crew, decision: TradeDecision, report: ExecutionReport) -> None:
    rig, before = crew.rig, crew.rig.orders()
    rig.clock.restart(rig.control.clock().now)
    again = rig.trade(decision)
    assert again.status is report.status
    assert again.orders_placed == 0
    assert rig.orders() == before, "a delivery after the end changed the orders"


def test_row_01_timeout_after_the_broker_accepted_the_order(crew: Crew) -> None:
    crew.rig.control.add_fault(TimeoutAfterAccept(match=ORDERS, hold_seconds=60, count=2))
    decision = crew.rig.decision(SWITCH)
    for accepted in (1, 2):
        waiting = crew.deliver(decision)
        crew.wait_for_orders(accepted)
        assert crew.rig.control.faults()[0].used == accepted, "an order was answered"
        crew.kill(waiting)
        crew.let_the_lease_run_out()
    assert_as_undisturbed(crew, decision, crew.redeliver(decision))


@pytest.mark.parametrize("seed", range(BOUNDARIES))
def test_row_02_process_killed_at_an_io_boundary_then_redelivered(crew: Crew, calls: int, seed: int) -> None:
    chance = random.Random(seed)
    number = chance.randint(calls * seed // BOUNDARIES + 1, calls * (seed + 1) // BOUNDARIES)
    moment = Moment(when=chance.choice(["before", "after"]), number=number)
    decision = crew.rig.decision(SWITCH)
    crew.kill(crew.deliver(decision, moment))
    if seed % 2:
        crew.let_the_lease_run_out()
        crew.kill(crew.deliver(decision, Moment(when="after", number=chance.randint(1, CALLS_OF_AN_ENDED_RUN))))
    assert_as_undisturbed(crew, decision, crew.redeliver(decision))


@pytest.mark.parametrize(
    "moment",
    [
        Moment(when="before", call="write LEASE INTENT#0001#003"),
        Moment(when="after", call="write LEASE INTENT#0001#003"),
        Moment(when="before", call="submit sell CCC", number=3),
        Moment(when="after", call="submit sell CCC", number=2),
    ],
    ids=str,
)
def test_row_03_killed_between_a_partial_fill_and_the_next_step(crew: Crew, moment: Moment) -> None:
    partly = PartialFills(match=ORDERS, fraction=Decimal("0.3"), max_fills=1, count=6, then="cancel")
    crew.rig.control.add_fault(
        partly
    )  # the rest is cancelled: an order that stands at the far side is left where it is
    decision = crew.rig.decision(SWITCH)
    standing = crew.deliver(decision, moment)
    sold = [order.filled_qty for order in crew.rig.orders() if order.symbol == "CCC"]
    assert 0 < sum(sold) < HELD, f"no part was sold: {sold}"
    crew.kill(standing)
    assert_as_undisturbed(crew, decision, crew.redeliver(decision))


@pytest.mark.parametrize("moment", [Moment(when="before", call="submit"), Moment(when="after", call="submit")], ids=str)
def test_row_04_two_deliveries_of_one_message_at_once(crew: Crew, moment: Moment) -> None:
    decision = crew.rig.decision(SWITCH)
    first = crew.deliver(decision, moment)
    orders = crew.rig.orders()
    assert crew.deliver(decision).ending().again.startswith("LeaseHeld"), "the second delivery went on beside the first"
    assert crew.rig.orders() == orders
    crew.kill(first)
    assert_as_undisturbed(crew, decision, crew.redeliver(decision))


@pytest.mark.parametrize("victim", [0, 1])
def test_row_04_two_processes_race_for_one_message_and_one_is_killed(crew: Crew, victim: int) -> None:
    decision = crew.rig.decision(SWITCH)
    racing = [crew.ready(), crew.ready()]
    for process in racing:
        crew.assign(process, decision)
    crew.wait_for_orders()
    crew.killed += racing[victim].kill()
    racing[1 - victim].ending()
    assert_as_undisturbed(crew, decision, crew.redeliver(decision))


def test_row_04_a_process_that_slept_through_its_lease_places_nothing_more(crew: Crew) -> None:
    decision = crew.rig.decision(SWITCH)
    sleeper = crew.deliver(decision, Moment(when="before", call="write LEASE INTENT#0002#001"))
    crew.let_the_lease_run_out()
    second = crew.deliver(decision, Moment(when="after", call="submit buy AAA"))
    orders = crew.rig.orders()
    sleeper.tell()
    assert sleeper.ending().again.startswith("LeaseHeld")
    assert crew.rig.orders() == orders
    crew.kill(second)
    assert_as_undisturbed(crew, decision, crew.redeliver(decision))


def test_row_05_the_same_decision_redelivered_hours_later(crew: Crew) -> None:
    decision = crew.rig.decision(SWITCH)
    crew.kill(crew.deliver(decision, Moment(when="after", call="archive put", number=2)))
    crew.rig.control.advance(timedelta(hours=3))
    report = crew.redeliver(decision)
    assert report.orders_placed == 0
    assert "ended before" in report.reason
    assert_as_undisturbed(crew, decision, report)


@pytest.mark.parametrize("call", ["submit buy AAA", "cancel"])
def test_row_05_a_run_cut_short_is_wound_up_hours_later(crew: Crew, call: str) -> None:
    decision = crew.rig.decision(SWITCH)
    crew.kill(crew.deliver(decision, Moment(when="after", call=call)))
    placed = [order.client_order_id for order in crew.rig.orders()]
    crew.rig.control.advance(timedelta(hours=3))
    report = crew.redeliver(decision)
    assert report.status is RunStatus.PARTIAL
    assert "the decision was good until" in report.reason
    assert [order.client_order_id for order in crew.rig.orders()] == placed, "an order was sent after the deadline"
    filled = {(leg.symbol, leg.side.value): leg.filled for leg in report.legs if leg.filled > 0}
    assert filled == crew.rig.traded(), "the report differs from the exchange"
    assert_no_open_orders(crew.rig)
    assert_nothing_is_added(crew, decision, report)


def arm(rig: Rig) -> None:
    """Both pipelines trade live with the same settings, every lock open."""
    live = LiveSettings(armed=True, account_id=rig.broker.account().account_id)
    rig.settings = rig.settings.model_copy(update={"environment": Environment.LIVE, "live": live})


def test_row_06_monolith_and_modular_triggered_for_one_cycle(crew: Crew) -> None:
    arm(crew.rig)
    modular = crew.rig.decision(SWITCH)
    monolith = crew.rig.decision(SWITCH, pipeline=Pipeline.MONOLITH)
    trading = crew.deliver(modular, Moment(when="after", call="submit buy AAA"))
    assert crew.deliver(monolith).ending().again.startswith("LeaseHeld")
    crew.kill(trading)
    crew.let_the_lease_run_out()
    assert crew.deliver(monolith).ending().again.startswith("LeaseHeld"), "a run that has not ended was overtaken"
    report = crew.redeliver(modular)
    refused = crew.redeliver(monolith)
    assert refused.status is RunStatus.FAILED
    assert "is traded by modular" in refused.reason
    assert_as_undisturbed(crew, modular, report)


def test_row_06_the_monolith_comes_first_and_is_killed_before_its_refusal_is_written(crew: Crew) -> None:
    arm(crew.rig)
    modular = crew.rig.decision(SWITCH)
    monolith = crew.rig.decision(SWITCH, pipeline=Pipeline.MONOLITH)
    refusing = crew.deliver(monolith, Moment(when="before", call="write LEASE JOURNAL REPORT"))
    assert crew.deliver(modular).ending().again.startswith("LeaseHeld")
    crew.kill(refusing)
    report = crew.redeliver(modular)
    assert crew.redeliver(monolith).status is RunStatus.FAILED
    assert_as_undisturbed(crew, modular, report)


@pytest.mark.parametrize("killed", list(Pipeline))
def test_row_06_both_pipelines_race_and_one_is_killed(crew: Crew, killed: Pipeline) -> None:
    arm(crew.rig)
    decisions = {pipeline: crew.rig.decision(SWITCH, pipeline=pipeline) for pipeline in Pipeline}
    racing = {pipeline: crew.ready() for pipeline in Pipeline}
    for pipeline, process in racing.items():
        crew.assign(process, decisions[pipeline])
    until(lambda: bool(crew.rig.orders()) or all(process.ended for process in racing.values()), "the race to be run")
    crew.killed += racing.pop(killed).kill()
    for process in racing.values():
        process.ending()
    report = crew.redeliver(decisions[Pipeline.MODULAR])
    assert crew.redeliver(decisions[Pipeline.MONOLITH]).status is RunStatus.FAILED
    assert_as_undisturbed(crew, decisions[Pipeline.MODULAR], report)


@pytest.mark.parametrize("call", ["write LEASE INTENT#0002#001", "write LEASE TARGETS#", "write LEASE JOURNAL REPORT"])
def test_row_07_the_state_store_is_unavailable(crew: Crew, call: str) -> None:
    decision = crew.rig.decision(SWITCH)
    trading, next_in_line = crew.deliver(decision, Moment(when="before", call=call)), crew.ready()
    orders = crew.rig.orders()
    with locked(crew.folder):
        trading.tell()
        crew.assign(next_in_line, decision)
        assert trading.hear("unavailable").startswith(f"unavailable {call}")
        assert next_in_line.ending().again.startswith("StoreUnavailable")
        crew.kill(trading)
        assert crew.rig.orders() == orders, "an order was sent without a journal"
    assert_as_undisturbed(crew, decision, crew.redeliver(decision))


def test_what_the_rows_came_to(record_property: Callable[[str, object], None]) -> None:
    if not TALLY["runs"]:
        pytest.skip("no row was run")
    assert TALLY["killed"] > 0, "no process was killed"
    counts = ", ".join(f"{TALLY[word]} {word}" for word in ("runs", "completed", "halted", "processes"))
    record_property("rows 1 to 7 with real processes", f"{counts}, {TALLY['killed']} killed with SIGKILL")
