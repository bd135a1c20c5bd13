"""State store and archive in memory: what SQLite and a folder do, without a disk."""

import threading
from collections.abc import Sequence

from alchemiser_common.errors import Conflict
from alchemiser_common.ids import check_key
from alchemiser_common.messages.event import RunEvent
from alchemiser_common.ports.state import ABSENT, Key, Put, Record, check_writes


class MemoryStore:
    """Records by key; every write is conditional and whole."""

    def __init__(self) -> None:
        self._records: dict[Key, Record] = {}
        self._lock = threading.Lock()

    def get(self, key: Key) -> Record | None:
        """The record, or None."""
        return self._records.get(key)

    def list(
        self, partition: str, *, prefix: str = "", limit: int | None = None, descending: bool = False
    ) -> tuple[Record, ...]:
        """Records of one partition whose sort key starts with `prefix`, ordered by sort key."""
        found = [
            record
            for key, record in self._records.items()
            if key.partition == partition and key.sort.startswith(prefix)
        ]
        found.sort(key=lambda record: record.key.sort, reverse=descending)
        return tuple(found if limit is None else found[:limit])

    def write(self, *puts: Put) -> None:
        """Apply all writes or none. Raises Conflict if any record is not at its expected version."""
        check_writes(puts)
        with self._lock:
            for put in puts:
                known = self._records.get(put.key)
                if put.expected != (ABSENT if known is None else known.version):
                    raise Conflict(f"record {put.key.partition}/{put.key.sort} is not at version {put.expected}")
            self._records.update({put.key: Record(put.key, put.expected + 1, put.body) for put in puts})


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
