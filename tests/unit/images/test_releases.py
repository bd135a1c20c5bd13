from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from images.errors import ImagesError
from images.releases import Release, Releases, read, write

AT = datetime(2020, 6, 3, tzinfo=UTC)


def release(name: str) -> Release:
    return Release(tag=name, digest=f"sha256:{name * 64}", at=AT)


def released(*names: str) -> Releases:
    record = Releases()
    for name in names:
        record = record.released("strategy", release(name))
    return record


def test_a_rollback_goes_to_the_release_before_and_the_next_one_further_back() -> None:
    record = released("a", "b", "c")
    for expected in ("b", "a"):
        record = record.rolled_back("strategy", record.target("strategy", None))
        assert record.services["strategy"][-1].tag == expected
    with pytest.raises(ImagesError, match="strategy is at a and has no earlier release to go to; known: a, b, c"):
        record.target("strategy", None)


def test_a_release_that_was_left_is_returned_to_only_by_name() -> None:
    record = released("a", "b")
    record = record.rolled_back("strategy", record.target("strategy", None))
    record = record.rolled_back("strategy", record.target("strategy", "b"))
    assert record.services["strategy"][-1].tag == "b"
    assert record.target("strategy", None).tag == "a", "what was current when b came back was never bad"


def test_services_move_alone_and_give_their_own_parameters() -> None:
    record = released("a", "b").released("data", release("b"))
    record = record.rolled_back("strategy", record.target("strategy", None))
    assert record.parameters() == [
        "DataTag=b",
        f"DataDigest=sha256:{'b' * 64}",
        "StrategyTag=a",
        f"StrategyDigest=sha256:{'a' * 64}",
    ]


def test_what_cannot_be_rolled_back_is_said() -> None:
    with pytest.raises(ImagesError, match="trading has no release yet: make push-service SERVICE=trading"):
        released("a").target("trading", None)
    with pytest.raises(ImagesError, match="has no x release to go to; known: a, b"):
        released("a", "b").target("strategy", "x")


@given(st.lists(st.sampled_from("abcde") | st.none(), max_size=12))
def test_whatever_is_pushed_and_rolled_back_a_rollback_never_stays_and_never_goes_to_what_was_left(
    steps: list[str | None],
) -> None:
    record = Releases()
    for step in steps:
        if step is not None:
            record = record.released("strategy", release(step))
            continue
        try:
            target = record.target("strategy", None)
        except ImagesError:
            continue
        current = record.current("strategy")
        assert current is not None
        assert target.digest != current.digest
        record = record.rolled_back("strategy", target)
        left = [entry for entry in record.services["strategy"] if entry.digest == current.digest]
        assert all(entry.rolled_back for entry in left), "a bad build must not come back by itself"


def test_the_record_survives_its_file_and_a_broken_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "kept" / "releases.json"
    assert read(file) == Releases()
    write(file, released("a", "b"))
    assert read(file) == released("a", "b")
    file.write_text('{"services": {"data": [{"tag": "a"}]}}')
    with pytest.raises(ImagesError, match=r"releases\.json is no record of releases: Field required"):
        read(file)
