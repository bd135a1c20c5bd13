"""What people changed, each change as it was made."""

from alchemiser_common.messages.base import UtcTime, VersionedModel


class AuditEntry(VersionedModel):
    """One change."""

    at: UtcTime
    who: str
    what: str
    reason: str
