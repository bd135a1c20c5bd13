"""RunEvent: what the rest of the world hears of a run's end."""

from enum import StrEnum
from typing import Literal, Self
from uuid import UUID, uuid5

from alchemiser_common.messages.base import Message
from alchemiser_common.messages.report import ExecutionReport, RunStatus


class EventKind(StrEnum):
    """How a run ended, in the words of the event bus."""

    COMPLETED = "RunCompleted"
    PARTIAL = "RunPartial"
    SKIPPED = "RunSkipped"
    EXPIRED = "RunExpired"
    HALTED = "RunHalted"
    FAILED = "RunFailed"
    SHADOWED = "RunShadowed"


_KINDS = {
    RunStatus.COMPLETED: EventKind.COMPLETED,
    RunStatus.PARTIAL: EventKind.PARTIAL,
    RunStatus.SKIPPED: EventKind.SKIPPED,
    RunStatus.EXPIRED: EventKind.EXPIRED,
    RunStatus.HALTED: EventKind.HALTED,
    RunStatus.FAILED: EventKind.FAILED,
    RunStatus.SHADOWED: EventKind.SHADOWED,
}


class RunEvent(Message):
    """Published when a run has ended, at least once: consumers drop an `event_id` that they have seen."""

    kind: Literal["run-event"] = "run-event"
    event_id: UUID
    event: EventKind
    reason: str = ""
    orders_placed: int = 0
    notes: tuple[str, ...] = ()
    """As the report's. Since 1.5."""

    @classmethod
    def of(cls, report: ExecutionReport) -> Self:
        """A report as an event; the id is a function of the run and of how it ended. Raises KeyError before the end."""
        kind = _KINDS[report.status]
        return cls(
            **report.following(),
            event_id=uuid5(report.run_id, kind.value),
            event=kind,
            reason=report.reason,
            orders_placed=report.orders_placed,
            notes=report.notes,
        )
