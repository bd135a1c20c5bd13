"""What the release after this one may write: a minor version more, and one more field in every object of it.

`NextMinorStore` is the state store of an image of that release: whatever the code under test stores gets there.
"""

import json

from alchemiser_common.messages.base import OWN_VERSION
from alchemiser_common.ports.state import Key, Put, Record, StateStore

NEXT_MINOR = f"{OWN_VERSION[0]}.{OWN_VERSION[1] + 1}"
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
