"""The images' command line; `make` calls it. python -m images --help"""

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from images import build, registry, releases
from images.docker import exists, require_engine
from images.emulator import emulator_file
from images.errors import ImagesError
from images.function import running
from images.settings import ROOT, SERVICES, load
from images.source import read_source


def main() -> int:
    """Exit codes: 0 done, 1 the function answered with an error, 2 wrong arguments, 3 something was out of reach."""
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

    command = commands.add_parser("invoke", help="run a service's image under the emulator and send it one event")
    command.add_argument("service")
    command.add_argument("event", type=Path, help="a file with the event, e.g. deploy/events/version.json")
    command.add_argument("--tag", help="another tag than the git commit")
    command.add_argument("--env-file", type=Path, help="variables of the function, one NAME=value a line")
    command.set_defaults(run=_invoke)

    command = commands.add_parser("push", help="push a service's image and make it the current release")
    command.add_argument("service")
    command.add_argument("--tag", help="another built commit than the present one")
    command.set_defaults(run=_push)

    command = commands.add_parser("rollback", help="make an earlier release the current one, by its digest")
    command.add_argument("service")
    command.add_argument("--tag", help="which one; by default the one before the current")
    command.set_defaults(run=_rollback)

    command = commands.add_parser("releases", help="show every service's releases")
    command.add_argument("--json", action="store_true", help="print the record itself")
    command.set_defaults(run=_releases)

    command = commands.add_parser("parameters", help="print the current releases as parameters for sam deploy")
    command.set_defaults(run=_parameters)

    command = commands.add_parser("events", help="record deploy/events again, from a cycle on the simulated exchange")
    command.set_defaults(run=_events)
    return parser


def _tag(_: argparse.Namespace) -> None:
    sys.stdout.write(read_source(ROOT).tag + "\n")


def _build(arguments: argparse.Namespace) -> None:
    settings, source = load(os.environ), read_source(ROOT)
    require_engine()
    built = [build.build(service, settings, source, arguments.tag or source.tag) for service in arguments.service]
    for image in built:
        sys.stdout.write(build.describe(image) + "\n")


def _invoke(arguments: argparse.Namespace) -> int:
    settings = load(os.environ)
    require_engine()
    if not arguments.event.is_file():
        raise ImagesError(f"{arguments.event} is not a file; deploy/events has recorded events")
    image = f"{settings.local_name(arguments.service)}:{arguments.tag or read_source(ROOT).tag}{build.LOCAL}"
    if not exists(image):
        raise ImagesError(f"{image} is not built yet: make build-service SERVICE={arguments.service}")
    with running(image, env_file=arguments.env_file) as function:
        answer = function.invoke(arguments.event.read_bytes())
        sys.stderr.write("".join(f"{line}\n" for line in function.reports()))
        sys.stderr.write(f"init {function.init_seconds() * 1000:.0f} ms\n")
        if answer.failed:
            sys.stderr.write(function.log() + "\n")
    sys.stdout.write(answer.body + "\n")
    return int(answer.failed)


def _push(arguments: argparse.Namespace) -> None:
    settings, service = load(os.environ), arguments.service
    settings.registry_name(service)
    require_engine()
    tag = arguments.tag or read_source(ROOT).tag
    record = releases.read(settings.releases)
    record = registry.push(service, tag, settings, record, emulator_file(settings), _now)
    releases.write(settings.releases, record)
    _say_current(service, record)


def _rollback(arguments: argparse.Namespace) -> None:
    settings, service = load(os.environ), arguments.service
    settings.registry_name(service)
    record = releases.read(settings.releases)
    record.target(service, arguments.tag)
    require_engine()
    record = registry.roll_back(service, arguments.tag, settings, record, emulator_file(settings), _now)
    releases.write(settings.releases, record)
    _say_current(service, record)


def _say_current(service: str, record: releases.Releases) -> None:
    release = record.services[service][-1]
    sys.stdout.write(f"{service}: {release.tag} {release.digest}, answered its version probe, is the current release\n")


def _releases(arguments: argparse.Namespace) -> None:
    record = releases.read(load(os.environ).releases)
    if arguments.json:
        sys.stdout.write(record.model_dump_json(indent=1) + "\n")
        return
    for service, history in sorted(record.services.items()):
        for release in history:
            state = "current" if release is history[-1] else "left" if release.rolled_back else ""
            line = f"{service:9} {release.tag:13} {release.digest}  {release.at:%Y-%m-%d %H:%M}Z  {state}"
            sys.stdout.write(line.rstrip() + "\n")


def _parameters(_: argparse.Namespace) -> None:
    for parameter in releases.read(load(os.environ).releases).parameters():
        sys.stdout.write(parameter + "\n")


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _events(_: argparse.Namespace) -> None:
    from images.events import write  # the whole pipeline, only needed here

    for path in write():
        sys.stdout.write(f"{path.relative_to(ROOT)}  {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
