"""What every archive must do, whichever it is."""

from pathlib import Path

import pytest

from alchemiser_common.aws.s3_archive import S3Archive
from alchemiser_common.embedded.directory_archive import DirectoryArchive
from alchemiser_common.errors import Conflict, StoreUnavailable
from alchemiser_common.ports.archive import Archive
from support.aws import Aws
from support.liar.memory import MemoryArchive


@pytest.fixture(params=["directory", "s3", "memory"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    if request.param == "memory":
        return MemoryArchive()
    if request.param == "directory":
        return DirectoryArchive(tmp_path / "archive")
    aws: Aws = request.getfixturevalue("aws")
    return S3Archive(aws.clients.s3, aws.make_bucket())


def test_an_object_is_absent_until_stored_and_then_read_back(archive: Archive) -> None:
    assert archive.get("snapshots/1.json") is None
    archive.put("snapshots/1.json", b"one")
    archive.put("snapshots/1.json", b"one")
    assert archive.get("snapshots/1.json") == b"one"


def test_an_object_is_never_replaced(archive: Archive) -> None:
    archive.put("reports/1.json", b"one")
    with pytest.raises(Conflict, match=r"reports/1\.json already holds other content"):
        archive.put("reports/1.json", b"two")
    assert archive.get("reports/1.json") == b"one"


def test_keys_are_listed_by_prefix_in_order(archive: Archive) -> None:
    for key in ("reports/b", "reports/a", "snapshots/c"):
        archive.put(key, b"")
    assert archive.keys("reports/") == ["reports/a", "reports/b"]
    assert archive.keys("nothing") == []


@pytest.mark.parametrize("key", ["", "../outside", "a//b", "/absolute", "a/./b"])
def test_a_key_that_leaves_the_archive_is_refused(archive: Archive, key: str) -> None:
    with pytest.raises(ValueError, match="not a relative path"):
        archive.put(key, b"")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file where the folder should be")
    with pytest.raises(StoreUnavailable, match="blocked"):
        DirectoryArchive(tmp_path / "blocked").put("a", b"")
