"""What a command works in: this folder's settings, what they name, and how its result is shown."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from alchemiser_cli.console import note, out, reported_errors
from alchemiser_cli.csv_rows import csv_text
from alchemiser_common.embedded.environment_secrets import KEY_ID, SECRET_KEY
from alchemiser_common.masking import mask_from_now_on, masked
from alchemiser_common.settings import Backend, Environment, Settings
from alchemiser_common.settings_files import read_dotenv, read_settings
from alchemiser_common.settings_loading import LoadedSettings

if TYPE_CHECKING:
    from alchemiser_cli.stage.stage import Stage
    from alchemiser_common.adapters import Adapters
    from alchemiser_common.embedded.sqlite_state import SqliteStateStore
    from alchemiser_common.ports.archive import Archive
    from alchemiser_common.ports.state import StateStore


@dataclass(frozen=True)
class CommandContext:
    """The one thing a command is given. Settings and stores are read and opened when they are first asked for.

    A command that needs none thus works in a folder whose settings are wrong. `changes` are the command's own settings
    by name; they win over every other source.
    """

    as_json: bool = False
    as_csv: bool = False
    changes: Mapping[str, object] = field(default_factory=dict)
    folder: Path = field(default_factory=Path.cwd)

    @cached_property
    def variables(self) -> Mapping[str, str]:
        """The environment over .env. A broker's key among them is masked in all output from now on."""
        found = {**read_dotenv(self.folder), **os.environ}
        for name in (KEY_ID, SECRET_KEY):
            mask_from_now_on(found.get(name, ""))
        return found

    @cached_property
    def loaded(self) -> LoadedSettings:
        """The settings with their sources. Raises InvalidSettings."""
        _ = self.variables  # what is said of wrong settings masks the key
        return read_settings(os.environ, self.folder, self.changes)

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
        """The store, in which the account is known: nothing is made. What is acted on is said first.

        Raises InvalidSettings if there is no store, or no such account in it.
        """
        store = self.home_state
        if self.settings.backend is Backend.EMBEDDED:
            from alchemiser_cli.home import require_account

            require_account(self._existing, self.account, self.settings.home)
        return store

    @cached_property
    def home_state(self) -> "StateStore":
        """The store with whatever accounts it has; nothing is made. What is acted on is said first.

        Raises InvalidSettings if there is none.
        """
        self.say_place()
        return self.adapters.state() if self.settings.backend is Backend.AWS else self._existing

    @cached_property
    def new_state(self) -> "StateStore":
        """The store, made if absent: for what must be there before the first run, as authority over a live account."""
        self.say_place()
        return self.adapters.state()

    @property
    def has_store(self) -> bool:
        """Whether there is a store to look into; on AWS there is."""
        from alchemiser_common.embedded.adapters import STATE_FILE

        return self.settings.backend is Backend.AWS or (self.settings.home / STATE_FILE).is_file()

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that the store keeps; a table on AWS has one. Raises as `home_state`."""
        if self.settings.backend is Backend.AWS:
            return (self.account,)
        from alchemiser_cli.home import accounts_in

        return accounts_in(self._existing)

    @cached_property
    def _existing(self) -> "SqliteStateStore":
        from alchemiser_cli.home import existing_store

        return existing_store(self.settings.home)

    def say_place(self) -> None:
        """On stderr: where the command acts, in which environment, on which account."""
        note(f"{self.place}, environment {self.settings.environment.value}, account {self.account}")

    @cached_property
    def archive(self) -> "Archive":
        """The archive."""
        return self.adapters.archive()

    @property
    def place(self) -> str:
        """Where the records are, for a sentence."""
        on_aws = self.settings.backend is Backend.AWS
        return f"table {self.settings.aws.table}" if on_aws else f"home {self.settings.home.resolve()}"

    def stage(self, name: str) -> "Stage":
        """A stage of deploy/samconfig.toml, whose progress is told on stderr. Raises InvalidSettings."""
        from alchemiser_cli.stage.clients import StageClients
        from alchemiser_cli.stage.config import read_stage
        from alchemiser_cli.stage.stage import Stage
        from alchemiser_common.ports.clock import SystemClock

        config = read_stage(name, self.folder)
        clients = StageClients(config.region, self.settings.aws)
        return Stage(config, clients, SystemClock(), note, self.settings.broker)

    def changed(self, **changes: object) -> "CommandContext":
        """The same with more settings of the command's own."""
        return replace(self, changes={**self.changes, **changes})

    def or_demo(self) -> "CommandContext":
        """For who only looks: in a simulated home in which nothing was run, the demo that was run last, and it says so.

        A home that has an account of its own is never left for a demo's.
        """
        from alchemiser_cli.home import latest_demo

        own = self.settings.backend is Backend.EMBEDDED and self.settings.environment is Environment.SIMULATED
        demo = latest_demo(self.settings.home) if own and not self.has_store else None
        if demo is None:
            return self
        note(f"nothing but demos was run in home {self.settings.home.resolve()}; this is the latest of them:")
        return self.changed(home=demo, account_alias=Environment.SIMULATED.default_alias)

    def emit(
        self,
        data: object,
        table: Callable[[], None],
        *,
        rows: Iterable[Mapping[str, object]] = (),
        indent: int | None = None,
    ) -> None:
        """Show the result: as JSON `data` (indented or on one line), as CSV the `rows`, else what `table` prints.

        A command with rows takes --csv. What they hold is what the JSON holds, in full, and not as a person reads it.
        """
        if self.as_csv:
            typer.echo(masked(csv_text(rows)), nl=False)
        elif not self.as_json:
            table()
        elif indent is None:
            typer.echo(masked(json.dumps(data)))
        else:
            out.print_json(masked(json.dumps(data)), indent=indent, ensure_ascii=True)


@contextmanager
def command(
    *, as_json: bool = False, as_csv: bool = False, paper: bool = False, or_demo: bool = False, **changes: object
) -> Iterator[CommandContext]:
    """What every command's body runs in: errors end it with one line and an exit code.

    `changes` are settings of the command's own, None for those that were not given; `paper` chooses the paper account,
    `or_demo` a demo's home as `CommandContext.or_demo` does.
    """
    account = {"environment": Environment.PAPER} if paper else {}
    given = {name: value for name, value in changes.items() if value is not None}
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv: give one of them")
    with reported_errors():
        context = CommandContext(as_json, as_csv, {**account, **given})
        yield context.or_demo() if or_demo else context
