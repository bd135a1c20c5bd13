"""The journal on a real store: what each write leaves behind, what a second worker finds, what a lost answer does."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from alchemiser_common import keys
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import Conflict, LeaseHeld, StateCorrupt, StoreUnavailable
from alchemiser_common.ids import Pipeline, RunRef, Side
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.state import ABSENT, Put, load, put
from alchemiser_common.records.journal import Intent, JournalHead
from alchemiser_common.records.run import RunEntry
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.journal.journal import Journal, new_head
from support.clock import ManualClock
from support.faulty_ports import Fault, Faults, FaultyStore
from support.messages import CYCLE, RUN, SCHEDULED, make_report
from support.reconciling import A, B, plan

LATER, LAST = SCHEDULED + timedelta(seconds=5), SCHEDULED + timedelta(seconds=9)
DEADLINE = SCHEDULED + timedelta(hours=1)
REF = RunRef.of("demo", SCHEDULED, Pipeline.MODULAR)
HEAD = new_head(REF, RunStatus.RECEIVED, SCHEDULED, decision_hash="hash", not_after=DEADLINE)
HEAD_OF_ANOTHER = new_head(REF, RunStatus.RECEIVED, LATER, decision_hash="another", not_after=DEADLINE)
ENTRY = keys.run_entry("demo", SCHEDULED, Pipeline.MODULAR)
PLAN = plan(A, B).model_copy(update={"decision_hash": "the plan's"})
FROZEN = HEAD.model_copy(
    update={"phase": RunStatus.PLANNED, "decision_hash": "the plan's", "authority_epoch": 7, "updated_at": LATER}
)


def intent(leg: int, step: int) -> Intent:
    return Intent(
        client_order_id=f"order-{leg}-{step}",
        leg=leg,
        step=step,
        symbol="AAA",
        side=Side.SELL,
        quantity=Decimal(3),
        limit_price=Decimal("9.99"),
        cost_price=Decimal("9.99"),
        leg_quantity=Decimal(10),
        arrival_mid=None,
        leg_started_at=SCHEDULED,
        authority_epoch=7,
        lease_epoch=1,
        written_at=SCHEDULED,
    )


@pytest.fixture
def store(tmp_path: Path) -> SqliteStateStore:
    return SqliteStateStore(tmp_path / "state.sqlite")


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def faulty(store: SqliteStateStore, faults: Faults) -> FaultyStore:
    """The same store; strikes where `faults` says."""
    return FaultyStore(store, faults)


@pytest.fixture
def lease(faulty: FaultyStore) -> AccountLease:
    return AccountLease.acquire(faulty, ManualClock(SCHEDULED), "demo", owner="me", duration=timedelta(minutes=1))


@pytest.fixture
def journal(faulty: FaultyStore) -> Journal:
    return Journal.open(faulty, HEAD)


@pytest.fixture
def planned(journal: Journal, lease: AccountLease) -> Journal:
    journal.freeze(lease, PLAN, 7, LATER)
    return journal


def stored(store: SqliteStateStore) -> JournalHead:
    journal = Journal.load(store, RUN)
    assert journal is not None
    return journal.head


def test_a_new_run_has_a_head_and_a_line_in_the_accounts_list(store: SqliteStateStore, journal: Journal) -> None:
    assert journal.head == stored(store) == HEAD
    listed = load(store, ENTRY, RunEntry)
    assert listed is not None
    assert (listed.value, listed.version) == (RunEntry(run_id=RUN, cycle_id=CYCLE), 1)


def test_an_opened_run_is_found_as_it_is_and_listed_once(store: SqliteStateStore, journal: Journal) -> None:
    again = Journal.open(store, HEAD_OF_ANOTHER)
    assert (again.head, again.plan(), again.intents()) == (HEAD, None, [])
    assert Journal.open(store, HEAD_OF_ANOTHER).head == HEAD, "the first worker's head stays"


def test_a_run_that_the_data_service_listed_is_not_listed_again(store: SqliteStateStore) -> None:
    store.write(put(ENTRY, RunEntry(run_id=RUN, cycle_id=CYCLE), ABSENT))
    assert Journal.open(store, HEAD).head == HEAD
    assert store.get(ENTRY) == store.list(ENTRY.partition)[0]


def test_of_two_workers_that_open_a_run_both_go_on_with_the_firsts(
    store: SqliteStateStore, faulty: FaultyStore, faults: Faults
) -> None:
    def another_worker_comes_first(call: str) -> None:
        if call.startswith("write"):
            faults.on_call = None
            Journal.open(store, HEAD)

    faults.on_call = another_worker_comes_first
    mine = Journal.open(faulty, HEAD_OF_ANOTHER)
    assert mine.head == HEAD


def test_a_worker_that_loses_the_race_twice_says_so(
    store: SqliteStateStore, faulty: FaultyStore, faults: Faults
) -> None:
    races = [put(ENTRY, RunEntry(run_id=RUN, cycle_id=CYCLE), ABSENT), put(keys.journal_record(RUN), HEAD, ABSENT)]

    def another_worker_comes_first(call: str) -> None:
        if call.startswith("write"):
            store.write(races.pop(0))

    faults.on_call = another_worker_comes_first
    with pytest.raises(Conflict, match=f"journal of run {RUN} was made by another worker"):
        Journal.open(faulty, HEAD_OF_ANOTHER)


def test_a_run_without_a_record_has_no_journal(store: SqliteStateStore) -> None:
    assert Journal.load(store, RUN) is None


def test_a_frozen_plan_is_kept_and_makes_the_run_the_accounts_unfinished_one(
    store: SqliteStateStore, journal: Journal, lease: AccountLease
) -> None:
    assert journal.plan() is None
    with pytest.raises(StateCorrupt, match=f"run {RUN} is received but its plan is not there"):
        journal.required_plan()
    journal.freeze(lease, PLAN, 7, LATER)
    assert journal.head == stored(store) == FROZEN
    assert journal.plan() == journal.required_plan() == PLAN
    assert (lease.unfinished_run, lease.unfinished_until) == (RUN, DEADLINE)


def test_a_plan_is_frozen_once(store: SqliteStateStore, journal: Journal, lease: AccountLease) -> None:
    late = Journal.load(store, RUN)
    assert late is not None
    journal.freeze(lease, PLAN, 7, LATER)
    other = PLAN.model_copy(update={"decision_hash": "another"})
    with pytest.raises(Conflict):
        late.freeze(lease, other, 8, LAST)
    with pytest.raises(StateCorrupt, match=f"run {RUN} cannot go from planned to planned"):
        journal.freeze(lease, other, 8, LAST)
    assert (stored(store), journal.plan()) == (FROZEN, PLAN)


def test_a_run_moves_along_the_arrows_or_not_at_all(
    store: SqliteStateStore, planned: Journal, lease: AccountLease, faults: Faults
) -> None:
    calls = faults.calls
    planned.move(lease, RunStatus.SELLING, LAST)
    assert faults.calls == calls + 1, "one write, nothing read"
    assert planned.head == stored(store) == FROZEN.model_copy(update={"phase": RunStatus.SELLING, "updated_at": LAST})
    calls = faults.calls
    planned.move(lease, RunStatus.SELLING, LAST + timedelta(seconds=1))
    assert faults.calls == calls, "staying where it is writes nothing"
    planned.move(lease, RunStatus.BUYING, LAST)
    with pytest.raises(StateCorrupt, match=f"run {RUN} cannot go from buying to selling"):
        planned.move(lease, RunStatus.SELLING, LAST)
    assert stored(store).phase is RunStatus.BUYING


@pytest.mark.parametrize("fault", [Fault.FAIL_BEFORE, Fault.FAIL_AFTER])
@pytest.mark.parametrize("then", ["move", "finish"])
def test_after_a_lost_answer_it_goes_on_from_what_is_stored(
    store: SqliteStateStore, planned: Journal, lease: AccountLease, faults: Faults, fault: Fault, then: str
) -> None:
    faults.at[faults.calls] = fault
    with pytest.raises(StoreUnavailable):
        planned.move(lease, RunStatus.SELLING, LATER)
    if then == "move":
        planned.move(lease, RunStatus.SELLING, LATER)
        planned.move(lease, RunStatus.BUYING, LAST)
        assert faults.names.count("get JOURNAL") == 2, "read when opened, and once after the loss"
        assert (
            planned.head == stored(store) == FROZEN.model_copy(update={"phase": RunStatus.BUYING, "updated_at": LAST})
        )
    planned.finish(lease, make_report(), RunStatus.COMPLETED, LAST)
    assert planned.head == stored(store) == FROZEN.model_copy(update={"phase": RunStatus.COMPLETED, "updated_at": LAST})


def test_a_journal_that_is_gone_after_a_lost_answer_is_corrupt(
    tmp_path: Path, planned: Journal, lease: AccountLease, faulty: FaultyStore, faults: Faults
) -> None:
    faults.at[faults.calls] = Fault.FAIL_BEFORE
    with pytest.raises(StoreUnavailable):
        planned.move(lease, RunStatus.SELLING, LATER)
    faulty._inner = SqliteStateStore(tmp_path / "empty.sqlite")
    with pytest.raises(StateCorrupt, match=f"the journal of run {RUN} is gone"):
        planned.move(lease, RunStatus.SELLING, LATER)


def test_intents_are_written_once_and_read_by_leg_and_step(planned: Journal, lease: AccountLease) -> None:
    for leg, step in ((2, 1), (1, 2), (10, 1), (1, 1)):
        planned.intend(lease, intent(leg, step))
    assert planned.intents() == [intent(1, 1), intent(1, 2), intent(2, 1), intent(10, 1)]
    assert (planned.intent(1, 2), planned.intent(1, 3)) == (intent(1, 2), None)
    with pytest.raises(Conflict):
        planned.intend(lease, intent(1, 2).model_copy(update={"quantity": Decimal(4)}))
    assert planned.intent(1, 2) == intent(1, 2)


def test_a_worker_that_lost_the_account_writes_nothing(
    store: SqliteStateStore, planned: Journal, lease: AccountLease
) -> None:
    clock = ManualClock(SCHEDULED + timedelta(minutes=5))
    AccountLease.acquire(store, clock, "demo", owner="other", duration=timedelta(minutes=1))
    writes: tuple[Callable[[], None], ...] = (
        lambda: planned.intend(lease, intent(1, 1)),
        lambda: planned.move(lease, RunStatus.SELLING, LAST),
        lambda: planned.finish(lease, make_report(), RunStatus.COMPLETED, LAST),
    )
    for write in writes:
        with pytest.raises(LeaseHeld, match="taken over"):
            write()
    assert (planned.intents(), planned.report()) == ([], None)
    assert planned.head == stored(store) == FROZEN


def test_the_end_of_a_run_is_one_write_with_all_that_must_be_true_with_it(
    store: SqliteStateStore, planned: Journal, lease: AccountLease
) -> None:
    report = make_report(reason="sell AAA: partial, deadline")
    beside = Put(keys.trading_state_record("demo"), "{}", ABSENT)
    with pytest.raises(Conflict):
        planned.finish(lease, report, RunStatus.PARTIAL, LAST, beside, Put(keys.plan_record(RUN), "{}", ABSENT))
    assert (planned.report(), store.get(beside.key), planned.head) == (None, None, FROZEN)
    planned.finish(lease, report, RunStatus.PARTIAL, LAST, beside)
    over = {"phase": RunStatus.PARTIAL, "reason": "sell AAA: partial, deadline", "updated_at": LAST}
    assert planned.head == stored(store) == FROZEN.model_copy(update=over)
    assert planned.report() == report
    assert store.get(beside.key) is not None
    assert lease.unfinished_run is None
    with pytest.raises(StateCorrupt, match=f"run {RUN} cannot go from partial to completed"):
        planned.finish(lease, report, RunStatus.COMPLETED, LAST)
