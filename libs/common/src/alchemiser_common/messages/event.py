"""RunEvent: what the rest of the world hears of a run's end."""

from typing import Annotated, Literal, Self
from uuid import UUID, uuid5

from pydantic import BeforeValidator, PlainSerializer

from alchemiser_common.messages.base import Message
from alchemiser_common.messages.report import ExecutionReport, RunStatus


def _end_of(word: object) -> RunStatus:
    for status in RunStatus:
        if status.final and word in (status, status.event_name):
            return status
    raise ValueError(f"{word!r} is none of {', '.join(status.event_name for status in RunStatus if status.final)}")


RunEnd = Annotated[RunStatus, BeforeValidator(_end_of), PlainSerializer(lambda status: status.event_name)]
"""How a run ended; outside in the words of the event bus, such as RunCompleted."""


class RunEvent(Message):
    """Published when a run has ended, at least once: consumers drop an `event_id` that they have seen."""

    kind: Literal["run-event"] = "run-event"
    event_id: UUID
    event: RunEnd
    reason: str = ""
    orders_placed: int = 0
    notes: tuple[str, ...] = ()
    """As the report's. Since 1.5."""

    @classmethod
    def of(cls, report: ExecutionReport) -> Self:
        """A report as an event; the id is a function of the run and of how it ended. Raises ValueError before it."""
        return cls(
            **report.following(),
            event_id=uuid5(report.run_id, report.status.event_name),
            event=report.status,
            reason=report.reason,
            orders_placed=report.orders_placed,
            notes=report.notes,
        )
