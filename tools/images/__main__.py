"""The images' command line; `make` calls it. python -m images --help"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from alchemiser_cli.stage.names import SERVICES
from images import build, cold, registry, report, sbom
from images.checkout import read_checkout
from images.docker import exists, require_engine
from images.emulator import emulator_file
from images.errors import ImagesError
from images.function import running
from images.settings import ROOT, ImageSettings, load
from local.functions import Answered


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

    command = commands.add_parser("strategies", help="read the own strategies as a build does, and run none")
    command.set_defaults(run=_strategies)

    command = commands.add_parser("build", help="build the images of one service, or of all")
    command.add_argument("service", nargs="*", default=list(SERVICES), help=", ".join(SERVICES))
    _add_tag(command)
    command.set_defaults(run=_build)

    command = commands.add_parser("invoke", help="run a service's image under the emulator and send it one event")
    command.add_argument("service")
    command.add_argument("event", type=Path, help="a file with the event, e.g. deploy/events/version.json")
    _add_tag(command)
    command.add_argument("--env-file", type=Path, help="variables of the function, one NAME=value a line")
    command.set_defaults(run=_invoke)

    command = commands.add_parser("push", help="push a service's image, whose tag then never moves")
    command.add_argument("service")
    command.add_argument("--tag", help="another build than the present one")
    command.set_defaults(run=_push)

    command = commands.add_parser("sbom", help="write what a service's lock pins as CycloneDX, below dist/sbom")
    command.add_argument("service", nargs="*", default=list(SERVICES), help=", ".join(SERVICES))
    _add_tag(command)
    command.set_defaults(run=_sbom)

    command = commands.add_parser("events", help="write deploy/events again, from a captured case")
    command.set_defaults(run=_events)
    _add_measurements(commands)
    return parser


def _add_measurements(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("report", help="weigh the images")
    command.add_argument("--json", type=Path, help="write the figures there too")
    command.set_defaults(run=_report)

    command = commands.add_parser("cold", help="time the images' starts")
    command.add_argument("--runs", type=int, default=10, help="starts of each image at each size (default 10)")
    command.add_argument(
        "--sizes", type=int, nargs="+", default=cold.SIZES, help="MB of memory whose CPU share to give"
    )
    command.add_argument("--json", type=Path, help="write the figures there too")
    command.set_defaults(run=_cold)


def _add_tag(command: argparse.ArgumentParser) -> None:
    command.add_argument("--tag", help="another tag than that of this tree")


def _tag(_: argparse.Namespace) -> None:
    sys.stdout.write(read_checkout(os.environ).source.tag + "\n")


def _strategies(_: argparse.Namespace) -> None:
    checkout = read_checkout(os.environ)
    if checkout.strategies is None:
        raise ImagesError(f"there are no strategies in {checkout.settings.strategies or 'STRATEGIES, which is empty'}")
    checkout.strategies.examine()
    for file in checkout.strategies.files:
        sys.stdout.write(f"{file}\n")
    sys.stdout.write(f"can be read; the images' tag will be {checkout.source.tag}\n")


def _build(arguments: argparse.Namespace) -> None:
    checkout = read_checkout(os.environ)
    require_engine()
    tag = arguments.tag or checkout.source.tag
    built = [
        build.build(service, checkout.settings, checkout.source, tag, checkout.strategies)
        for service in arguments.service
    ]
    for image in built:
        sys.stdout.write(build.describe(image) + "\n")


def _invoke(arguments: argparse.Namespace) -> int:
    settings = load(os.environ)
    require_engine()
    if not arguments.event.is_file():
        raise ImagesError(f"{arguments.event} is not a file; deploy/events has recorded events")
    image = _built(arguments.service, settings, arguments.tag) + build.LOCAL
    with running(image, env_file=arguments.env_file) as function:
        outcome = function.invoke(arguments.event.read_bytes())
        sys.stderr.write("".join(f"{line}\n" for line in function.reports()))
        sys.stderr.write(f"init {function.init_seconds() * 1000:.0f} ms\n")
        failed = not isinstance(outcome, Answered)
        if failed:
            sys.stderr.write(function.log() + "\n")
    sys.stdout.write(outcome.text + "\n")
    return int(failed)


def _push(arguments: argparse.Namespace) -> None:
    settings, service = load(os.environ), arguments.service
    settings.registry_name(service)
    require_engine()
    tag = arguments.tag or _present_tag()
    digest = registry.push(service, tag, settings, emulator_file(settings))
    sys.stdout.write(f"{service}: {tag} {digest}, answered its version probe, is in the registry\n")


def _sbom(arguments: argparse.Namespace) -> None:
    tag = arguments.tag or _present_tag()
    for service in arguments.service:
        path = sbom.write(service, tag, ROOT / "dist" / "sbom")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")


def _report(arguments: argparse.Namespace) -> None:
    settings = load(os.environ)
    require_engine()
    weights = report.weigh({service: _built(service, settings, None) for service in SERVICES})
    sys.stdout.write(report.table(weights))
    _keep(list(weights.values()), arguments.json)


def _cold(arguments: argparse.Namespace) -> None:
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
        tell = partial(print, file=sys.stderr, flush=True)
        starts = list(cold.measure(subjects, emulator, arguments.runs, tuple(arguments.sizes), tell))
    sys.stdout.write(cold.table(starts))
    _keep(starts, arguments.json)


def _keep(figures: Sequence[report.Weight | cold.Starts], file: Path | None) -> None:
    if file is not None:
        file.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n", "utf-8")


def _built(service: str, settings: ImageSettings, tag: str | None) -> str:
    image = f"{settings.local_name(service)}:{tag or _present_tag()}"
    if not exists(image):
        raise ImagesError(f"{image} is not built yet: make build-service SERVICE={service}")
    return image


def _present_tag() -> str:
    return read_checkout(os.environ).source.tag


def _events(_: argparse.Namespace) -> None:
    from images.events import write  # the whole pipeline, only needed here

    for path in write():
        sys.stdout.write(f"{path.relative_to(ROOT)}  {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
