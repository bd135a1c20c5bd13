"""The event bus: tells whoever listens how runs ended. Nothing in the pipeline depends on being heard."""

from typing import Protocol

from alchemiser_common.messages.event import RunEvent


class EventBus(Protocol):
    """Publishes at least once and in no order: consumers drop what they have seen."""

    def publish(self, event: RunEvent) -> None:
        """Hand the event over. Raises StoreUnavailable if the bus did not take it."""
        ...
