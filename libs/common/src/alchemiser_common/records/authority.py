"""Which pipeline may trade an account. Absent: none may."""

from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.base import UtcTime, VersionedModel


class Authority(VersionedModel):
    """The pipeline that may trade, since when and by whose word."""

    pipeline: Pipeline
    epoch: int
    """Grows with every change and goes into every order intent."""
    set_by: str
    reason: str
    set_at: UtcTime
