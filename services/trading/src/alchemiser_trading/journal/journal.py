"""The durable record of a run: phase, frozen plan, order intents, report.

Written through the account's lease, so that a worker that lost the account cannot write; an intent is written before
its order is sent. Never overwrites what another worker wrote.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

from alchemiser_common import keys
from alchemiser_common.errors import Conflict, StateCorrupt, StoreUnavailable
from alchemiser_common.ids import RunRef
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.ports.state import ABSENT, Put, StateStore, Versioned, load, load_all, put
from alchemiser_common.records.journal import Intent, JournalHead
from alchemiser_common.records.plan import Plan
from alchemiser_common.records.run import RunEntry
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.journal.phases import TRANSITIONS


class Journal:
    """One run's record, at the version this worker last saw."""

    def __init__(self, store: StateStore, head: Versioned[JournalHead]) -> None:
        self._store = store
        self._head = head
        self._stale = False

    @classmethod
    def load(cls, store: StateStore, run: UUID) -> Self | None:
        """The record of a run, or None. Raises StateCorrupt if it cannot be read."""
        head = load(store, keys.journal_record(run), JournalHead)
        return None if head is None else cls(store, head)

    @classmethod
    def open(cls, store: StateStore, fresh: JournalHead) -> Self:
        """The record of the run that `fresh` is of, made from it if there is none.

        Of two workers that make it, both go on with the first's.
        """
        key = keys.journal_record(fresh.run_id)
        for _ in range(2):
            known = cls.load(store, fresh.run_id)
            if known is not None:
                return known
            try:
                store.write(put(key, fresh, ABSENT), *listing(store, fresh.run))
            except Conflict:
                continue
            return cls(store, Versioned(fresh, ABSENT + 1))
        raise Conflict(f"journal of run {fresh.run_id} was made by another worker at this moment")

    @property
    def head(self) -> JournalHead:
        """RunStatus and reason as last read or written."""
        return self._head.value

    def plan(self) -> Plan | None:
        """The frozen plan, or None before PLANNED."""
        known = load(self._store, keys.plan_record(self.head.run_id), Plan)
        return None if known is None else known.value

    def required_plan(self) -> Plan:
        """The frozen plan of a run that has one. Raises StateCorrupt if it is gone."""
        plan = self.plan()
        if plan is None:
            raise StateCorrupt(f"run {self.head.run_id} is {self.head.phase.value} but its plan is not there")
        return plan

    def intents(self) -> Sequence[Intent]:
        """Every intent, by leg and step."""
        partition = keys.run_partition(self.head.run_id)
        return [item.value for item in load_all(self._store, partition, Intent, prefix=keys.INTENT_PREFIX)]

    def intent(self, leg: int, step: int) -> Intent | None:
        """One intent, or None if it was never written."""
        known = load(self._store, keys.intent_record(self.head.run_id, leg, step), Intent)
        return None if known is None else known.value

    def report(self) -> ExecutionReport | None:
        """The report of a run that has ended."""
        known = load(self._store, keys.report_record(self.head.run_id), ExecutionReport)
        return None if known is None else known.value

    # The order of a run's writes. Each is one transaction that also renews the lease and proves that it is held:
    #
    #   1  head RECEIVED
    #   2  head PLANNED, plan, lease names this run as unfinished
    #   3  intent, then its request; the next intent, then its request; …
    #   4  targets, in as many writes as they need
    #   5  head ended, report, books, equity, lease names none
    #
    # Dying between any two leaves what the next delivery needs: before 2 nothing was sent and it plans anew; after it,
    # every order that may exist has an intent; what 4 wrote, the next delivery writes once more. The end is one write,
    # so that no report stands without its books.
    # `_stale`: a write whose answer was lost may have happened, and the head is read again before the next one.
    def freeze(self, lease: AccountLease, plan: Plan, authority_epoch: int, now: datetime) -> None:
        """Store the plan, once; from now on this run is the account's unfinished one."""
        head = self._moved(RunStatus.PLANNED, "", now).model_copy(
            update={"decision_hash": plan.decision_hash, "authority_epoch": authority_epoch}
        )
        frozen = put(keys.plan_record(head.run_id), plan, ABSENT)
        lease.begin(head.run_id, head.not_after, self._put(head), frozen)
        self._now_at(head)

    def move(self, lease: AccountLease, phase: RunStatus, now: datetime) -> None:
        """Enter a phase that does not end the run; staying where it is writes nothing."""
        if self._stale:
            self._read_again()
        if phase is self.head.phase:
            return
        head = self._moved(phase, "", now)
        try:
            lease.write(self._put(head))
        except StoreUnavailable:
            self._stale = True
            raise
        self._now_at(head)

    def failed(self, lease: AccountLease, now: datetime) -> int:
        """Count a delivery that ended because something stayed out of reach; the count comes back."""
        if self._stale:
            self._read_again()
        head = self.head.model_copy(update={"failures": self.head.failures + 1, "updated_at": now})
        lease.write(self._put(head))
        self._now_at(head)
        return head.failures

    def intend(self, lease: AccountLease, intent: Intent) -> None:
        """Write an intent. When this returns the order may be sent, and only then."""
        lease.write(put(keys.intent_record(self.head.run_id, intent.leg, intent.step), intent, ABSENT))

    def finish(
        self, lease: AccountLease, report: ExecutionReport, phase: RunStatus, now: datetime, *with_it: Put
    ) -> None:
        """End the run: phase, report and whatever else must be true with them, in one write."""
        if self._stale:
            self._read_again()
        head = self._moved(phase, report.reason, now)
        lease.end(self._put(head), put(keys.report_record(head.run_id), report, ABSENT), *with_it)
        self._now_at(head)

    def _read_again(self) -> None:
        """After a write whose answer was lost: it may have happened."""
        head = load(self._store, keys.journal_record(self.head.run_id), JournalHead)
        if head is None:
            raise StateCorrupt(f"the journal of run {self.head.run_id} is gone")
        self._head, self._stale = head, False

    def _moved(self, phase: RunStatus, reason: str, now: datetime) -> JournalHead:
        if phase not in TRANSITIONS[self.head.phase]:
            raise StateCorrupt(f"run {self.head.run_id} cannot go from {self.head.phase.value} to {phase.value}")
        return self.head.model_copy(update={"phase": phase, "reason": reason, "updated_at": now})

    def _put(self, head: JournalHead) -> Put:
        return put(keys.journal_record(head.run_id), head, self._head.version)

    def _now_at(self, head: JournalHead) -> None:
        self._head = Versioned(head, self._head.version + 1)


def new_head(run: RunRef, phase: RunStatus, now: datetime, *, decision_hash: str, not_after: datetime) -> JournalHead:
    """A head that was never stored."""
    return JournalHead(
        **run.fields(), decision_hash=decision_hash, phase=phase, not_after=not_after, created_at=now, updated_at=now
    )


def listing(store: StateStore, run: RunRef) -> tuple[Put, ...]:
    """The write that puts a run into the account's list, unless the data service did."""
    key = keys.run_entry(run.account_alias, run.scheduled_at, run.pipeline)
    if store.get(key) is not None:
        return ()
    return (put(key, RunEntry(run_id=run.run_id, cycle_id=run.cycle_id), ABSENT),)
