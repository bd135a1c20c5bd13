"""RunRecord: the first line of a run's history, written by the data service; the journal continues it."""

from typing import Literal
from uuid import UUID

from alchemiser_common.messages.base import Frozen, Message, UtcTime
from alchemiser_common.messages.report import RunStatus


class CycleTrigger(Frozen):
    """What starts a cycle: the scheduler's own scheduled time."""

    kind: Literal["cycle-trigger"] = "cycle-trigger"
    scheduled_at: UtcTime


class RunEntry(Frozen):
    """One line of an account's list of runs."""

    run_id: UUID
    cycle_id: str


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
