"""The event bus as objects in an archive, one an event: what was published can be read, twice changes nothing."""

from alchemiser_common.messages.event import RunEvent
from alchemiser_common.ports.archive import Archive


class ArchivedEvents:
    """Events under ``events/<event id>.json``; the first publication of an id stays."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def publish(self, event: RunEvent) -> None:
        """Keep the event. Raises StoreUnavailable."""
        key = f"events/{event.event_id}.json"
        if self._archive.get(key) is None:
            self._archive.put(key, event.model_dump_json().encode())
