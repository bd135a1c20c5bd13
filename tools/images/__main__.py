"""The images' command line; `make` calls it. python -m images --help"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from images import build, cold, registry, releases, report, sbom
from images.docker import exists, require_engine
from images.emulator import emulator_file
from images.errors import ImagesError
from images.function import running
from images.settings import ROOT, SERVICES, ImageSettings, load
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

    command = commands.add_parser("sbom", help="write what is in the images as CycloneDX, below dist/sbom")
    command.add_argument("service", nargs="*", default=list(SERVICES))
    command.add_argument("--tag", help="another tag than the git commit")
    command.set_defaults(run=_sbom)

    command = commands.add_parser("report", help="weigh the images beside a naive one; exits 1 if an aim is missed")
    command.add_argument("--json", type=Path, help="write the figures there too")
    command.set_defaults(run=_report)

    command = commands.add_parser(
        "cold", help="time the images' starts beside a naive one; exits 1 if an aim is missed"
    )
    command.add_argument("--runs", type=int, default=10, help="starts of each image at each size (default 10)")
    command.add_argument(
        "--sizes", type=int, nargs="+", default=cold.SIZES, help="MB of memory whose CPU share to give"
    )
    command.add_argument("--json", type=Path, help="write the figures there too")
    command.set_defaults(run=_cold)

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
    image = _built(arguments.service, settings, arguments.tag) + build.LOCAL
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


def _sbom(arguments: argparse.Namespace) -> None:
    require_engine()
    for service in arguments.service:
        path = sbom.write(_built(service, load(os.environ), arguments.tag), service, ROOT / "dist" / "sbom")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")


def _report(arguments: argparse.Namespace) -> int:
    settings = load(os.environ)
    require_engine()
    images = {service: _built(service, settings, None) for service in SERVICES}
    weights = report.weigh({**images, report.NAIVE: report.build_naive(settings)})
    sys.stdout.write(report.table(weights))
    return _judged(report.missed(weights), list(weights.values()), arguments.json)


def _cold(arguments: argparse.Namespace) -> int:
    settings = load(os.environ)
    require_engine()
    emulator = emulator_file(settings)
    probe = (ROOT / "deploy/events/version.json").read_bytes()
    snapshot = (ROOT / "deploy/events/sqs-snapshot.json").read_bytes()
    if not cold.can_cool():
        sys.stderr.write("cold: only root can empty the page cache; these are warm starts\n")
    with cold.strategy_queue() as queue:
        subjects = [
            cold.Subject(
                service, _built(service, settings, None), snapshot if service == "strategy" else probe, queue.variables
            )
            for service in SERVICES
        ]
        subjects.append(cold.Subject(report.NAIVE, report.build_naive(settings), probe, queue.variables))
        tell = partial(print, file=sys.stderr, flush=True)
        starts = list(cold.measure(subjects, emulator, arguments.runs, tuple(arguments.sizes), tell))
    sys.stdout.write(cold.table(starts))
    return _judged(cold.missed(starts), starts, arguments.json)


def _judged(missed: list[str], figures: Sequence[report.Weight | cold.Starts], file: Path | None) -> int:
    if file is not None:
        file.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n", "utf-8")
    for words in missed:
        sys.stderr.write(f"missed: {words}\n")
    return int(bool(missed))


def _built(service: str, settings: ImageSettings, tag: str | None) -> str:
    image = f"{settings.local_name(service)}:{tag or read_source(ROOT).tag}"
    if not exists(image):
        raise ImagesError(f"{image} is not built yet: make build-service SERVICE={service}")
    return image


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _events(_: argparse.Namespace) -> None:
    from images.events import write  # the whole pipeline, only needed here

    for path in write():
        sys.stdout.write(f"{path.relative_to(ROOT)}  {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
