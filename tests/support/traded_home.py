"""A home in which a few sessions were traded, and what the dashboard reads of it."""

import json
from contextlib import chdir
from pathlib import Path

from alchemiser_cli.commands.dashboard import source_of
from alchemiser_cli.context import CommandContext
from alchemiser_cli.dashboard.source import Source
from support.command import alchemiser

EXTRA = {"ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"tecl": 0.6, "nuclear": 0.4}'}


def traded_home(folder: Path, sessions: int = 3) -> Path:
    """The folder, in which so many sessions were traded on the simulated exchange."""
    for number in range(sessions):
        ran = alchemiser(folder, "run", *(["--next"] if number else []), "--json", extra=EXTRA)
        assert json.loads(ran.out)["status"] == "completed", ran.err
    return folder


def source(folder: Path) -> Source:
    """As the command makes it there."""
    with chdir(folder):
        return source_of(CommandContext(changes={"home": folder / ".alchemiser"}, folder=folder))
