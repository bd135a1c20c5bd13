"""DataService: from a trigger to an archived snapshot, or to the reason why there is none.

Archives and records; sends nothing. The same trigger gives the same run id, however often it comes.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from alchemiser_common import keys
from alchemiser_common.account_binding import check_binding
from alchemiser_common.errors import AlchemiserError, PermanentError, StateCorrupt, TransientError
from alchemiser_common.ids import Pipeline, RunRef
from alchemiser_common.masking import masked
from alchemiser_common.messages.base import Stage
from alchemiser_common.messages.reference import SnapshotReference
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.messages.snapshot import MarketSnapshot, StrategyTargets
from alchemiser_common.messages.trigger import CycleTrigger
from alchemiser_common.messages.wire import ARCHIVED_LIMIT, MESSAGE_LIMIT, decode, encode
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.clock import EXCHANGE_ZONE, Clock
from alchemiser_common.ports.state import ABSENT, StateStore, load, load_all, put, put_over
from alchemiser_common.records.run import RunEntry, RunRecord, SnapshotFigures
from alchemiser_common.records.targets import StoredTargets
from alchemiser_common.settings import Settings
from alchemiser_common.telemetry import run_scope
from alchemiser_data.decision_window import Skip, decision_window
from alchemiser_data.provider import UnifiedDataProvider

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Archived:
    """A snapshot, and its bytes as they are in the archive under `key`."""

    snapshot: MarketSnapshot
    key: str
    body: bytes

    def message(self) -> str:
        """What the queue gets: those bytes, or a reference to them if they are more than it takes."""
        if len(self.body) <= MESSAGE_LIMIT:
            return self.body.decode()
        return encode(SnapshotReference.to(self.snapshot, self.key, self.body))


@dataclass(frozen=True, slots=True)
class DataOutcome:
    """The run's record, and the archived snapshot if there is something to decide: then its status is `published`."""

    record: RunRecord
    archived: Archived | None = None


