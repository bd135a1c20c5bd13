"""What people changed, each change as it was made."""

from alchemiser_common.messages.base import UtcTime, VersionedModel


class AuditEntry(VersionedModel):
    """One change by a person: when, who, what and why. Never altered."""

    at: UtcTime
    who: str
    what: str
    reason: str
