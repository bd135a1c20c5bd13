import subprocess
from pathlib import Path

import pytest

from images.errors import ImagesError
from images.source import public_url, read_source


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for command in (
        ["init", "--quiet"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "-m", "first"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_the_tag_is_the_commit_and_says_when_files_differ_from_it(repository: Path) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout.strip()
    clean = read_source(repository)
    assert (clean.tag, clean.revision, clean.url) == (commit[:12], commit, "alchemiser")
    (repository / "new.py").touch()
    assert read_source(repository).tag == f"{commit[:12]}-dirty", "a file git does not know can be in an image too"


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
