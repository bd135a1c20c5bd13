"""What people changed, and the broker: each change as it was made."""

from alchemiser_common.messages.base import UtcTime, VersionedModel


class AuditEntry(VersionedModel):
    """One change by a person, or to the books by the broker: when, who, what and why. Never altered."""

    at: UtcTime
    who: str
    what: str
    reason: str
