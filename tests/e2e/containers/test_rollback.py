"""A stage's releases rehearsed against a real registry: its own code, with the registry's tags in place of ECR's.

AWS is moto, whose functions are the pushed images themselves, run by digest.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import pytest

from alchemiser_cli.stage.deployment import DeployRequest, deploy
from alchemiser_cli.stage.images import ImageRegistry, TagStore
from alchemiser_cli.stage.names import SERVICES
from alchemiser_cli.stage.rollback import roll_back
from alchemiser_cli.stage.stack import Refused
from alchemiser_cli.stage.stage import Stage
from images import build
from images.docker import docker
from images.settings import ROOT, ImageSettings
from images.source import Source
from support.aws import CREDENTIALS
from support.plain_tags import PlainTags
from support.stages import StageOnMoto, agree, stage_on_moto

A, B = "a" * 12, "b" * 12


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


type Images = Callable[..., Outcome]


@dataclass(frozen=True)
class RehearsedStage(Stage):
    """A stage whose images are in a plain registry; nothing else differs."""

    tags: TagStore = field(kw_only=True)

    def images(self) -> ImageRegistry:
        return ImageRegistry(self.tags, self.config)


@pytest.fixture
def own(image_settings: ImageSettings, registry: str) -> Iterator[ImageSettings]:
    """Settings with image names that no other test uses; what was built under them goes in the end."""
    own = replace(image_settings, prefix=f"alchemiser-test-{uuid4().hex[:8]}", registry=registry)
    yield own
    for service in SERVICES:
        for pattern in (own.local_name(service), own.registry_name(service)):
            if found := docker("image", "ls", "--quiet", pattern):
                docker("image", "rm", "--force", *set(found.split()))


@pytest.fixture
def tags(own: ImageSettings) -> PlainTags:
    return PlainTags(own.registry, own.prefix)


@pytest.fixture
def images(own: ImageSettings, emulator: Path) -> Images:
    """The images' command, as make runs it, with a registry of its own."""
    names = {"IMAGE_REGISTRY": own.registry, "IMAGE_PREFIX": own.prefix}
    variables = {**os.environ, **names, "PYTHONPATH": str(ROOT / "tools")}

    def run(*arguments: str) -> Outcome:
        command = [sys.executable, "-m", "images", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def aws(own: ImageSettings, emulator: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StageOnMoto]:
    for name, value in {**CREDENTIALS, "STAGE_IMAGES": f"{own.registry}/{own.prefix}"}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    gateway = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    with stage_on_moto(tmp_path, host=gateway) as made:
        yield made


def build_as(
    revision: str, settings: ImageSettings, service: str = "strategy", *, tag: str = "", says: str = ""
) -> str:
    """A build of this tree that takes itself for another commit."""
    source = Source(revision=(says or revision) * 40, url="alchemiser")
    return build.build(service, settings, source, tag or revision * 12)


def release(images: Images, own: ImageSettings, revision: str) -> None:
    """Build the monolith as another commit and push it; it is in the registry and not on this machine."""
    build_as(revision, own, "monolith")
    pushed = images("push", "monolith", "--tag", revision * 12)
    assert pushed.code == 0, pushed.err
    docker("image", "rm", *(f"{name('monolith')}:{revision * 12}" for name in (own.local_name, own.registry_name)))


def give_every_service_an_image(own: ImageSettings) -> None:
    """What a first deployment asks for; in phase monolith no other function runs."""
    image = own.registry_name("monolith")
    docker("image", "pull", f"{image}:{A}")
    for service in set(SERVICES) - {"monolith"}:
        docker("image", "tag", f"{image}:{A}", f"{own.registry_name(service)}:{A}")
        docker("image", "push", f"{own.registry_name(service)}:{A}")


def test_a_bad_release_is_left_for_the_one_before_it_and_returned_to_only_by_name(
    images: Images, own: ImageSettings, tags: PlainTags, aws: StageOnMoto
) -> None:
    plain = aws.stage()
    stage = RehearsedStage(plain.config, plain.clients, plain.clock, plain.progress, tags=tags)
    release(images, own, "a")
    give_every_service_an_image(own)
    deploy(stage, DeployRequest("monolith", dict.fromkeys(SERVICES, A)), agree)
    release(images, own, "b")
    deploy(stage, DeployRequest(images={"monolith": B}), agree)
    assert aws.live("monolith")[1] == B

    done = roll_back(stage, "monolith", None, agree)

    assert (done.left, done.image.tag, done.at_once) == (B, A, True)
    assert done.image.digest == tags.digest("monolith", A)
    assert aws.live("monolith")[1] == A
    stack = stage.stack()
    assert stack is not None
    assert (stack.parameters["MonolithTag"], stack.parameters["MonolithDigest"]) == (A, done.image.digest)
    with pytest.raises(Refused, match=r"monolith has no earlier build .* choose a build with --tag"):
        roll_back(stage, "monolith", None, agree)
    assert roll_back(stage, "monolith", B, agree).image.tag == B
    assert aws.live("monolith")[1] == B


def test_a_tag_never_moves(images: Images, own: ImageSettings, tags: PlainTags, tmp_path: Path) -> None:
    image = f"{own.local_name('strategy')}:{A}"
    build_as("a", own)
    pushed = images("push", "strategy", "--tag", A)
    before = tags.digest("strategy", A)
    assert pushed.code == 0, pushed.err
    assert pushed.out.endswith(f"strategy: {A} {before}, answered its version probe, is in the registry\n")
    assert images("push", "strategy", "--tag", A).code == 0, "the same image again is no error"

    (tmp_path / "Dockerfile").write_text(f"FROM {image}\nCOPY Dockerfile /var/task/changed\n")
    docker("image", "build", "--quiet", "--tag", image, str(tmp_path))
    refused = images("push", "strategy", "--tag", A)

    assert refused.code == 3
    assert "exists with other content; tags are immutable" in refused.err
    assert tags.digest("strategy", A) == before


def test_what_does_not_say_the_truth_about_itself_is_not_released(images: Images, own: ImageSettings) -> None:
    build_as("a", own, tag=B, says="a")
    mislabelled = images("push", "strategy", "--tag", B)
    assert (mislabelled.code, f"was built from {A}" in mislabelled.err) == (3, True)
    dirty = images("push", "strategy", "--tag", f"{A}-dirty")
    assert (dirty.code, "commit, build again, then push" in dirty.err) == (3, True)
    absent = images("push", "strategy", "--tag", "c" * 12)
    assert (absent.code, "is not built yet: make build-service SERVICE=strategy" in absent.err) == (3, True)


def test_a_plain_registry_keeps_tags_as_a_stage_asks_for_them(own: ImageSettings, tags: PlainTags) -> None:
    """What roll back and doctor read besides: an image's tags, what is not there, the newest first."""
    assert tags.digest("strategy", A) is None
    assert tags.newest_tags("strategy") == []
    for revision in "ab":
        name = f"{own.registry_name('strategy')}:{revision * 12}"
        docker("image", "tag", build_as(revision, own), name)
        docker("image", "push", name)
    first, second = (str(tags.digest("strategy", tag)) for tag in (A, B))
    assert first != second
    tags.add_tag("strategy", first, "deployed-dev-1")
    assert sorted(tags.tags("strategy", first)) == [A, "deployed-dev-1"]
    assert tags.tags("strategy", second) == [B]
    assert set(tags.newest_tags("strategy")) == {A, B, "deployed-dev-1"}
    gone = "sha256:" + "0" * 64
    tags.add_tag("strategy", gone, "left-dev-1")
    assert tags.tags("strategy", gone) == []
    assert tags.digest("strategy", "left-dev-1") is None
