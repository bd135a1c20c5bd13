"""Builds the image of the stand-ins (libs/local/Dockerfile) that compose.yaml runs beside the functions."""

import os
import sys

from images.build import build_command, describe
from images.docker import docker_aloud, require_engine
from images.errors import ImagesError
from images.settings import ROOT, load
from images.source import read_source

DOCKERFILE = "libs/local/Dockerfile"


def main() -> int:
    """Build `prefix/local:tag`; 3 if Docker did not do it."""
    try:
        settings, source = load(os.environ), read_source(ROOT)
        require_engine()
        name = f"{settings.prefix}/local:{source.tag}"
        docker_aloud(build_command(DOCKERFILE, "local", name, settings, {}))
        sys.stdout.write(describe(name) + "\n")
    except ImagesError as error:
        sys.stderr.write(f"stand-ins: {error}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
