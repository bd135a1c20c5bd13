import re
import subprocess
from pathlib import Path

import pytest

from images.errors import ImagesError
from images.source import public_url, read_source
from images.strategies import own_strategies


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "known.py").touch()
    (tmp_path / ".gitignore").write_text("/strategies/\n")
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "first"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def commit_of(repository: Path) -> str:
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_tag_of_a_clean_tree_is_the_commit(repository: Path) -> None:
    commit, clean = commit_of(repository), read_source(repository)
    assert (clean.tag, clean.revision, clean.url) == (commit[:12], commit, "alchemiser")


def test_another_content_that_is_not_committed_is_another_tag_and_the_same_content_the_same(repository: Path) -> None:
    commit, file = commit_of(repository)[:12], repository / "services" / "known.py"
    tags = {}
    for state in ("first", "second"):
        file.write_text(state)
        tags[state] = read_source(repository).tag
        assert re.fullmatch(f"{commit}-dirty-[0-9a-f]{{12}}", tags[state])
    (repository / "services" / "new.py").touch()
    tags["new"] = read_source(repository).tag
    file.chmod(0o755)
    tags["program"] = read_source(repository).tag
    file.unlink()
    tags["gone"] = read_source(repository).tag
    assert len(set(tags.values())) == 5
    (repository / "services" / "new.py").unlink()
    file.write_text("second")
    subprocess.run(["git", "add", "."], cwd=repository, check=True)
    assert read_source(repository).tag == tags["second"], "staged or not, it is the same content"


def test_a_file_that_no_image_uses_makes_a_tree_dirty_and_gives_no_tag_of_its_own(repository: Path) -> None:
    (repository / "notes").write_text("one")
    one = read_source(repository).tag
    (repository / "notes").write_text("two")
    assert one.startswith(f"{commit_of(repository)[:12]}-dirty-")
    assert read_source(repository).tag == one


def test_own_strategies_are_part_of_the_tag_though_git_does_not_see_them(repository: Path) -> None:
    own = repository / "strategies"
    own.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=own, check=True)
    tags = []
    for text in ("one", "two", "one"):
        (own / "mine.clj").write_text(text)
        tags.append(read_source(repository, own_strategies(repository, "strategies")).tag)
    assert tags[0] == tags[2] != tags[1]
    assert all(re.fullmatch(f"{commit_of(repository)[:12]}-[0-9a-f]{{12}}", tag) for tag in tags)


def test_outside_a_repository_the_reason_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match=r"the images' tag is the git commit, and git says: fatal"):
        read_source(tmp_path)


@pytest.mark.parametrize(
    ("remote", "label"),
    [
        ("https://example.org/team/alchemiser.git", "https://example.org/team/alchemiser"),
        ("https://user:token@example.org/alchemiser", "https://example.org/alchemiser"),
        ("git@example.org:team/alchemiser.git", "alchemiser"),
        ("/home/somebody/alchemiser", "alchemiser"),
        ("", "alchemiser"),
    ],
)
def test_the_source_label_holds_no_password_and_no_path_of_a_machine(remote: str, label: str) -> None:
    assert public_url(remote) == label
