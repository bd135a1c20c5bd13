"""What every state store must do, whichever it is."""

import threading
from pathlib import Path
from uuid import uuid4

import pytest

from alchemiser_common.aws.dynamodb_state import DynamoStateStore
from alchemiser_common.embedded.memory_state import MemoryStateStore
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import AlchemiserError, Conflict, InvalidMessage, StateCorrupt, StoreUnavailable
from alchemiser_common.ports.state import ABSENT, Key, Put, StateStore, load
from alchemiser_common.records.run import RunEntry
from support.aws import Aws

KEY = Key("RUN#1", "JOURNAL")


@pytest.fixture(params=["sqlite", "dynamodb", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> StateStore:
    if request.param == "memory":
        return MemoryStateStore()
    if request.param == "sqlite":
        return SqliteStateStore(tmp_path / "state.db")
    aws: Aws = request.getfixturevalue("aws")
    return DynamoStateStore(aws.clients.dynamodb, aws.make_table(), lambda: uuid4().hex)


def test_a_record_is_absent_until_written_and_then_read_back(store: StateStore) -> None:
    assert store.get(KEY) is None
    store.write(Put(KEY, '{"a":1}', ABSENT))
    record = store.get(KEY)
    assert record is not None
    assert (record.version, record.body) == (1, '{"a":1}')


def test_a_write_that_saw_an_older_version_changes_nothing(store: StateStore) -> None:
    store.write(Put(KEY, "first", ABSENT))
    store.write(Put(KEY, "second", 1))
    for stale in (ABSENT, 1, 3):
        with pytest.raises(Conflict):
            store.write(Put(KEY, "late", stale))
    record = store.get(KEY)
    assert record is not None
    assert (record.version, record.body) == (2, "second")


def test_several_writes_happen_together_or_not_at_all(store: StateStore) -> None:
    other = Key("RUN#1", "INTENT#1")
    store.write(Put(KEY, "first", ABSENT))
    with pytest.raises(Conflict):
        store.write(Put(other, "intent", ABSENT), Put(KEY, "second", ABSENT))
    assert store.get(other) is None
    store.write(Put(other, "intent", ABSENT), Put(KEY, "second", 1))
    assert [record.body for record in store.list("RUN#1")] == ["intent", "second"]


def test_a_partition_is_listed_in_order_by_prefix_and_limit(store: StateStore) -> None:
    for sort in ("B#2", "A#9", "B#1", "B#10"):
        store.write(Put(Key("P", sort), sort, ABSENT))
    store.write(Put(Key("Q", "B#0"), "other partition", ABSENT))
    assert [record.key.sort for record in store.list("P", prefix="B#")] == ["B#1", "B#10", "B#2"]
    assert [record.key.sort for record in store.list("P", descending=True, limit=2)] == ["B#2", "B#10"]
    assert store.list("nothing") == ()


def test_a_long_partition_is_listed_whole(store: StateStore) -> None:
    """DynamoDB gives 1 MB a page."""
    for number in range(0, 12, 4):
        store.write(*(Put(Key("P", f"{at:02d}"), "x" * 200_000, ABSENT) for at in range(number, number + 4)))
    assert [record.key.sort for record in store.list("P")] == [f"{at:02d}" for at in range(12)]
    assert [record.key.sort for record in store.list("P", descending=True, limit=9)] == [
        f"{at:02d}" for at in range(11, 2, -1)
    ]


@pytest.mark.parametrize(
    ("puts", "words"),
    [
        ([Put(KEY, "x" * 410_000, ABSENT)], r"record RUN#1/JOURNAL is [\d,]+ bytes; 409,600 is the limit"),
        ([Put(Key("P", str(at)), "x", ABSENT) for at in range(101)], "101 records in one write; 100 is the limit"),
    ],
    ids=["too large", "too many"],
)
def test_a_write_that_dynamodb_would_refuse_is_refused_by_every_store(
    store: StateStore, puts: list[Put], words: str
) -> None:
    with pytest.raises(InvalidMessage, match=words):
        store.write(*puts)
    assert store.get(puts[0].key) is None


def test_one_write_names_a_record_once(store: StateStore) -> None:
    with pytest.raises(ValueError, match="twice"):
        store.write(Put(KEY, "first", ABSENT), Put(KEY, "second", 1))


def test_of_many_writers_that_saw_the_same_version_one_wins(store: StateStore) -> None:
    store.write(Put(KEY, "start", ABSENT))
    wins: list[int] = []
    losses: list[int] = []
    gate = threading.Barrier(8)

    def contend(number: int) -> None:
        gate.wait()
        try:
            store.write(Put(KEY, f"writer {number}", 1))
            wins.append(number)
        except Conflict:
            losses.append(number)

    threads = [threading.Thread(target=contend, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record = store.get(KEY)
    assert record is not None
    assert len(wins) == 1
    assert len(losses) == 7
    assert record.body == f"writer {wins[0]}"


def test_a_record_of_another_shape_is_reported_as_corrupt(store: StateStore) -> None:
    store.write(Put(KEY, '{"run_id": 5}', ABSENT))
    with pytest.raises(StateCorrupt, match=r"RUN#1/JOURNAL is no RunEntry: run_id"):
        load(store, KEY, RunEntry)


def test_records_outlive_the_store_object(tmp_path: Path) -> None:
    SqliteStateStore(tmp_path / "state.db").write(Put(KEY, "kept", ABSENT))
    record = SqliteStateStore(tmp_path / "state.db").get(KEY)
    assert record is not None
    assert record.body == "kept"


def test_many_that_open_a_new_store_at_once_all_get_it(tmp_path: Path) -> None:
    faults: list[Exception] = []

    def open_and_write(path: Path, number: int, gate: threading.Barrier) -> None:
        gate.wait()
        try:
            SqliteStateStore(path).write(Put(Key("P", str(number)), "here", ABSENT))
        except AlchemiserError as fault:
            faults.append(fault)

    for attempt in range(40):
        path, gate = tmp_path / f"{attempt}.db", threading.Barrier(4)
        threads = [threading.Thread(target=open_and_write, args=(path, number, gate)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == []
        assert len(SqliteStateStore(path).list("P")) == 4


def test_a_damaged_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"this is not a database, but it is long enough to look like one" * 20)
    with pytest.raises(StateCorrupt, match=r"state\.db is damaged: .*move it away or restore a copy"):
        SqliteStateStore(path)


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "state.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StateCorrupt, match="of another program"):
        SqliteStateStore(path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    with pytest.raises(StoreUnavailable, match=r"cannot be made"):
        SqliteStateStore(blocker / "home" / "state.db")
    unwritable = tmp_path / "state.db"
    unwritable.mkdir()
    with pytest.raises(StoreUnavailable, match="unable to open database file"):
        SqliteStateStore(unwritable)