class DataService:
    """One account's data stage: one snapshot a run, read once, archived once, recorded with its hash."""

    def __init__(
        self,
        provider: UnifiedDataProvider,
        state: StateStore,
        archive: Archive,
        clock: Clock,
        settings: Settings,
        pipeline: Pipeline,
    ) -> None:
        self._provider = provider
        self._state = state
        self._archive = archive
        self._clock = clock
        self._settings = settings
        self._pipeline = pipeline

    def run(self, trigger: CycleTrigger) -> DataOutcome:
        """Read, check, archive and record.

        Permanent faults end as a record with status `failed`. What else is raised goes up, for the caller to retry; if
        nobody does, or no retry does better, the record says `failed` and why.
        Raises StateCorrupt if an earlier trigger's snapshot is gone: its record is then left as it is.
        """
        run = RunRef.of(self._settings.account_alias, trigger.scheduled_at, self._pipeline)
        with run_scope(run):
            started = self._clock.now()
            published = self._published(run)
            if published is not None:
                _log.info("snapshot published again", extra={"snapshot_hash": published.record.snapshot_hash})
                return published
            try:
                self._record(run, RunStatus.STARTED)
                result = self._read(run)
                if isinstance(result, MarketSnapshot):
                    return self._archived(run, result, started)
            except PermanentError as error:
                _log.error("data stage failed", extra={"error": type(error).__name__, "reason": str(error)})
                return self._outcome(self._record(run, RunStatus.FAILED, reason=str(error)))
            except TransientError as error:
                self._note(run, f"{error}; the trigger may come again")
                raise
            except Exception as error:
                self._note(run, masked(f"unexpected {type(error).__name__}: {error}"))
                raise
            _log.info("run skipped", extra={"reason": result.reason})
            return self._outcome(self._record(run, RunStatus.SKIPPED, reason=result.reason))

    def _published(self, run: RunRef) -> DataOutcome | None:
        """What an earlier trigger of this run published: the same run decides on the same snapshot."""
        known = load(self._state, keys.data_record(run.run_id), RunRecord)
        return None if known is None or known.value.snapshot_key is None else self._outcome(known.value)

    def _outcome(self, record: RunRecord) -> DataOutcome:
        """The record, with the snapshot that it names. Raises StateCorrupt if that is gone."""
        if record.snapshot_key is None:
            return DataOutcome(record)
        archived = self._find(record.snapshot_key)
        if archived is None:
            raise StateCorrupt(f"snapshot {record.snapshot_key} of run {record.run_id} is not in the archive")
        return DataOutcome(record, archived)

    def _find(self, key: str) -> Archived | None:
        """What the archive has under that key."""
        body = self._archive.get(key)
        return None if body is None else Archived(decode(body, MarketSnapshot, limit=ARCHIVED_LIMIT), key, body)

    def _read(self, run: RunRef) -> MarketSnapshot | Skip:
        day = run.scheduled_at.astimezone(EXCHANGE_ZONE).date()
        window = decision_window(
            day,
            self._provider.session_on(day),
            self._settings.schedule,
            scheduled_at=run.scheduled_at,
            now=self._clock.now(),
        )
        if isinstance(window, Skip):
            return window
        snapshot = self._provider.read(
            run,
            window,
            previous_targets=self._previous_targets(),
        )
        check_binding(self._state, run.account_alias, self._settings.environment, snapshot.account.account_id)
        return snapshot

    def _previous_targets(self) -> Sequence[StrategyTargets]:
        partition = keys.account_partition(self._settings.account_alias)
        stored = load_all(self._state, partition, StoredTargets, prefix=keys.TARGETS_PREFIX)
        return [item.value.targets() for item in stored]

    def _archived(self, run: RunRef, snapshot: MarketSnapshot, started: datetime) -> DataOutcome:
        traced = snapshot.traced(Stage.DATA, started, self._clock.now())
        body = encode(traced, limit=ARCHIVED_LIMIT).encode()
        content_hash = traced.content_hash()
        key = keys.snapshot_object(traced.session.day, traced.run_id, content_hash)
        # A trigger that died before its record was written may have left the same content with its own times.
        archived = self._find(key)
        if archived is None:
            archived = Archived(traced, key, body)
            self._archive.put(key, body)
        figures = SnapshotFigures.of(archived.snapshot)
        record = self._record(run, RunStatus.PUBLISHED, snapshot_key=key, snapshot_hash=content_hash, figures=figures)
        _log.info(
            "snapshot ready",
            extra={
                "symbols": len(traced.bars.symbols),
                "bars": len(traced.bars.dates),
                "as_of": traced.as_of.isoformat(),
                "snapshot_hash": content_hash,
            },
        )
        return DataOutcome(record, archived) if record.snapshot_key == key else self._outcome(record)

    def _note(self, run: RunRef, reason: str) -> None:
        """Record why an exception goes up; a store that stays away must not hide it."""
        with suppress(AlchemiserError):
            self._record(run, RunStatus.FAILED, reason=reason)

    def _record(
        self,
        run: RunRef,
        status: RunStatus,
        *,
        reason: str = "",
        snapshot_key: str | None = None,
        snapshot_hash: str | None = None,
        figures: SnapshotFigures | None = None,
    ) -> RunRecord:
        """Write the run's record and return it, or the one of a snapshot that is published already: that one stays,
        whatever another trigger of this run finds later.
        """
        key = keys.data_record(run.run_id)
        known = load(self._state, key, RunRecord)
        if known is not None and known.value.snapshot_key is not None:
            return known.value
        record = RunRecord(
            **run.fields(),
            scheduled_at=run.scheduled_at,
            status=status,
            reason=reason,
            updated_at=self._clock.now(),
            snapshot_key=snapshot_key,
            snapshot_hash=snapshot_hash,
            figures=figures,
        )
        if known is None:
            entry = RunEntry(run_id=run.run_id, cycle_id=run.cycle_id)
            listed = keys.run_entry(run.account_alias, run.scheduled_at, run.pipeline)
            self._state.write(put(key, record, ABSENT), put(listed, entry, ABSENT))
        else:
            self._state.write(put_over(known, key, record))
        return record
