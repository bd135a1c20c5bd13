"""The Lambda runtime interface emulator as a file, for images that were built without it."""

import hashlib
import os
from pathlib import Path

from images.build import build_command
from images.docker import docker, docker_aloud, exists
from images.settings import ROOT, ImageSettings

_LOCK = ROOT / "deploy" / "image" / "emulator.lock"
_KEPT = ROOT / ".alchemiser"


def emulator_file(settings: ImageSettings) -> Path:
    """Path of the pinned emulator, taken from a build stage the first time. Raises ImagesError."""
    pin = hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12]
    file = _KEPT / f"aws-lambda-rie-{pin}"
    if file.exists():
        return file
    image = f"{settings.prefix}/emulator:{pin}"
    if not exists(image):
        docker_aloud(build_command("services/strategy/Dockerfile", "emulator", image, settings, {}))
    _KEPT.mkdir(exist_ok=True)
    container = docker("container", "create", image, "true")
    part = file.with_suffix(f".{os.getpid()}")
    try:
        docker("container", "cp", f"{container}:/aws-lambda-rie", str(part))
    finally:
        docker("container", "rm", container)
    part.rename(file)
    return file
