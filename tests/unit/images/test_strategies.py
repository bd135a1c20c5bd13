"""What of a person's folder gets into images, and that it is examined before anything is built."""

from pathlib import Path

import pytest

from images.errors import ImagesError
from images.settings import ROOT, load
from images.strategies import OwnStrategies, copied, copied_hash, own_strategies

COUNT = [
    "alchemiser.toml",
    "grown/__init__.py",
    "grown/rule.py",
    "grown/table.csv",
    "half.py",
    "requirements.txt",
    "spy.clj",
    "wheels/theirs-1.0-py3-none-any.whl",
]
COUNT_NOT = [
    ".env",
    ".git/config",
    ".hidden.clj",
    "README.md",
    "_shared.py",
    "__pycache__/half.cpython-313.pyc",
    "data/prices.csv",
    "grown/.env",
    "grown/__pycache__/rule.cpython-313.pyc",
    "notes/old.clj",
    "wheels/theirs-1.0.tar.gz",
]


def written(folder: Path, names: list[str]) -> Path:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return folder


def found(root: Path, name: str) -> OwnStrategies:
    strategies = own_strategies(root, name)
    assert strategies is not None
    return strategies


def test_strategies_settings_and_their_requirements_count_and_nothing_else(tmp_path: Path) -> None:
    written(tmp_path / "mine", [*COUNT, *COUNT_NOT])
    strategies = found(tmp_path, "mine")
    assert [file.as_posix() for file in strategies.files] == COUNT
    with copied(strategies) as context:
        assert context is not None
        copy = context / "strategies"
        inside = sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file())
        assert inside == [".content-hash", *COUNT]
        assert found(context, "strategies").content_hash() == strategies.content_hash() == copied_hash(context)


def test_a_copys_times_follow_its_content_since_a_builder_compares_nothing_else(tmp_path: Path) -> None:
    times = []
    for text in ("one", "two", "one"):
        folder = written(tmp_path / "mine", ["spy.clj"])
        (folder / "spy.clj").write_text(text)
        with copied(found(tmp_path, "mine")) as context:
            assert context is not None
            times.append([(context / "strategies" / name).stat().st_mtime for name in ("spy.clj", ".content-hash")])
    assert times[0] == times[2]
    assert all(one != two for one, two in zip(times[0], times[1], strict=True))


def test_the_hash_follows_names_and_contents_of_what_counts(tmp_path: Path) -> None:
    folder = written(tmp_path / "mine", [*COUNT, *COUNT_NOT])
    before = found(tmp_path, "mine").content_hash()
    for name in COUNT_NOT:
        (folder / name).write_text("changed")
    assert found(tmp_path, "mine").content_hash() == before
    hashes = {before}
    for name in COUNT:
        (folder / name).write_text("changed")
        hashes.add(found(tmp_path, "mine").content_hash())
    (folder / "spy.clj").rename(folder / "other.clj")
    hashes.add(found(tmp_path, "mine").content_hash())
    assert len(hashes) == len(COUNT) + 2


def test_no_folder_or_one_without_anything_of_use_is_none(tmp_path: Path) -> None:
    written(tmp_path / "notes", ["README.md", ".git/config"])
    assert [own_strategies(tmp_path, name) for name in ("", "nowhere", "notes")] == [None, None, None]
    with copied(None) as context:
        assert context is None


def test_the_folder_may_lie_elsewhere_and_hold_links_to_files(tmp_path: Path) -> None:
    elsewhere = written(tmp_path / "elsewhere", ["shared.clj"])
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "linked.clj").symlink_to(elsewhere / "shared.clj")
    with copied(found(ROOT, str(folder))) as context:
        assert context is not None
        copy = context / "strategies" / "linked.clj"
        assert not copy.is_symlink()
        assert copy.read_text() == "shared.clj"
    (elsewhere / "shared.clj").unlink()
    with pytest.raises(ImagesError, match=r"linked\.clj leads nowhere"):
        own_strategies(ROOT, str(folder))
    with pytest.raises(ImagesError, match="is no folder"):
        own_strategies(ROOT, "Makefile")


def test_a_fault_is_told_before_anything_is_built(tmp_path: Path) -> None:
    written(tmp_path / "mine", ["spy.clj"])
    with pytest.raises(ImagesError, match=r"of .*/mine cannot be built:\n.*spy\.clj:1:"):
        found(tmp_path, "mine").examine()


def test_the_committed_settings_name_the_folder_that_git_ignores() -> None:
    assert load({}).strategies == "strategies"
    assert "/strategies/" in (ROOT / ".gitignore").read_text().splitlines()
