"""What an account has and did is for the owner of the files only, whatever the umask says."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from alchemiser_common.embedded.directory_archive import DirectoryArchive
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import InvalidSettings, StoreUnavailable
from alchemiser_common.ports.state import ABSENT, Key, Put
from alchemiser_common.private_files import open_to_others
from alchemiser_common.telemetry import log_to, stop_logging


@pytest.fixture(params=[0o000, 0o022, 0o277], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(folder: Path) -> set[tuple[str, str]]:
    found = (path.lstat().st_mode for path in (folder, *folder.rglob("*")))
    return {("folder" if stat.S_ISDIR(mode) else "file", oct(stat.S_IMODE(mode))) for mode in found}


@pytest.mark.usefixtures("umask")
def test_state_archive_and_log_are_made_for_their_owner_only(tmp_path: Path) -> None:
    home = tmp_path / "some" / "home"
    store = SqliteStateStore(home / "state.db")
    store.write(Put(Key("p", "s"), "{}", ABSENT))
    with store._connection() as held:  # SQLite's own files beside it are there
        held.execute("SELECT * FROM records").fetchall()
        assert len(list(home.iterdir())) > 1
        assert modes(home) == {("folder", "0o700"), ("file", "0o600")}
    DirectoryArchive(home / "archive").put("reports/day/run.json", b"{}")
    stop_logging(log_to(home / "logs" / "log.jsonl", service="test"))
    assert modes(tmp_path / "some") == {("folder", "0o700"), ("file", "0o600")}
    assert list(open_to_others(home)) == []


def test_what_others_can_read_is_found_and_a_closed_folder_closes_what_is_in_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name, mode in (("closed", 0o700), ("open", 0o750)):
        (home / name).mkdir(parents=True)
        (home / name / "file").touch(mode=0o644)
        (home / name).chmod(mode)
    (home / "link").symlink_to(home / "open")
    home.chmod(0o755)
    assert [str(path.relative_to(tmp_path)) for path in open_to_others(home)] == ["home", "home/open", "home/open/file"]
    home.chmod(0o700)
    assert list(open_to_others(home)) == []


def test_a_store_that_is_only_looked_at_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "home" / "state.db"
    with pytest.raises(InvalidSettings, match="there is no state store at"):
        SqliteStateStore.existing(file)
    assert not file.parent.exists()
    made = SqliteStateStore(file)
    made.write(Put(Key("ACCOUNT#a", "s"), "{}", ABSENT), Put(Key("ACCOUNT#b", "s"), "{}", ABSENT))
    made.write(Put(Key("ACCOUNT#b", "t"), "{}", ABSENT), Put(Key("RUNS#a", "s"), "{}", ABSENT))
    assert SqliteStateStore.existing(file).partitions("ACCOUNT#") == ("ACCOUNT#a", "ACCOUNT#b")
    file.unlink()
    with pytest.raises(StoreUnavailable):
        made.get(Key("ACCOUNT#a", "s"))
    assert not file.exists(), "a store that was taken away is not replaced by an empty one"
