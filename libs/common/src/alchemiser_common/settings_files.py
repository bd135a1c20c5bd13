"""Where settings are read from: a folder's files and an environment, both handed in."""

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from alchemiser_common.errors import InvalidSettings
from alchemiser_common.settings_loading import LoadedSettings, load_settings


def read_settings(environment: Mapping[str, str], folder: Path) -> LoadedSettings:
    """Settings from `alchemiser.toml` (or the file ALCHEMISER_CONFIG names), .env and the environment."""
    named = environment.get("ALCHEMISER_CONFIG")
    usual = folder / "alchemiser.toml"
    file = Path(named) if named else usual if usual.exists() else None
    return load_settings(environment, file=file, dotenv=read_dotenv(folder))


def read_dotenv(folder: Path) -> dict[str, str]:
    """The variables in the folder's .env, if there is one. Raises InvalidSettings if it cannot be read."""
    file = folder / ".env"
    try:
        return {name: value for name, value in dotenv_values(file).items() if value is not None}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"settings file {file} cannot be read: {error}") from error
