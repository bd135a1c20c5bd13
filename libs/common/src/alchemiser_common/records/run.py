"""The first line of a run's history, written by the data service, and the run's line in the account's list."""

from uuid import UUID

from alchemiser_common.messages.base import Message, UtcTime, VersionedModel
from alchemiser_common.messages.report import RunStatus


class RunEntry(VersionedModel):
    """One line of an account's list of runs."""

    run_id: UUID
    cycle_id: str


class RunRecord(Message):
    """What the data service knows of a run; the journal continues it."""

    scheduled_at: UtcTime
    status: RunStatus
    reason: str = ""
    updated_at: UtcTime
    snapshot_key: str | None = None
    """Where the snapshot is archived."""
    snapshot_hash: str | None = None
