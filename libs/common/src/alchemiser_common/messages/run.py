"""RunRecord: the first line of a run's history, written by the data service; the journal continues it."""

from alchemiser_common.messages.base import Message, UtcTime
from alchemiser_common.messages.report import RunStatus


class RunRecord(Message):
    """What the data service knows of a run."""

    account_alias: str
    scheduled_at: UtcTime
    status: RunStatus
    reason: str = ""
    updated_at: UtcTime
    snapshot_key: str | None = None
    """Where the snapshot is archived."""
    snapshot_hash: str | None = None
