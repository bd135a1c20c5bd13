"""Who works on an account, and the run that has not ended."""

from uuid import UUID

from alchemiser_common.messages.base import UtcTime, VersionedModel


class LeaseRecord(VersionedModel):
    """Who works on the account until when, and the run that has not ended. Changed by conditional writes only."""

    owner: str
    """Empty when released."""
    epoch: int
    """Grows with every acquisition: the fencing token in each order intent."""
    expires_at: UtcTime
    unfinished_run: UUID | None = None
    """The run whose plan is frozen and which has not ended."""
    unfinished_until: UtcTime | None = None
    """Its deadline."""
