"""The event bus: tells whoever listens how runs ended. Nothing in the pipeline depends on being heard."""

from typing import Protocol

from alchemiser_common.messages.event import RunEvent


class EventBus(Protocol):
    """At-least-once, no order."""

    def publish(self, event: RunEvent) -> None:
        """Hand the event over. Raises StoreUnavailable if the bus did not take it."""
        ...
