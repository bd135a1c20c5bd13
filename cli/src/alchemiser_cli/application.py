"""The command as typer knows it: every sub-command by its name and line, its module imported when it is used."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from alchemiser_cli.catalogue import COMMANDS
from alchemiser_cli.console import drop_what_cannot_be_written, print_unexpected, show_every_character
from alchemiser_cli.interruption import told_at_once
from alchemiser_common import __version__

_HELP = """A daily multi-strategy portfolio on Alpaca: decided by pure functions, executed exactly once.

Start with `alchemiser demo`; it needs no account. Exit codes: 0 done, 1 a run ended badly, 2 wrong settings or
arguments, 3 something was out of reach, 130 interrupted."""


class _Commands(TyperGroup):
    """Names and lines for help and completion; the command itself takes its place before it is run or completed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As typer's, which imports pydantic for the value of any option, and that takes longer than all the rest."""
        if args[:1] == ["--version"]:
            typer.echo(f"alchemiser {__version__}")
            ctx.exit()
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # typer's own click, whose types have no public name
        """As typer's."""
        name = args[0]
        if name in COMMANDS:
            with told_at_once():
                self.commands[name] = _imported(name)
        return super().resolve_command(ctx, args)


def build_app() -> typer.Typer:
    """The command with all its sub-commands."""
    app = typer.Typer(cls=_Commands, no_args_is_help=True, pretty_exceptions_enable=False, help=_HELP)
    app.callback()(_root)
    for name, entry in COMMANDS.items():
        app.command(name, help=entry.line)(_not_imported)
    return app


def run_command(arguments: Sequence[str]) -> None:
    """Run what the arguments say, and end the process as it ends."""
    show_every_character()
    sys.excepthook = print_unexpected
    # Not `build_app()(...)`: that puts a hook of its own into `sys.excepthook`, which masks nothing.
    try:
        typer.main.get_command(build_app())(arguments, prog_name="alchemiser")
    finally:
        drop_what_cannot_be_written()


def _imported(name: str) -> Any:  # as above
    """The command as its module has it."""
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.callback()(_not_imported)
    part: typer.Typer = import_module(f"alchemiser_cli.commands.{COMMANDS[name].module}").app
    own = [item for item in part.registered_commands if item.callback and (item.name or item.callback.__name__) == name]
    if own and own[0].callback is not None:
        alone.command(name)(own[0].callback)
    else:
        alone.add_typer(part, name=name)
    return typer.main.get_group(alone).commands[name]


def _not_imported() -> None:
    """In a command's place until it is used."""


def _root(*, version: bool = typer.Option(False, "--version", help="Show the version.")) -> None:
    del version  # `_Commands` has shown it
