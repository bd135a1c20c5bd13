"""The archive: immutable objects by key."""

from collections.abc import Sequence
from typing import Protocol


class Archive(Protocol):
    """Write once, read often. Raises StoreUnavailable when it cannot be reached."""

    def put(self, key: str, body: bytes) -> None:
        """Store an object. The same content again is accepted; different content under a used key raises Conflict."""
        ...

    def get(self, key: str) -> bytes | None:
        """The object's bytes, or None if the key is free. Raises StoreUnavailable."""
        ...

    def keys(self, prefix: str) -> Sequence[str]:
        """Keys that start with `prefix`, sorted."""
        ...
