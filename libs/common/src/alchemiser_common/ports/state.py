"""The state store: small JSON records under (partition, sort) keys, changed only by conditional writes.

Every record has a version that grows by one with each write. A write names the version it saw; if another came
first it fails with Conflict and changes nothing. That is all that the journal and the lease are built on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from alchemiser_common.errors import InvalidMessage, StateCorrupt
from alchemiser_common.messages.base import VersionedModel
from alchemiser_common.messages.versions import read_json
from alchemiser_common.messages.wire import describe

ABSENT = 0
"""The expected version of a record that must not exist yet."""
WRITES_LIMIT = 100
"""Records of one write: DynamoDB's limit on a transaction."""
RECORD_LIMIT = 400 * 1024
"""Bytes of one record with its keys: DynamoDB's limit on an item."""
_OVERHEAD = 100
"""Bytes for the names of an item's attributes, its version and its token."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Where a record lives; records of one partition can be listed together, ordered by `sort`."""

    partition: str
    sort: str


@dataclass(frozen=True, slots=True)
class Record:
    """A stored record and the version to name when changing it."""

    key: Key
    version: int
    body: str


@dataclass(frozen=True, slots=True)
class Put:
    """One conditional write: `expected` is the version seen, or ABSENT."""

    key: Key
    body: str
    expected: int


def check_writes(puts: Sequence[Put]) -> None:
    """What DynamoDB would refuse is refused everywhere, before anything is sent.

    Raises InvalidMessage for a record over 400 KB or more than 100 of them, ValueError for one record named twice.
    """
    if len({put.key for put in puts}) != len(puts):
        raise ValueError("a record appears twice in one write")
    if len(puts) > WRITES_LIMIT:
        raise InvalidMessage(f"{len(puts)} records in one write; {WRITES_LIMIT} is the limit")
    for put in puts:
        size = len(put.body.encode()) + len(put.key.partition.encode()) + len(put.key.sort.encode()) + _OVERHEAD
        if size > RECORD_LIMIT:
            raise InvalidMessage(
                f"record {put.key.partition}/{put.key.sort} is {size:,} bytes; {RECORD_LIMIT:,} is the limit"
            )


class StateStore(Protocol):
    """Reads are strongly consistent. Raises StoreUnavailable when it cannot be reached."""

    def get(self, key: Key) -> Record | None:
        """The record at the key, or None if there is none."""
        ...

    def list(
        self, partition: str, *, prefix: str = "", limit: int | None = None, descending: bool = False
    ) -> tuple[Record, ...]:
        """Records of one partition whose sort key starts with `prefix`, ordered by sort key."""
        ...

    def write(self, *puts: Put) -> None:
        """Apply all writes or none. Raises Conflict if any record is not at its expected version."""
        ...


@dataclass(frozen=True, slots=True)
class Versioned[M: VersionedModel]:
    """A model read from the store, with the version to name when changing it."""

    value: M
    version: int


def load[M: VersionedModel](store: StateStore, key: Key, model: type[M]) -> Versioned[M] | None:
    """Read one record as a model. Raises StateCorrupt if it is not one."""
    record = store.get(key)
    return None if record is None else parse(record, model)


def load_all[M: VersionedModel](
    store: StateStore,
    partition: str,
    model: type[M],
    *,
    prefix: str = "",
    limit: int | None = None,
    descending: bool = False,
) -> Sequence[Versioned[M]]:
    """Read the records of a partition as models."""
    return [parse(record, model) for record in store.list(partition, prefix=prefix, limit=limit, descending=descending)]


def parse[M: VersionedModel](record: Record, model: type[M]) -> Versioned[M]:
    """A record's body as a model. Raises StateCorrupt."""
    try:
        value = read_json(model, record.body)
    except ValidationError as error:
        where = f"{record.key.partition}/{record.key.sort}"
        raise StateCorrupt(f"record {where} is no {model.__name__}: {describe(error)}") from error
    return Versioned(value, record.version)


def put(key: Key, value: VersionedModel, expected: int) -> Put:
    """A conditional write of a model."""
    return Put(key, value.model_dump_json(), expected)


def put_over[M: VersionedModel](known: Versioned[M] | None, key: Key, value: M) -> Put:
    """The write of a model in the place of what `load` gave; a record that was absent must still be."""
    return put(key, value, ABSENT if known is None else known.version)
