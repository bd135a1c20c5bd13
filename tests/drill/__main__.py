"""`python -m drill`: plays the migration on this machine, asserts it, and ends with a page."""

import argparse
import logging
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from alchemiser_cli.stage import deployment
from alchemiser_common.errors import AlchemiserError
from drill.builds import BREAKS, THRESHOLD, images_of, with_first
from drill.page import render
from drill.play import Play
from drill.script import FULL, script_of
from drill.stage import drill_stage
from drill.tale import DrillFailed, Tale
from images.checkout import read_checkout
from images.docker import require_engine
from images.errors import ImagesError


def main() -> int:
    """0 if everything held, 1 with the assertion that did not, 2 for wrong arguments, 3 without engine or images."""
    parser = argparse.ArgumentParser(prog="drill", description="Play the cutover of a stage in containers.")
    parser.add_argument("--cycles", type=int, default=FULL, help=f"cycles in all, {FULL} by default")
    parser.add_argument("--page", type=Path, default=Path(".alchemiser/cutover-drill.html"), help="where the page goes")
    parser.add_argument("--break", dest="broken", choices=sorted(BREAKS), help="break something: the drill must fail")
    parser.add_argument("--tag", help="of the images; by default this tree's")
    given = parser.parse_args()
    try:
        script = script_of(given.cycles)
        require_engine()
        checkout = read_checkout(os.environ)
        images = images_of(checkout.settings.prefix, given.tag or checkout.source.tag)
        bad = with_first(images["strategy"], THRESHOLD)
        for service, code in BREAKS.get(given.broken or "", {}).items():
            images[service] = with_first(images[service], code)
    except ValueError as error:
        sys.stderr.write(f"drill: {error}\n")
        return 2
    except ImagesError as error:
        sys.stderr.write(f"drill: {error}\n")
        return 3
    logging.getLogger("local").setLevel(logging.ERROR)  # a message left in its queue is part of the story
    tale = Tale()
    with ExitStack() as up:
        if given.broken == "gate":
            up.enter_context(patch.object(deployment, "require_open", lambda *_, **__: None))
        folder = Path(up.enter_context(tempfile.TemporaryDirectory()))
        stage = up.enter_context(drill_stage(folder, images, bad, script.days_alike))
        try:
            Play(stage, script, tale).all()
        except (DrillFailed, AlchemiserError, ImagesError) as failure:
            tale.failed = tale.failed or f"act {tale.act.number}, {tale.act.title}: {failure}"
            tale.end()
            sys.stderr.write(f"FAILED in {tale.failed}\n")
    took = time.monotonic() - tale.started
    given.page.parent.mkdir(parents=True, exist_ok=True)
    given.page.write_text(render(tale, script, took), "utf-8")
    sys.stdout.write(
        f"{len(tale.cycles)} cycles, {tale.checks} assertions, {took:.0f} s; page: {given.page.resolve()}\n"
    )
    return 1 if tale.failed else 0


if __name__ == "__main__":
    sys.exit(main())
