"""Builds a service's image twice over: as Lambda runs it, and with the runtime interface emulator in front."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from images.docker import docker, docker_aloud
from images.errors import ImagesError
from images.settings import ROOT, ImageSettings
from images.source import Source
from images.strategies import OwnStrategies, copied, copied_hash

LOCAL = "-local"
"""What the tag of the image with the emulator ends in."""


LABEL = "alchemiser.strategies"
"""Label with the content hash of each strategy that the image can be told to run, by name, as JSON."""


# Two steps: what the strategies' rules are is known when they are built, with what they import, inside. The second
# step finds everything of the first in the builder's cache.
def build(
    service: str, settings: ImageSettings, source: Source, tag: str, strategies: OwnStrategies | None = None
) -> str:
    """Build `prefix/service:tag` and `:tag-local`; returns the first's name. Raises ImagesError.

    Own strategies that cannot be used are refused before anything is built where reading them shows it.
    """
    if strategies is not None:
        strategies.examine()
    image, file = f"{settings.local_name(service)}:{tag}", f"services/{service}/Dockerfile"
    with copied(strategies) as own, TemporaryDirectory() as told:
        if own is not None and copied_hash(own) != source.strategies:
            raise ImagesError(f"files of {settings.strategies} changed while they were read: build again")
        command = build_command(file, "rules", None, settings, {}, own)
        docker_aloud([*command[:-1], "--output", f"type=local,dest={told}", command[-1]])
        rules = (Path(told) / "strategies.json").read_text("utf-8")
        values = {**source.build_arguments(), "STRATEGIES": rules}
        for target, name in (("lambda", image), ("local", image + LOCAL)):
            docker_aloud(build_command(file, target, name, settings, values, own))
    return image


def strategies_in(image: str) -> dict[str, str]:
    """The content hash of each strategy that a built image can be told to run, by name, as its label says."""
    said = docker("image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', image)
    found: dict[str, str] = json.loads(said or "{}")
    return found


def build_command(
    dockerfile: str,
    target: str,
    name: str | None,
    settings: ImageSettings,
    values: Mapping[str, str],
    strategies: Path | None = None,
) -> list[str]:
    """Arguments of docker for one target, the context last; without a name the result goes where the caller says.

    `strategies` is a copy of the own ones (`copied`).
    """
    command = ["buildx", "build", "--file", str(ROOT / dockerfile), "--target", target]
    if name is not None:
        command += ["--load", "--tag", name]
    if strategies is not None:
        command += ["--build-context", f"strategies={strategies}"]
        values = {**values, "STRATEGIES_HASH": copied_hash(strategies)}
    if settings.base_image:
        values = {**values, "BASE_IMAGE": settings.base_image}
    for key, value in values.items():
        command += ["--build-arg", f"{key}={value}"]
    if settings.platform:
        command += ["--platform", settings.platform]
    if settings.build_network:
        command += ["--network", settings.build_network]
    return [*command, "--provenance=false", *settings.build_flags, str(ROOT)]


def describe(image: str) -> str:
    """One line on a built image."""
    size, platform = docker("image", "inspect", "--format", "{{.Size}} {{.Os}}/{{.Architecture}}", image).split()
    return f"{image}  {platform}  {int(size) / 1e6:.1f} MB"
