"""That a person was told of a run. Written before the message is sent: it is told once at most, whatever dies."""

from uuid import UUID

from alchemiser_common.messages.base import UtcTime, VersionedModel
from alchemiser_common.messages.report import RunStatus


class ToldRun(VersionedModel):
    """A run of which a message was to be sent. Since 1.6."""

    run_id: UUID
    about: str
    """`ended`, `missed` or `stuck`: each is told once."""
    status: RunStatus | None
    """As it was told; None of a run that has not ended."""
    at: UtcTime
