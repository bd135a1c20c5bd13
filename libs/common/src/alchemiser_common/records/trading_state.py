"""Whether an account may trade. No record means ACTIVE: the permission to trade is the authority record."""

from enum import StrEnum

from alchemiser_common.messages.base import UtcTime, VersionedModel


class TradingState(StrEnum):
    """What the account may do."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


class TradingStateRecord(VersionedModel):
    """The state, since when, by whom and why."""

    state: TradingState
    who: str
    reason: str
    at: UtcTime
