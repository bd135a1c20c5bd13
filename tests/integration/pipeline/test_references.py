"""A reference is worth exactly the bytes it was made for: any other object is refused, and the run ends with why."""

from collections.abc import Callable
from pathlib import Path

import pytest

from alchemiser_common.embedded.directory_archive import DirectoryArchive
from alchemiser_common.errors import InvalidMessage, StoreUnavailable
from alchemiser_common.ids import Pipeline, run_id
from alchemiser_common.messages.reference import SnapshotReference
from alchemiser_common.messages.report import StageFailure
from alchemiser_common.messages.wire import decode, encode
from alchemiser_common.settings import StrategySettings
from alchemiser_strategy.bootstrap import enabled_strategies
from alchemiser_strategy.claim_check import retrieve_snapshot
from alchemiser_strategy.service import StrategyService
from support.clock import ManualClock
from support.faulty_ports import Fault, Faults, FaultyArchive
from support.messages import make_snapshot

KEY = "snapshots/2020-06-03/one.json"
BODY = encode(make_snapshot()).encode()
REFERENCE = SnapshotReference.to(make_snapshot(), KEY, BODY)


def service(archive: DirectoryArchive | FaultyArchive | None) -> StrategyService:
    return StrategyService(
        enabled_strategies(StrategySettings(), {}), ManualClock(make_snapshot().scheduled_at), archive
    )


def archived(folder: Path, body: bytes) -> DirectoryArchive:
    archive = DirectoryArchive(folder)
    archive.put(KEY, body)
    return archive


def test_the_archived_bytes_are_the_snapshot(tmp_path: Path) -> None:
    assert retrieve_snapshot(REFERENCE, archived(tmp_path, BODY)) == make_snapshot()


def _flipped(body: bytes) -> bytes:
    return body.replace(b"demo", b"demp", 1)


OTHERS: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("truncated", lambda body: body[:-10], r"is [\d,]+ bytes; the reference says [\d,]+"),
    ("longer", lambda body: body + b" ", r"is [\d,]+ bytes; the reference says"),
    ("tampered", _flipped, "has SHA-256 [0-9a-f]{64}; the reference says"),
    ("empty", lambda _body: b"", "is 0 bytes"),
]


@pytest.mark.parametrize(("change", "words"), [other[1:] for other in OTHERS], ids=[other[0] for other in OTHERS])
def test_any_other_object_ends_the_run_with_what_is_wrong(
    tmp_path: Path, change: Callable[[bytes], bytes], words: str
) -> None:
    archive = archived(tmp_path, change(BODY))
    with pytest.raises(InvalidMessage, match=f"archived snapshot {KEY} {words}"):
        retrieve_snapshot(REFERENCE, archive)
    failure = service(archive).answer(REFERENCE)
    assert isinstance(failure, StageFailure)
    assert (failure.run_id, failure.error) == (REFERENCE.run_id, "InvalidMessage")


def test_a_missing_object_ends_the_run_and_an_unreachable_archive_does_not(tmp_path: Path) -> None:
    with pytest.raises(InvalidMessage, match=f"archived snapshot {KEY} is missing"):
        retrieve_snapshot(REFERENCE, DirectoryArchive(tmp_path))
    away = FaultyArchive(archived(tmp_path, BODY), Faults(at={0: Fault.FAIL_BEFORE}))
    with pytest.raises(StoreUnavailable):
        service(away).answer(REFERENCE)


def test_the_snapshot_of_another_run_is_refused(tmp_path: Path) -> None:
    other = run_id(REFERENCE.cycle_id, Pipeline.MONOLITH)
    foreign = REFERENCE.model_copy(update={"run_id": other, "pipeline": Pipeline.MONOLITH})
    with pytest.raises(InvalidMessage, match=f"is of run {REFERENCE.run_id}; the reference's is {other}"):
        retrieve_snapshot(foreign, archived(tmp_path, BODY))


def test_a_service_without_an_archive_ends_the_run_with_the_setting_that_names_one() -> None:
    failure = service(None).answer(REFERENCE)
    assert isinstance(failure, StageFailure)
    assert "this strategy service has no archive to fetch it from; aws.bucket names it" in failure.reason


@pytest.mark.parametrize("key", ["../other", "/etc/passwd", "", "a//b"])
def test_a_reference_that_leaves_the_archive_is_no_message(key: str) -> None:
    text = encode(REFERENCE).replace(KEY, key)
    with pytest.raises(InvalidMessage, match="archive_key"):
        decode(text, SnapshotReference)
