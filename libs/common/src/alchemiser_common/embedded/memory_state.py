"""The state store in memory, for what ends with its process: a shadow's dry walk, and tests."""

import threading

from alchemiser_common.errors import Conflict
from alchemiser_common.ports.state import ABSENT, Key, Put, Record, check_writes


class MemoryStateStore:
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
