"""What a dead letter says, or why it cannot be read."""

from dataclasses import dataclass
from datetime import datetime

from alchemiser_common.errors import InvalidMessage
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.reference import SnapshotReference
from alchemiser_common.messages.report import StageFailure
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import decode


@dataclass(frozen=True, slots=True)
class DeadLetterSummary:
    """Kind, run and deadline of a readable message; the fault of an unreadable one."""

    kind: str = ""
    run_id: str = ""
    cycle_id: str = ""
    not_after: datetime | None = None
    fault: str = ""

    def state(self, now: datetime) -> str:
        """Whether sending it back could still lead to trades."""
        if self.fault:
            return "unreadable"
        if self.not_after is None:
            return "no deadline"
        return "expired" if now > self.not_after else f"in time until {self.not_after:%H:%M}Z"

    def sentence(self, now: datetime) -> str:
        """All of it, for a person."""
        if self.fault:
            return f"cannot be read: {self.fault}"
        return f"{self.kind} of cycle {self.cycle_id}, run {self.run_id}: {self.state(now)}"


def summarise(body: str) -> DeadLetterSummary:
    """Read the body of a dead letter, whatever it is."""
    try:
        message = decode(body, MarketSnapshot, SnapshotReference, TradeDecision, StageFailure)
    except InvalidMessage as error:
        return DeadLetterSummary(fault=str(error))
    deadline = message.not_after if isinstance(message, MarketSnapshot | TradeDecision) else None
    kind = str(type(message).model_fields["kind"].default)
    return DeadLetterSummary(kind, str(message.run_id), message.cycle_id, deadline)
