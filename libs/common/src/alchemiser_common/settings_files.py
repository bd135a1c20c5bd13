"""Where settings are read from: a folder's files and an environment, both handed in."""

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from alchemiser_common.errors import InvalidSettings
from alchemiser_common.settings_loading import SETTINGS_FILE, LoadedSettings, load_settings

PORTFOLIO_FOLDER = "strategies"
"""Where a person's strategies with their settings lie, below the working folder; in an image too."""


def read_settings(
    environment: Mapping[str, str], folder: Path, command_line: Mapping[str, object] | None = None
) -> LoadedSettings:
    """Settings from `strategies/alchemiser.toml`, `alchemiser.toml` (or the file ALCHEMISER_CONFIG names), .env, the
    environment and the command line; later ones win. Where there is a folder `strategies`, `strategies.folder` is it
    by default.
    """
    named = environment.get("ALCHEMISER_CONFIG")
    usual = folder / SETTINGS_FILE
    file = Path(named) if named else usual if usual.exists() else None
    own = folder / PORTFOLIO_FOLDER
    return load_settings(
        environment,
        file=file,
        dotenv=read_dotenv(folder),
        portfolio=own if own.is_dir() else None,
        command_line=command_line,
    )


def read_dotenv(folder: Path) -> dict[str, str]:
    """The variables in the folder's .env, if there is one. Raises InvalidSettings if it cannot be read."""
    file = folder / ".env"
    try:
        return {name: value for name, value in dotenv_values(file).items() if value is not None}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"settings file {file} cannot be read: {error}") from error
