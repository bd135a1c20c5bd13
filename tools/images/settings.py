"""What images are called and how they are built: deploy/images.env, deploy/images.local.env, the environment."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alchemiser_cli.stage.names import SERVICES
from images.errors import ImagesError

ROOT = Path(__file__).resolve().parents[2]
_FILES = ("deploy/images.env", "deploy/images.local.env")
_NAMES = ("IMAGE_REGISTRY", "IMAGE_PREFIX", "PLATFORM", "BASE_IMAGE", "BUILD_NETWORK", "BUILD_FLAGS", "STRATEGIES")


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """Names of images and arguments of builds; an empty text means Docker's own default."""

    registry: str
    prefix: str
    platform: str
    base_image: str
    build_network: str
    build_flags: tuple[str, ...]
    strategies: str = ""
    """Folder of one's own strategies, below the repository's root or by its whole path."""

    def local_name(self, service: str) -> str:
        """What a service's image is called on this machine."""
        return f"{self.prefix}/{_known(service)}"

    def registry_name(self, service: str) -> str:
        """What it is called in the registry. Raises ImagesError if none is set."""
        if not self.registry:
            raise ImagesError("no registry is set: give IMAGE_REGISTRY=host:port, or set it in deploy/images.env")
        return f"{self.registry}/{self.local_name(service)}"


def load(environment: Mapping[str, str], root: Path = ROOT) -> ImageSettings:
    """The settings; the environment wins. Raises ImagesError for a line that sets nothing known."""
    values = dict.fromkeys(_NAMES, "")
    for file in (root / name for name in _FILES):
        if file.exists():
            values |= _read(file)
    values |= {name: environment[name] for name in _NAMES if name in environment}
    return ImageSettings(
        registry=values["IMAGE_REGISTRY"].rstrip("/"),
        prefix=values["IMAGE_PREFIX"],
        platform=values["PLATFORM"],
        base_image=values["BASE_IMAGE"],
        build_network=values["BUILD_NETWORK"],
        build_flags=tuple(shlex.split(values["BUILD_FLAGS"])),
        strategies=values["STRATEGIES"],
    )


def _read(file: Path) -> dict[str, str]:
    values = {}
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, value = line.partition("=")
        if name not in _NAMES:
            raise ImagesError(f"{file.name}, line {number}: {name!r} is none of {', '.join(_NAMES)}")
        values[name] = value.strip()
    return values


def _known(service: str) -> str:
    if service not in SERVICES:
        raise ImagesError(f"service {service!r} is none of {', '.join(SERVICES)}")
    return service
