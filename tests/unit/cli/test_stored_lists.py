"""Lists read a piece at a time: each record once, the newest first, whatever the pieces and the gaps between months."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemiser_cli.stored_lists import newest
from alchemiser_common import keys
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.ports.state import ABSENT, put
from alchemiser_common.records.audit import AuditEntry

BEGAN = datetime(2019, 11, 28, 15, tzinfo=UTC)


def filled(folder: str, hours: list[int]) -> SqliteStateStore:
    store = SqliteStateStore(Path(folder, "state.db"))
    for hour in hours:
        at = BEGAN + timedelta(hours=hour)
        entry = AuditEntry(at=at, who="ann", what=str(hour), reason="x")
        store.write(put(keys.audit_record("demo", at, "switch"), entry, ABSENT))
    return store


@settings(max_examples=40)
@given(st.lists(st.integers(0, 24 * 900), unique=True, max_size=25), st.integers(1, 7))
def test_the_pieces_are_the_whole_once(hours: list[int], limit: int) -> None:
    with TemporaryDirectory() as folder:
        store, found, before = filled(folder, hours), [], ""
        while piece := newest(store, keys.audit_partition("demo"), AuditEntry, limit=limit, before=before):
            assert len(piece) <= limit
            found += [int(entry.what) for _, entry in piece]
            before = piece[-1][0]
    assert found == sorted(hours, reverse=True)


@pytest.mark.parametrize(
    "before", ["9999-12", "2019-99", "0000-00", "x", "2019", "-1-1", "\N{SUPERSCRIPT TWO}019-01", "#"]
)
def test_a_place_that_is_none_is_no_fault(tmp_path: Path, before: str) -> None:
    store = filled(str(tmp_path), [1, 24 * 40])
    read = newest(store, keys.audit_partition("demo"), AuditEntry, limit=5, before=before)
    assert len(read) in {0, 1, 2}
    assert newest(store, keys.audit_partition("nobody"), AuditEntry, limit=5, before=before) == []
