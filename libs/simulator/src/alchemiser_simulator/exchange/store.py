"""Keeps an exchange's state in one SQLite file, so that a killed process loses nothing it acknowledged.

In: changes. Out: books as they were. One transaction a request; the write-ahead log survives the process's death at any
moment. Must refuse a file that is damaged, is something else, or belongs to other price data.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from alchemiser_simulator.exchange.activities import Entry
from alchemiser_simulator.exchange.books import Books, Changes, Head
from alchemiser_simulator.exchange.orders import Fill, Order

_APPLICATION = 0x414C4353  # "ALCS" in the file header marks the file as ours
_VERSION = 1
_HEAD, _ORDER, _FILL, _ENTRY = TypeAdapter(Head), TypeAdapter(Order), TypeAdapter(Fill), TypeAdapter(Entry)
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), body BLOB NOT NULL) STRICT;
CREATE TABLE orders (
    id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, client_order_id TEXT NOT NULL UNIQUE, body BLOB NOT NULL
) STRICT;
CREATE TABLE fills (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
"""
# Since 1.6; a file without it gets it.
_ENTRIES = "CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT"


class StateError(RuntimeError):
    """A state file cannot be used; the message names it and the remedy."""


# The file holds states, not events: one head (clock, ledgers, flags, the next number), each order as it is now, each
# fill and entry. So a restart reads and replays nothing: ids and numbers go on where they stopped, client order ids
# stay taken, and open orders come back in their sequence, in which they were put, so that the same order is matched
# first.
#
#     BEGIN    head    orders    fills    entries    COMMIT
#          <-------------- killed here: ----------->  the state before the request, whole
#
# One transaction for all: a ledger without the fill that explains it, or a fill whose order does not know of
# it, would be money from nowhere. The gateway commits before the answer leaves, hence what was answered is here.
class Store:
    """The state file of one simulator."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        """Open or make the file at `path` for prices with that fingerprint. Raises StateError."""
        self._path = path
        try:
            # The server thread works with what the constructing thread opened; never both at once.
            self._database = sqlite3.connect(path, timeout=0.5, autocommit=True, check_same_thread=False)
        except sqlite3.Error as error:
            raise StateError(f"{path}: cannot be opened ({error}); check the folder and its permissions") from error
        try:
            self._prepare(fingerprint)
        except sqlite3.DatabaseError as error:
            self._database.close()
            if "locked" in str(error):
                raise StateError(
                    f"{path}: another simulator is using it; stop that one or choose another file"
                ) from error
            raise StateError(f"{path}: not a simulator state file, or damaged ({error}); move it away") from error
        except StateError:
            self._database.close()
            raise

    def _prepare(self, fingerprint: str) -> None:
        """Make the tables of a new file; refuse one that is not ours, or not of this version and these prices."""
        database = self._database
        (application,) = database.execute("PRAGMA application_id").fetchone()
        (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        # Safe against the death of the process; a power cut may cost the last moments.
        database.execute("PRAGMA synchronous = NORMAL")
        if tables == 0:
            database.execute("BEGIN")
            for statement in (*_SCHEMA.split(";"), _ENTRIES):
                database.execute(statement)
            entries = [("version", str(_VERSION)), ("history", fingerprint)]
            database.executemany("INSERT INTO meta VALUES (?, ?)", entries)
            database.execute(f"PRAGMA application_id = {_APPLICATION}")
            database.execute("COMMIT")
            return
        if application != _APPLICATION:
            raise StateError(f"{self._path}: belongs to another program; choose another file")
        meta: dict[str, str] = dict(database.execute("SELECT name, value FROM meta").fetchall())
        if meta.get("version") != str(_VERSION):
            raise StateError(
                f"{self._path}: has format {meta.get('version')}, this version writes {_VERSION}; start a new file"
            )
        if meta.get("history") != fingerprint:
            raise StateError(
                f"{self._path}: was made with other price data; give the same data file or start a new state file"
            )
        (verdict,) = database.execute("PRAGMA quick_check").fetchone()
        if verdict != "ok":
            raise StateError(f"{self._path}: is damaged ({verdict}); restore a copy or start a new state file")
        database.execute(_ENTRIES)

    def load(self) -> Books | None:
        """The books as last saved, None in a new file. Raises StateError if a record cannot be read."""
        row = self._database.execute("SELECT body FROM head").fetchone()
        if row is None:
            return None
        try:
            head = _HEAD.validate_json(row[0])
            orders = [_ORDER.validate_json(body) for (body,) in self._rows("SELECT body FROM orders ORDER BY sequence")]
            fills = [_FILL.validate_json(body) for (body,) in self._rows("SELECT body FROM fills ORDER BY number")]
            entries = [_ENTRY.validate_json(body) for (body,) in self._rows("SELECT body FROM entries ORDER BY number")]
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise StateError(f"{self._path}: holds an unreadable record ({reason}); start a new state file") from error
        return Books(head, orders, fills, entries)

    def _rows(self, query: str) -> list[tuple[bytes]]:
        with closing(self._database.execute(query)) as cursor:
            return cursor.fetchall()

    def save(self, changes: Changes) -> None:
        """Write changes in one transaction; all of them or, on any error, none."""
        if changes.head is None and not changes.orders and not changes.fills and not changes.entries:
            return
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            if changes.head is not None:
                database.execute("INSERT OR REPLACE INTO head VALUES (1, ?)", (_HEAD.dump_json(changes.head),))
            database.executemany(
                "INSERT INTO orders VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                [(str(o.id), o.sequence, o.client_order_id, _ORDER.dump_json(o)) for o in changes.orders],
            )
            database.executemany(
                "INSERT INTO fills (body) VALUES (?)", [(_FILL.dump_json(fill),) for fill in changes.fills]
            )
            database.executemany(
                "INSERT INTO entries VALUES (?, ?)",
                [(entry.number, _ENTRY.dump_json(entry)) for entry in changes.entries],
            )
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")

    def wipe(self) -> None:
        """Forget everything but the identity of the data."""
        self._database.executescript(
            "BEGIN; DELETE FROM head; DELETE FROM orders; DELETE FROM fills; DELETE FROM entries; COMMIT;"
        )

    def close(self) -> None:
        self._database.close()
