"""The images' command line; `make` calls it. python -m images --help"""

import argparse
import os
import sys

from images import build
from images.docker import require_engine
from images.errors import ImagesError
from images.settings import ROOT, SERVICES, load
from images.source import read_source


def main() -> int:
    """Exit codes: 0 done, 2 wrong arguments, 3 Docker, a registry or a service did not do what was asked."""
    arguments = _parser().parse_args()
    try:
        return int(arguments.run(arguments) or 0)
    except ImagesError as error:
        sys.stderr.write(f"{arguments.command}: {error}\n")
        return 3
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="images", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    command = commands.add_parser("tag", help="print the tag that this tree's images get")
    command.set_defaults(run=_tag)

    command = commands.add_parser("build", help="build the images of one service, or of all")
    command.add_argument("service", nargs="*", default=list(SERVICES), help="data, strategy, trading, monolith")
    command.add_argument("--tag", help="another tag than the git commit")
    command.set_defaults(run=_build)
    return parser


def _tag(_: argparse.Namespace) -> None:
    sys.stdout.write(read_source(ROOT).tag + "\n")


def _build(arguments: argparse.Namespace) -> None:
    settings, source = load(os.environ), read_source(ROOT)
    require_engine()
    built = [build.build(service, settings, source, arguments.tag or source.tag) for service in arguments.service]
    for image in built:
        sys.stdout.write(build.describe(image) + "\n")


if __name__ == "__main__":
    sys.exit(main())
