"""CycleTrigger: what the scheduler hands in."""

from typing import Literal

from alchemiser_common.messages.base import Frozen, UtcTime


class CycleTrigger(Frozen):
    """What starts a cycle: the scheduler's own scheduled time."""

    kind: Literal["cycle-trigger"] = "cycle-trigger"
    scheduled_at: UtcTime
