"""Which pipeline may trade the account: given by a person, never while a run has not ended."""

from datetime import timedelta

import pytest

from alchemiser_common import keys
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import NotAuthorised, RunInProgress
from alchemiser_common.ids import Pipeline
from alchemiser_common.ports.state import load
from alchemiser_common.records.lease import LeaseRecord
from alchemiser_trading.account.authority import require_authority, set_authority
from support.clock import ManualClock
from support.leases import take
from support.messages import RUN, SCHEDULED


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
