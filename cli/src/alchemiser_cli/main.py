"""The `alchemiser` command: its sub-commands by name, each imported only when it is used."""

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module

import typer

from alchemiser_common import __version__

_COMMANDS = (
    "demo",
    "run",
    "runs",
    "show",
    "decide",
    "explain",
    "backtest",
    "replay",
    "strategies",
    "simulator",
    "config",
)
"""In the order a newcomer meets them; each is a module with an `app` of one command, or of a group of them."""

_HELP = """A daily multi-strategy portfolio on Alpaca: decided by pure functions, executed exactly once.

Start with `alchemiser demo`; it needs no account. Exit codes: 0 done, 1 a run ended badly, 2 wrong settings or
arguments, 3 something was out of reach, 130 interrupted."""


def build_app(names: Iterable[str]) -> typer.Typer:
    """The command with these sub-commands."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=_HELP)
    app.callback()(_root)
    for name in names:
        part: typer.Typer = import_module(f"alchemiser_cli.commands.{name}").app
        single = part.registered_commands[0].callback if part.registered_callback is None else None
        if single is not None:
            app.command(name)(single)
        else:
            app.add_typer(part, name=name)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point. Only the sub-command that is asked for is imported; help needs them all."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    named = [argument for argument in given[:1] if argument in _COMMANDS]
    build_app(named or _COMMANDS)(given, prog_name="alchemiser")


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"alchemiser {__version__}")
        raise typer.Exit


def _root(
    *,
    version: bool = typer.Option(
        False,
        "--version",
        callback=lambda value: _version(wanted=value),
        help="Show the version.",
    ),
) -> None:
    del version  # its callback has done it
