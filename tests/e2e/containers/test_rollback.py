"""Releases against a real registry: tags never move, a rollback returns to the earlier digest and proves it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from images import build, releases
from images.docker import docker
from images.settings import ROOT, ImageSettings
from images.source import Source

A, B = "a" * 12, "b" * 12


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


type Images = Callable[..., Outcome]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "releases.json"


@pytest.fixture
def own(image_settings: ImageSettings, registry: str) -> Iterator[ImageSettings]:
    """Settings with image names that no other test uses; what was built under them goes in the end."""
    own = replace(image_settings, prefix=f"alchemiser-test-{uuid4().hex[:8]}", registry=registry)
    yield own
    for pattern in (own.local_name("strategy"), own.registry_name("strategy")):
        if found := docker("image", "ls", "--quiet", pattern):
            docker("image", "rm", "--force", *set(found.split()))


@pytest.fixture
def images(own: ImageSettings, record: Path, emulator: Path) -> Images:
    """The images' command, as make runs it, with a registry and a record of its own."""
    names = {"IMAGE_REGISTRY": own.registry, "IMAGE_PREFIX": own.prefix, "RELEASES": str(record)}
    variables = {**os.environ, **names, "PYTHONPATH": str(ROOT / "tools")}

    def run(*arguments: str) -> Outcome:
        command = [sys.executable, "-m", "images", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


def build_as(revision: str, settings: ImageSettings, *, tag: str = "", says: str = "") -> str:
    """A build of this tree that takes itself for another commit."""
    source = Source(revision=(says or revision) * 40, dirty=False, url="alchemiser")
    return build.build("strategy", settings, source, tag or revision * 12)


def test_a_bad_release_is_left_for_the_digest_before_it(images: Images, own: ImageSettings, record: Path) -> None:
    for revision in "ab":
        build_as(revision, own)
        pushed = images("push", "strategy", "--tag", revision * 12)
        assert pushed.code == 0, pushed.err
    first, second = releases.read(record).services["strategy"]
    assert (first.tag, second.tag) == (A, B)
    assert first.digest != second.digest
    docker("image", "rm", f"{own.local_name('strategy')}:{A}", f"{own.registry_name('strategy')}:{A}")

    back = images("rollback", "strategy")

    assert back.code == 0, back.err
    assert back.out == f"strategy: {A} {first.digest}, answered its version probe, is the current release\n"
    assert images("parameters").out == f"StrategyTag={A}\nStrategyDigest={first.digest}\n"
    again = images("rollback", "strategy")
    assert again.code == 3
    assert f"strategy is at {A} and has no earlier release to go to; known: {A}, {B}" in again.err
    assert images("rollback", "strategy", "--tag", B).out.startswith(f"strategy: {B} {second.digest}")
    history = json.loads(images("releases", "--json").out)["services"]["strategy"]
    assert [release["tag"] for release in history] == [A, B, A, B]


def test_a_tag_never_moves(images: Images, own: ImageSettings, record: Path, tmp_path: Path) -> None:
    image = f"{own.local_name('strategy')}:{A}"
    build_as("a", own)
    assert images("push", "strategy", "--tag", A).code == 0
    before = record.read_text()
    assert images("push", "strategy", "--tag", A).code == 0, "the same image again is no error"
    assert record.read_text() == before

    (tmp_path / "Dockerfile").write_text(f"FROM {image}\nCOPY Dockerfile /var/task/changed\n")
    docker("image", "build", "--quiet", "--tag", image, str(tmp_path))
    refused = images("push", "strategy", "--tag", A)

    assert refused.code == 3
    assert "exists with other content; tags are immutable" in refused.err
    assert record.read_text() == before


def test_what_does_not_say_the_truth_about_itself_is_not_released(images: Images, own: ImageSettings) -> None:
    build_as("a", own, tag=B, says="a")
    mislabelled = images("push", "strategy", "--tag", B)
    assert (mislabelled.code, f"was built from {A}" in mislabelled.err) == (3, True)
    dirty = images("push", "strategy", "--tag", f"{A}-dirty")
    assert (dirty.code, "commit, build again, then push" in dirty.err) == (3, True)
    absent = images("push", "strategy", "--tag", "c" * 12)
    assert (absent.code, "is not built yet: make build-service SERVICE=strategy" in absent.err) == (3, True)
