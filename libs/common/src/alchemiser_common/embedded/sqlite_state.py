"""The state store in one SQLite file, safe for several processes on one machine."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from alchemiser_common.errors import Conflict, InvalidSettings, StateCorrupt, StoreUnavailable
from alchemiser_common.ports.state import ABSENT, Key, Put, Record, check_writes
from alchemiser_common.private_files import make_private_file, make_private_folder

_BUSY_SECONDS = 10.0
_APPLICATION_ID = 0x414C4348
_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    partition TEXT NOT NULL,
    sort TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (partition, sort)
) WITHOUT ROWID
"""


class SqliteStateStore:
    """Records in `path`; the file and its folder are made if absent, for their owner only.

    Every call opens its own connection: no handle is left behind by a killed process, threads share nothing. Every call
    raises StoreUnavailable if the file cannot be opened or stays locked for ten seconds, StateCorrupt if it is damaged
    or another program's.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            make_private_folder(path.parent)
            make_private_file(path)  # SQLite gives the files beside it the same mode
        except OSError as error:
            raise StoreUnavailable(
                f"state folder {path.parent} cannot be made: {error.strerror}; choose a writable `home`"
            ) from error
        with self._connection() as connection:
            if _mark(connection) != _APPLICATION_ID:
                self._found(connection)
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                with suppress(sqlite3.OperationalError):
                    # Another process may be at it; the store is as safe without, only slower.
                    connection.execute("PRAGMA journal_mode = WAL")

    @classmethod
    def existing(cls, path: Path) -> Self:
        """The store in a file that is there; nothing is made. Raises InvalidSettings if there is none."""
        if not path.is_file():
            raise InvalidSettings(f"there is no state store at {path}")
        return cls(path)

    def _found(self, connection: sqlite3.Connection) -> None:
        """Make an empty file a store. Under the write lock: of several processes that start at once, one does it."""
        connection.execute("BEGIN IMMEDIATE")
        if _mark(connection) != _APPLICATION_ID:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise StateCorrupt(f"{self._path} is a database of another program; choose another `home`")
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(_SCHEMA)
        connection.execute("COMMIT")

    def get(self, key: Key) -> Record | None:
        """The record, or None."""
        with self._connection() as connection:
            row = connection.execute(
                "SELECT version, body FROM records WHERE partition = ? AND sort = ?", (key.partition, key.sort)
            ).fetchone()
        return None if row is None else Record(key, row[0], row[1])

    def list(
        self, partition: str, *, prefix: str = "", limit: int | None = None, descending: bool = False
    ) -> tuple[Record, ...]:
        """Records of one partition whose sort key starts with `prefix`, ordered by sort key."""
        order = "DESC" if descending else "ASC"
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT sort, version, body FROM records WHERE partition = ? AND substr(sort, 1, ?) = ? "  # noqa: S608
                f"ORDER BY sort {order} LIMIT ?",
                (partition, len(prefix), prefix, -1 if limit is None else limit),
            ).fetchall()
        return tuple(Record(Key(partition, sort), version, body) for sort, version, body in rows)

    def partitions(self, prefix: str) -> tuple[str, ...]:
        """Names of the partitions that start with `prefix` and have a record, sorted."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT DISTINCT partition FROM records WHERE substr(partition, 1, ?) = ? ORDER BY partition",
                (len(prefix), prefix),
            ).fetchall()
        return tuple(partition for (partition,) in rows)

    def write(self, *puts: Put) -> None:
        """Apply all writes or none. Raises Conflict if any record is not at its expected version."""
        check_writes(puts)
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            for put in puts:
                self._apply(connection, put)
            connection.execute("COMMIT")

    @staticmethod
    def _apply(connection: sqlite3.Connection, put: Put) -> None:
        key = (put.key.partition, put.key.sort)
        if put.expected == ABSENT:
            changed = connection.execute(
                "INSERT INTO records (partition, sort, version, body) VALUES (?, ?, 1, ?) ON CONFLICT DO NOTHING",
                (*key, put.body),
            ).rowcount
        else:
            changed = connection.execute(
                "UPDATE records SET version = version + 1, body = ? WHERE partition = ? AND sort = ? AND version = ?",
                (put.body, *key, put.expected),
            ).rowcount
        if changed != 1:
            raise Conflict(f"record {'/'.join(key)} is not at version {put.expected}: another write came first")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """An autocommit connection; closing it rolls back whatever was not committed."""
        connection = None
        try:
            # mode=rw: a file that was taken away is not made anew, empty and readable by others.
            address = f"{self._path.absolute().as_uri()}?mode=rw"
            connection = sqlite3.connect(address, timeout=_BUSY_SECONDS, isolation_level=None, uri=True)
            yield connection
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"state file {self._path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise StateCorrupt(
                f"state file {self._path} is damaged: {error}; move it away or restore a copy, then run again"
            ) from error
        finally:
            if connection is not None:
                connection.close()


def _mark(connection: sqlite3.Connection) -> int:
    """Which program the file says it belongs to; 0 if none has claimed it."""
    mark: int = connection.execute("PRAGMA application_id").fetchone()[0]
    return mark
