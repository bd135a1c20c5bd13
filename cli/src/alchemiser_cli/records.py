"""The records and archived objects of this folder's settings, wherever the backend keeps them."""

import os
from dataclasses import dataclass
from pathlib import Path

from alchemiser_common.adapters import Adapters, open_adapters
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.state import StateStore
from alchemiser_common.settings import Backend, Settings
from alchemiser_common.settings_files import read_dotenv, read_settings


@dataclass(frozen=True, slots=True)
class Records:
    """Settings with the stores they name, opened when asked for."""

    settings: Settings
    adapters: Adapters

    @property
    def state(self) -> StateStore:
        """The state store."""
        return self.adapters.state()

    @property
    def archive(self) -> Archive:
        """The archive."""
        return self.adapters.archive()

    @property
    def place(self) -> str:
        """Where that is, for a sentence."""
        on_aws = self.settings.backend is Backend.AWS
        return f"table {self.settings.aws.table}" if on_aws else str(self.settings.home)


def open_records() -> Records:
    """Those of the current folder. Raises InvalidSettings."""
    folder = Path.cwd()
    settings = read_settings(os.environ, folder).settings
    return Records(settings, open_adapters(settings, {**read_dotenv(folder), **os.environ}))
