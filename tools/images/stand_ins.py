"""Builds the image of the stand-ins (tools/local/Dockerfile) that compose.yaml runs beside the functions."""

import os
import sys

from images.build import build_command, describe
from images.checkout import read_checkout
from images.docker import docker_aloud, require_engine
from images.errors import ImagesError
from images.settings import ImageSettings
from images.source import Source

DOCKERFILE = "tools/local/Dockerfile"


def build_image(settings: ImageSettings, source: Source) -> str:
    """Build `prefix/local:tag` and return that name. Raises ImagesError."""
    name = f"{settings.prefix}/local:{source.tag}"
    docker_aloud(build_command(DOCKERFILE, "local", name, settings, {}))
    return name


def main() -> int:
    """Build it and say how large it is; 3 if Docker did not do it."""
    try:
        require_engine()
        checkout = read_checkout(os.environ)
        sys.stdout.write(describe(build_image(checkout.settings, checkout.source)) + "\n")
    except ImagesError as error:
        sys.stderr.write(f"stand-ins: {error}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
