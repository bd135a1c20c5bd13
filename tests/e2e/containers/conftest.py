"""What the tests of images start from: an engine that answers, images of this tree, a registry of their own."""

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from images import build
from images.docker import require_base, require_engine
from images.emulator import emulator_file
from images.errors import NoEngine
from images.settings import ROOT, ImageSettings, load
from images.source import read_source
from support.registry import local_registry

type BuiltImage = Callable[[str], str]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without an engine and a base image these tests are skipped, except in CI, which has to have both."""
    here = Path(__file__).parent
    ours = [item for item in items if here in item.path.parents]
    if not ours:
        return
    marks = [pytest.mark.timeout(900)]
    if "CI" not in os.environ:
        try:
            require_engine()
            require_base(load(os.environ).base_image or default_base())
        except NoEngine as error:
            marks.append(pytest.mark.skip(reason=str(error)))
    for item in ours:
        for mark in marks:
            item.add_marker(mark)


def default_base() -> str:
    """The base image that the Dockerfiles name."""
    lines = (ROOT / "services" / "strategy" / "Dockerfile").read_text("utf-8").splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("ARG BASE_IMAGE="))


@pytest.fixture(scope="session")
def image_settings() -> ImageSettings:
    """How images are built on this machine."""
    return load(os.environ)


@pytest.fixture(scope="session")
def built(image_settings: ImageSettings) -> BuiltImage:
    """The image of a service, built from this tree when first asked for; `-local` at its end has the emulator."""
    source = read_source(ROOT)
    return cache(lambda service: build.build(service, image_settings, source, source.tag))


@pytest.fixture(scope="session")
def emulator(image_settings: ImageSettings) -> Path:
    """The emulator as a file."""
    return emulator_file(image_settings)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Address of an empty registry."""
    with local_registry(tmp_path) as address:
        yield address
