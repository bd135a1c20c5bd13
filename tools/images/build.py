"""Builds a service's image twice over: as Lambda runs it, and with the runtime interface emulator in front."""

from images.docker import docker, docker_aloud
from images.settings import ROOT, ImageSettings
from images.source import Source

LOCAL = "-local"
"""What the tag of the image with the emulator ends in."""


def build(service: str, settings: ImageSettings, source: Source, tag: str) -> str:
    """Build `prefix/service:tag` and `:tag-local`; returns the first's name. Raises ImagesError."""
    image = f"{settings.local_name(service)}:{tag}"
    for target, name in (("lambda", image), ("local", image + LOCAL)):
        docker_aloud(build_command(f"services/{service}/Dockerfile", target, name, settings, source.build_arguments()))
    return image


def build_command(
    dockerfile: str, target: str, name: str, settings: ImageSettings, values: dict[str, str]
) -> list[str]:
    """Arguments of docker for one target."""
    command = ["buildx", "build", "--load", "--file", str(ROOT / dockerfile), "--target", target, "--tag", name]
    if settings.base_image:
        values = values | {"BASE_IMAGE": settings.base_image}
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
