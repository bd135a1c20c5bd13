"""Lease, authority and switch on a real store."""

import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid5

import pytest

from alchemiser_common import keys
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import LeaseHeld, NotAuthorised, RunInProgress, StateCorrupt, StoreUnavailable
from alchemiser_common.ids import Pipeline
from alchemiser_common.ports.state import ABSENT, Put, load
from alchemiser_common.records.journal import Phase
from alchemiser_common.records.lease import LeaseRecord
from alchemiser_common.records.trading_state import TradingState
from alchemiser_trading.account.audit import read_audit
from alchemiser_trading.account.authority import require_authority, set_authority
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.account.trading_state import set_trading_state, trading_state
from alchemiser_trading.journal.phases import TRANSITIONS, diagram
from support.clock import ManualClock
from support.faulty_ports import Fault, Faults, FaultyStore
from support.messages import RUN, SCHEDULED

MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path) -> SqliteStateStore:
    return SqliteStateStore(tmp_path / "state.sqlite")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(SCHEDULED)


def take(store: SqliteStateStore, clock: ManualClock, owner: str) -> AccountLease:
    return AccountLease.acquire(store, clock, "demo", owner=owner, duration=MINUTE)


def test_one_worker_has_the_account_until_it_lets_go(store: SqliteStateStore, clock: ManualClock) -> None:
    first = take(store, clock, "first")
    with pytest.raises(LeaseHeld, match=f"account demo is worked on by first until {until(MINUTE)}"):
        take(store, clock, "second")
    first.release()
    assert (first.epoch, take(store, clock, "second").epoch) == (1, 2)


def until(later: timedelta) -> str:
    return re.escape((SCHEDULED + later).isoformat(timespec="seconds"))


def test_of_two_workers_that_take_a_free_account_one_gets_it(store: SqliteStateStore, clock: ManualClock) -> None:
    def another_comes_first(call: str) -> None:
        if call.startswith("write"):
            faults.on_call = None
            take(store, clock, "other")

    faults = Faults(on_call=another_comes_first)
    with pytest.raises(LeaseHeld, match="account demo was taken by another worker at this moment"):
        AccountLease.acquire(FaultyStore(store, faults), clock, "demo", owner="me", duration=MINUTE)


def test_a_lease_that_ran_out_writes_nothing_more(store: SqliteStateStore, clock: ManualClock) -> None:
    lease = take(store, clock, "me")
    clock.advance(MINUTE)
    with pytest.raises(LeaseHeld, match=f"the lease ran out at {until(MINUTE)}; another worker may have it"):
        lease.write()


def test_an_abandoned_lease_is_taken_over_and_its_old_holder_can_write_no_more(
    store: SqliteStateStore, clock: ManualClock
) -> None:
    first = take(store, clock, "first")
    clock.advance(MINUTE)
    second = take(store, clock, "second")
    with pytest.raises(LeaseHeld):
        first.write(Put(keys.trading_state_record("demo"), "{}", ABSENT))
    assert store.get(keys.trading_state_record("demo")) is None, "a worker without the lease wrote"
    first.release()
    second.write()


def test_a_worker_whose_clock_stood_still_cannot_write_after_a_take_over(
    store: SqliteStateStore, clock: ManualClock
) -> None:
    slow = ManualClock(SCHEDULED)
    first = take(store, slow, "first")
    clock.advance(MINUTE)
    take(store, clock, "second")
    with pytest.raises(LeaseHeld, match=r"^the lease was taken over by another worker; this one stops$"):
        first.write(Put(keys.trading_state_record("demo"), "{}", ABSENT))
    assert store.get(keys.trading_state_record("demo")) is None


@pytest.mark.parametrize("fault", [Fault.FAIL_BEFORE, Fault.FAIL_AFTER])
def test_a_write_whose_answer_was_lost_does_not_lose_the_lease(
    store: SqliteStateStore, clock: ManualClock, fault: Fault
) -> None:
    faults = Faults()
    lease = AccountLease.acquire(FaultyStore(store, faults), clock, "demo", owner="first", duration=MINUTE)
    faults.at[faults.calls] = fault
    with pytest.raises(StoreUnavailable):
        lease.write()
    lease.write()
    with pytest.raises(LeaseHeld):
        take(store, clock, "second")


def test_a_write_whose_answer_was_lost_does_not_take_a_lost_lease_back(
    store: SqliteStateStore, clock: ManualClock
) -> None:
    slow, faults = ManualClock(SCHEDULED), Faults()
    lease = AccountLease.acquire(FaultyStore(store, faults), slow, "demo", owner="first", duration=MINUTE)
    faults.at[faults.calls] = Fault.FAIL_BEFORE
    with pytest.raises(StoreUnavailable):
        lease.write()
    clock.advance(MINUTE)
    take(store, clock, "second")
    with pytest.raises(LeaseHeld, match=r"^the lease was taken over by another worker; this one stops$"):
        lease.write()


def test_a_heartbeat_writes_once_a_third_of_the_time_has_passed(store: SqliteStateStore, clock: ManualClock) -> None:
    faults = Faults()
    lease = AccountLease.acquire(FaultyStore(store, faults), clock, "demo", owner="me", duration=MINUTE)
    for seconds, writes in ((20, 0), (1, 1), (20, 1), (1, 2)):
        clock.advance(timedelta(seconds=seconds))
        lease.keep()
        assert faults.names.count("write LEASE") == 1 + writes, "acquired, and renewed when it was time"
    assert faults.names.count("get LEASE") == 1, "it knows its own record"


