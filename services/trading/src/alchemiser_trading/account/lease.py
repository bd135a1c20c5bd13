"""The account's lease: at most one worker trades an account. Every write of a run goes through it and proves it.

The record is changed only by conditional writes and expires by comparison with the injected clock. It also names
the run that has not ended, which outlives the worker: the next delivery continues that run.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from alchemiser_common import keys
from alchemiser_common.errors import AlchemiserError, Conflict, LeaseHeld, RunInProgress, StoreUnavailable
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.state import ABSENT, Key, Put, StateStore, Versioned, load, put, put_over
from alchemiser_common.records.lease import LeaseRecord

_log = logging.getLogger(__name__)


class AccountLease:
    """A lease that this worker holds. Made by `acquire`."""

    def __init__(
        self, store: StateStore, clock: Clock, key: Key, record: Versioned[LeaseRecord], duration: timedelta
    ) -> None:
        self._store = store
        self._clock = clock
        self._key = key
        self._record = record.value
        self._version: int | None = record.version
        self._duration = duration

    # A worker that died leaves a lease that ends by the clock, and a clock that is set back by an hour would keep it
    # for that hour. No lease has more time left than it is taken for. One that seems to says that its writer's clock
    # and this one do not agree (or that it was taken for longer), but not which of them is wrong: a third decides.
    #
    #     written: until 13:47    this clock: 12:46    the witness: 13:46    held, whatever is wrong
    #                                                  the witness: 13:48    over
    #                                                  no answer             held
    #
    # A witness alone takes nobody's lease: where this clock is right it is not asked. Whoever sends orders has compared
    # his own with it, see `TradingService`.
    @classmethod
    def acquire(
        cls,
        store: StateStore,
        clock: Clock,
        account_alias: str,
        *,
        owner: str,
        duration: timedelta,
        witness: Callable[[], datetime | None] = lambda: None,
    ) -> Self:
        """Take the account for `duration`. Raises LeaseHeld while another worker, or this one before, has it.

        `witness` tells a moment, aware UTC, that has passed for certain by another clock than this machine's; None if
        it is not known. Two workers that read the same free record both write version n+1: the store lets one through.
        """
        key = keys.lease_record(account_alias)
        now = clock.now()
        known = load(store, key, LeaseRecord)
        if known is not None and held(known.value, now) and known.value.expires_at - now > duration:
            now = max(now, witness() or now)
        if known is not None and held(known.value, now):
            raise LeaseHeld(
                f"account {account_alias} is worked on by {known.value.owner} until "
                f"{known.value.expires_at.isoformat(timespec='seconds')}"
            )
        record = LeaseRecord(
            owner=owner,
            epoch=known.value.epoch + 1 if known else 1,
            expires_at=clock.now() + duration,
            unfinished_run=known.value.unfinished_run if known else None,
            unfinished_until=known.value.unfinished_until if known else None,
        )
        taken = put_over(known, key, record)
        try:
            store.write(taken)
        except Conflict as error:
            raise LeaseHeld(f"account {account_alias} was taken by another worker at this moment") from error
        return cls(store, clock, key, Versioned(record, taken.expected + 1), duration)

    @property
    def epoch(self) -> int:
        """The fencing token of this acquisition: it goes into every intent."""
        return self._record.epoch

    @property
    def unfinished_run(self) -> UUID | None:
        """The run that has not ended, whose worker may be gone."""
        return self._record.unfinished_run

    @property
    def unfinished_until(self) -> datetime | None:
        """That run's deadline, aware UTC; None if no run is unfinished."""
        return self._record.unfinished_until

    def write(self, *puts: Put) -> None:
        """Write records and renew the lease in one step: it happens only while the lease is this worker's.

        Raises LeaseHeld if the lease was taken over, Conflict if one of the records was changed by another.
        """
        self._write(self._record, *puts)

    def begin(self, run: UUID, until: datetime, *puts: Put) -> None:
        """As `write`, and from now on the run is the account's unfinished one."""
        self._write(self._record.model_copy(update={"unfinished_run": run, "unfinished_until": until}), *puts)

    def end(self, *puts: Put) -> None:
        """As `write`, and no run is unfinished."""
        self._write(self._record.model_copy(update={"unfinished_run": None, "unfinished_until": None}), *puts)

    def keep(self) -> None:
        """Renew the lease if a third of its time has passed. Raises LeaseHeld if it was taken over."""
        if self._record.expires_at - self._clock.now() < self._duration * 2 / 3:
            self._write(self._record)

    def require(self) -> None:
        """Raises LeaseHeld if the lease may have run out, by this worker's clock; asks nobody."""
        if self._clock.now() >= self._record.expires_at:
            raise LeaseHeld(f"the lease ran out at {self._record.expires_at.isoformat()}; another worker may have it")

    def release(self) -> None:
        """Let the next worker in at once. Never raises: an unreleased lease expires."""
        try:
            known = load(self._store, self._key, LeaseRecord)
            if known is not None and known.value.epoch == self._record.epoch:
                self._store.write(put(self._key, known.value.model_copy(update={"owner": ""}), known.version))
        except AlchemiserError as error:
            _log.warning("lease not released; it expires", extra={"reason": str(error)})

    # Why no worker writes after it has lost the account, whatever its clock says:
    #
    #   we            read the lease at version 7, work ............. write lease 7 → 8 with the record: refused, whole
    #   the other         finds it expired, writes 7 → 8, epoch + 1, works
    #
    # The lease's own conditional write is in the same transaction as the record's. Comparing expires_at first only
    # spares a request; the store decides. A write whose answer is lost may have happened: `_version` is forgotten, and
    # the next write reads it again, where the epoch tells whether the lease is still ours.
    def _write(self, record: LeaseRecord, *puts: Put) -> None:
        self.require()
        renewed = record.model_copy(update={"expires_at": self._clock.now() + self._duration})
        version = self._version or self._read_again()
        try:
            self._store.write(put(self._key, renewed, version), *puts)
        except Conflict:
            known = load(self._store, self._key, LeaseRecord)
            if known is None or known.version != version:
                raise LeaseHeld("the lease was taken over by another worker; this one stops") from None
            raise
        except StoreUnavailable:
            self._version = None
            raise
        self._record, self._version = renewed, version + 1

    def _read_again(self) -> int:
        """The lease's version after a write whose answer was lost: it may have happened. Raises LeaseHeld."""
        known = load(self._store, self._key, LeaseRecord)
        if known is None or known.value.epoch != self._record.epoch:
            raise LeaseHeld("the lease was taken over by another worker; this one stops")
        return known.version


def held(lease: LeaseRecord, now: datetime) -> bool:
    """Whether a worker may still be at it."""
    return lease.owner != "" and now < lease.expires_at


def require_idle(store: StateStore, account_alias: str, now: datetime) -> Put:
    """A write that succeeds only if no worker takes the account meanwhile.

    Changes that must not meet a run put it into their own write. Raises RunInProgress while a run has not ended or a
    worker has the account, with what to wait for.
    """
    key = keys.lease_record(account_alias)
    known = load(store, key, LeaseRecord)
    if known is None:
        return put(key, LeaseRecord(owner="", epoch=0, expires_at=now), ABSENT)
    lease = known.value
    if lease.unfinished_run is not None:
        until = "" if lease.unfinished_until is None else f", which may trade until {lease.unfinished_until:%H:%M} UTC"
        raise RunInProgress(
            f"run {lease.unfinished_run} of account {account_alias} has not ended{until}: wait for its end, "
            "or see docs/runbooks/stuck-run.md"
        )
    if held(lease, now):
        raise RunInProgress(
            f"account {account_alias} is worked on by {lease.owner} until {lease.expires_at:%H:%M:%S} UTC: wait for it"
        )
    return put_over(known, key, lease)
