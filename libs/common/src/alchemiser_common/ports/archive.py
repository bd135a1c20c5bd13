"""The archive: immutable objects by key."""

from collections.abc import Sequence
from typing import Annotated, Protocol

from pydantic import AfterValidator


def check_key(key: str) -> list[str]:
    """The parts of an archive key. Raises ValueError unless it is a relative path of plain names."""
    parts = key.split("/")
    if not key or any(part in {"", ".", ".."} for part in parts):
        raise ValueError(f"archive key {key!r} is not a relative path of plain names")
    return parts


ArchiveKey = Annotated[str, AfterValidator(lambda key: "/".join(check_key(key)))]
"""A key as it travels in messages."""


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