def test_a_heartbeat_keeps_the_lease(store: SqliteStateStore, clock: ManualClock) -> None:
    first = take(store, clock, "first")
    for _ in range(10):
        clock.advance(timedelta(seconds=30))
        first.keep()
    with pytest.raises(LeaseHeld):
        take(store, clock, "second")


def test_without_authority_nobody_trades(store: SqliteStateStore) -> None:
    with pytest.raises(NotAuthorised, match="no pipeline has authority"):
        require_authority(store, "demo", Pipeline.MODULAR)


def test_a_change_on_a_fresh_account_leaves_its_lease_free(store: SqliteStateStore, clock: ManualClock) -> None:
    set_authority(store, "demo", Pipeline.MODULAR, who="ann", reason="start", now=SCHEDULED)
    record = load(store, keys.lease_record("demo"), LeaseRecord)
    assert record is not None
    assert record.value == LeaseRecord(owner="", epoch=0, expires_at=SCHEDULED)
    assert take(store, clock, "first").epoch == 1


def test_authority_changes_with_an_epoch_and_a_trail(store: SqliteStateStore) -> None:
    for pipeline in (Pipeline.MONOLITH, Pipeline.MODULAR):
        set_authority(store, "demo", pipeline, who="ann", reason="cutover", now=SCHEDULED)
    assert require_authority(store, "demo", Pipeline.MODULAR).epoch == 2
    with pytest.raises(NotAuthorised, match="traded by modular"):
        require_authority(store, "demo", Pipeline.MONOLITH)


def test_the_trail_tells_every_change(store: SqliteStateStore) -> None:
    set_authority(store, "demo", Pipeline.MONOLITH, who="ann", reason="start", now=SCHEDULED)
    set_trading_state(store, "demo", TradingState.HALTED, who="bob", reason="news", now=SCHEDULED + MINUTE)
    assert [(entry.who, entry.what) for entry in read_audit(store, "demo")] == [
        ("ann", "authority: nobody to monolith"),
        ("bob", "trading: active to halted"),
    ]


def test_authority_waits_for_a_worker_and_for_an_unfinished_run(store: SqliteStateStore, clock: ManualClock) -> None:
    set_authority(store, "demo", Pipeline.MONOLITH, who="ann", reason="start", now=SCHEDULED)
    lease = take(store, clock, "worker")
    with pytest.raises(RunInProgress):
        set_authority(store, "demo", Pipeline.MODULAR, who="ann", reason="cutover", now=clock.now())
    lease.begin(RUN, SCHEDULED + timedelta(hours=1))
    lease.release()
    with pytest.raises(RunInProgress):
        set_authority(store, "demo", Pipeline.MODULAR, who="ann", reason="cutover", now=clock.now())
    again = take(store, clock, "worker")
    assert (again.unfinished_run, again.unfinished_until) == (RUN, SCHEDULED + timedelta(hours=1))
    again.end()
    assert (again.unfinished_run, again.unfinished_until) == (None, None)
    again.release()
    set_authority(store, "demo", Pipeline.MODULAR, who="ann", reason="cutover", now=clock.now())


def test_who_and_why_are_asked_for(store: SqliteStateStore) -> None:
    with pytest.raises(ValueError, match="who and reason"):
        set_authority(store, "demo", Pipeline.MODULAR, who=" ", reason="x", now=SCHEDULED)
    with pytest.raises(ValueError, match="who and reason"):
        set_trading_state(store, "demo", TradingState.HALTED, who="x", reason="", now=SCHEDULED)


def test_a_switch_that_cannot_be_read_is_no_permission(store: SqliteStateStore) -> None:
    assert trading_state(store, "demo") is TradingState.ACTIVE
    store.write(Put(keys.trading_state_record("demo"), '{"state":"sure"}', ABSENT))
    with pytest.raises(StateCorrupt):
        trading_state(store, "demo")


def test_every_phase_leads_to_an_end_and_no_end_leads_anywhere() -> None:
    assert set(TRANSITIONS) == set(Phase)
    final = {phase for phase in Phase if phase.final}
    for phase in Phase:
        reachable, frontier = set[Phase](), {phase}
        while frontier:
            reachable |= frontier
            frontier = {after for before in frontier for after in TRANSITIONS[before]} - reachable
        assert reachable & final
        assert phase not in final or reachable == {phase}


def test_the_diagram_shows_every_arrow_and_no_other() -> None:
    lines = {line.strip() for line in diagram().splitlines()[1:]}
    arrows = {f"{before.value} --> {after.value}" for before, to in TRANSITIONS.items() for after in to}
    assert lines - arrows == {"[*] --> received", *(f"{phase.value} --> [*]" for phase in Phase if phase.final)}
    assert arrows <= lines


def test_run_ids_of_other_runs_are_other_keys() -> None:
    assert keys.intent_record(RUN, 1, 2) != keys.intent_record(uuid5(RUN, "other"), 1, 2)
    assert keys.intent_record(RUN, 9, 1) < keys.intent_record(RUN, 10, 1), "intents sort by leg"
