"""What a command works in: this folder's settings, what they name, and how its result is shown."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from alchemiser_cli.console import note, out, reported_errors
from alchemiser_common.settings import Backend, Environment, Settings
from alchemiser_common.settings_files import read_dotenv, read_settings
from alchemiser_common.settings_loading import LoadedSettings

if TYPE_CHECKING:
    from alchemiser_cli.stage.stage import Stage
    from alchemiser_common.adapters import Adapters
    from alchemiser_common.ports.archive import Archive
    from alchemiser_common.ports.state import StateStore


@dataclass(frozen=True)
class CommandContext:
    """The one thing a command is given. Settings and stores are read and opened when they are first asked for.

    A command that needs none thus works in a folder whose settings are wrong. `changes` are the command's own settings
    by name; they win over every other source.
    """

    as_json: bool = False
    changes: Mapping[str, object] = field(default_factory=dict)
    folder: Path = field(default_factory=Path.cwd)

    @cached_property
    def variables(self) -> Mapping[str, str]:
        """The environment over .env: they may hold secrets."""
        return {**read_dotenv(self.folder), **os.environ}

    @cached_property
    def loaded(self) -> LoadedSettings:
        """The settings with their sources. Raises InvalidSettings."""
        loaded = read_settings(os.environ, self.folder)
        settings = loaded.settings.model_copy(update=dict(self.changes))
        return LoadedSettings(settings, {**loaded.sources, **dict.fromkeys(self.changes, "command line")})

    @property
    def settings(self) -> Settings:
        """The settings. Raises InvalidSettings."""
        return self.loaded.settings

    @property
    def account(self) -> str:
        """Alias of the broker account."""
        return self.settings.account_alias

    @cached_property
    def adapters(self) -> "Adapters":
        """What the settings' backend keeps. Raises InvalidSettings."""
        from alchemiser_common.adapters import open_adapters

        return open_adapters(self.settings, self.variables)

    @cached_property
    def state(self) -> "StateStore":
        """The state store."""
        return self.adapters.state()

    @cached_property
    def archive(self) -> "Archive":
        """The archive."""
        return self.adapters.archive()

    @property
    def place(self) -> str:
        """Where the records are, for a sentence."""
        on_aws = self.settings.backend is Backend.AWS
        return f"table {self.settings.aws.table}" if on_aws else str(self.settings.home)

    def stage(self, name: str) -> "Stage":
        """A stage of deploy/samconfig.toml, whose progress is told on stderr. Raises InvalidSettings."""
        from alchemiser_cli.stage.clients import StageClients
        from alchemiser_cli.stage.config import read_stage
        from alchemiser_cli.stage.stage import Stage
        from alchemiser_common.ports.clock import SystemClock

        config = read_stage(name, self.folder)
        clients = StageClients(config.region, self.settings.aws)
        return Stage(config, clients, SystemClock(), note)

    def changed(self, **changes: object) -> "CommandContext":
        """The same with more settings of the command's own."""
        return replace(self, changes={**self.changes, **changes})

    def emit(self, data: object, table: Callable[[], None], *, indent: int | None = None) -> None:
        """Show the result: `data` as JSON (indented or on one line) if that was asked for, else what `table` prints."""
        if not self.as_json:
            table()
        elif indent is None:
            typer.echo(json.dumps(data))
        else:
            out.print_json(json.dumps(data), indent=indent, ensure_ascii=True)


@contextmanager
def command(*, as_json: bool = False, paper: bool = False, **changes: object) -> Iterator[CommandContext]:
    """What every command's body runs in: errors end it with one line and an exit code.

    `changes` are settings of the command's own, None for those that were not given; `paper` chooses the paper account.
    """
    account = {"environment": Environment.PAPER, "account_alias": "paper"} if paper else {}
    given = {name: value for name, value in changes.items() if value is not None}
    with reported_errors():
        yield CommandContext(as_json, {**account, **given})
