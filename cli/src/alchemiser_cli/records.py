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


def open_settings() -> Settings:
    """The settings of the current folder. Raises InvalidSettings."""
    return read_settings(os.environ, Path.cwd()).settings


def open_records() -> Records:
    """The records of the current folder's settings. Raises InvalidSettings."""
    settings = open_settings()
    return Records(settings, open_adapters(settings, {**read_dotenv(Path.cwd()), **os.environ}))
