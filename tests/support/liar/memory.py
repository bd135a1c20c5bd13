"""An archive in memory: what a folder does, without a disk; and a bus that nobody listens to."""

from collections.abc import Sequence

from alchemiser_common.errors import Conflict
from alchemiser_common.ids import check_key
from alchemiser_common.messages.event import RunEvent


class MemoryArchive:
    """Objects by key; what is there stays."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    def put(self, key: str, body: bytes) -> None:
        """Keep it. Raises Conflict if something else is there."""
        check_key(key)
        if self._objects.setdefault(key, body) != body:
            raise Conflict(f"{key} already holds other content")

    def get(self, key: str) -> bytes | None:
        """The object, or None."""
        return self._objects.get(key)

    def keys(self, prefix: str) -> Sequence[str]:
        """Keys that begin so, in order."""
        return sorted(key for key in self._objects if key.startswith(prefix))


class Unheard:
    """An event bus that nobody listens to."""

    def publish(self, event: RunEvent) -> None:
        """Nothing."""
