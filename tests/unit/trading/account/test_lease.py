"""The account's lease on a real store."""

import re
from datetime import datetime, timedelta

import pytest

from alchemiser_common import keys
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import LeaseHeld, StoreUnavailable
from alchemiser_common.ports.state import ABSENT, Put
from alchemiser_trading.account.lease import AccountLease
from support.clock import ManualClock
from support.faulty_ports import Fault, Faults, FaultyStore
from support.leases import MINUTE, take
from support.messages import SCHEDULED


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


def test_what_is_sent_needs_a_lease_that_has_not_run_out_and_asks_nobody(
    store: SqliteStateStore, clock: ManualClock
) -> None:
    faults = Faults()
    lease = AccountLease.acquire(FaultyStore(store, faults), clock, "demo", owner="me", duration=MINUTE)
    calls = faults.calls
    for seconds, may_send in ((0, True), (59, True), (1, False), (3600, False)):
        clock.advance(timedelta(seconds=seconds))
        if may_send:
            lease.require()
            continue
        with pytest.raises(LeaseHeld, match=f"the lease ran out at {until(MINUTE)}; another worker may have it"):
            lease.require()
    assert faults.calls == calls, "a worker that was paused may not wait for an answer"


def test_a_lease_that_was_renewed_is_one_to_send_under(store: SqliteStateStore, clock: ManualClock) -> None:
    lease = take(store, clock, "me")
    clock.advance(timedelta(seconds=50))
    lease.keep()
    clock.advance(timedelta(seconds=50))
    lease.require()


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


# One hour: the clock was set back by so much while a worker had the account. Told is what the witness says has passed.
SET_BACK = timedelta(hours=1)


@pytest.mark.parametrize(
    ("back", "told", "gets_it"),
    [
        (SET_BACK, MINUTE, True),
        (SET_BACK, MINUTE - timedelta(seconds=1), False),
        (SET_BACK, None, False),
        (timedelta(0), 2 * MINUTE, False),
        (-timedelta(seconds=30), 2 * MINUTE, False),
        (-MINUTE, None, True),
    ],
    ids=[
        "its time is over by the third clock",
        "not yet over",
        "no third clock tells",
        "a lease that may have so much time left: the third clock alone takes it from nobody",
        "the same, later",
        "over by this clock",
    ],
)
def test_a_lease_of_which_more_is_left_than_it_is_taken_for_ends_by_a_third_clock(
    store: SqliteStateStore, clock: ManualClock, back: timedelta, told: timedelta | None, *, gets_it: bool
) -> None:
    first = take(store, clock, "first")
    clock.advance(-back)

    def again() -> AccountLease:
        def witness() -> datetime | None:
            return None if told is None else SCHEDULED + told

        return AccountLease.acquire(store, clock, "demo", owner="second", duration=MINUTE, witness=witness)

    if not gets_it:
        with pytest.raises(LeaseHeld, match="account demo is worked on by first until"):
            again()
        return
    second = again()
    second.require()
    with pytest.raises(LeaseHeld):
        first.write()


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
