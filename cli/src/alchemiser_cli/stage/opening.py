"""Opens a stage for a command: its file, its clients, and the console for its progress."""

import os
from pathlib import Path

from alchemiser_cli.console import note
from alchemiser_cli.stage.clients import StageClients
from alchemiser_cli.stage.config import read_stage
from alchemiser_cli.stage.deployment import Stage
from alchemiser_common.ports.clock import SystemClock
from alchemiser_common.settings_files import read_settings


def open_stage(name: str) -> Stage:
    """The stage of that name. Raises InvalidSettings."""
    folder = Path.cwd()
    config = read_stage(name, folder)
    settings = read_settings(os.environ, folder).settings
    return Stage(config, StageClients(config.region, settings.aws), SystemClock(), note, settings.strategies.folder)
