"""What the release after this one may write: a minor version more, and one more field in every object of it.

`as_then` is the other direction: what is said, as far as an earlier release could say it.

`NextMinorStore` is the state store of an image of that release: whatever the code under test stores gets there.
"""

import json

from alchemiser_common.messages.base import OWN_VERSION
from alchemiser_common.ports.state import Key, Put, Record, StateStore

NEXT_MINOR = f"{OWN_VERSION[0]}.{OWN_VERSION[1] + 1}"
_OF_BYTES = frozenset({"sha256", "size", "snapshot_hash", "decision_hash"})
FIELD = "since_the_next_minor"


def as_next_minor(body: str) -> str:
    """The JSON object with the next minor's version and fields."""
    content = _with_field(json.loads(body))
    assert isinstance(content, dict)
    return json.dumps({**content, "schema_version": NEXT_MINOR})


def with_unknown_field(body: str, version: str, *, nested: bool) -> str:
    """The JSON object of some version with a field that no version has: in it, or in every object inside it."""
    content = json.loads(body)
    changed = {name: _with_field(value) for name, value in content.items()} if nested else {**content, FIELD: 1}
    return json.dumps({**changed, "schema_version": version})


def _with_field(value: object) -> object:
    if isinstance(value, dict):
        return {**{name: _with_field(inner) for name, inner in value.items()}, FIELD: {"nested": [1, "two", None]}}
    return [_with_field(inner) for inner in value] if isinstance(value, list) else value


def as_then(now: object, then: object) -> object:
    """What is said, without the fields that the golden file's version did not have, and without what it says of the
    bytes of other messages: those have their own version in them.
    """
    if isinstance(now, dict) and isinstance(then, dict):
        return {
            name: as_then(value, then[name]) for name, value in now.items() if name in then and name not in _OF_BYTES
        }
    if isinstance(now, tuple | list) and isinstance(then, list) and len(now) == len(then):
        return [as_then(*pair) for pair in zip(now, then, strict=True)]
    return now


class NextMinorStore:
    """A state store whose writer is of the next minor version."""

    def __init__(self, inner: StateStore) -> None:
        self._inner = inner

    def get(self, key: Key) -> Record | None:
        return self._inner.get(key)

    def list(
        self, partition: str, *, prefix: str = "", limit: int | None = None, descending: bool = False
    ) -> tuple[Record, ...]:
        return self._inner.list(partition, prefix=prefix, limit=limit, descending=descending)

    def write(self, *puts: Put) -> None:
        self._inner.write(*(Put(put.key, as_next_minor(put.body), put.expected) for put in puts))
