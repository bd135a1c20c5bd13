"""The `alchemiser` command: its sub-commands by name, each imported only when it is used."""

import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module

import typer

from alchemiser_cli.console import print_unexpected
from alchemiser_common import __version__

COMMANDS = {
    "demo": "demo",
    "run": "run",
    "status": "status",
    "performance": "performance",
    "books": "books",
    "runs": "runs",
    "show": "show",
    "capture": "capture",
    "trace": "trace",
    "executions": "executions",
    "decide": "decide",
    "explain": "explain",
    "backtest": "backtest",
    "prices": "prices",
    "replay": "replay",
    "strategies": "strategies",
    "universe": "universe",
    "halt": "switches",
    "reduce": "switches",
    "resume": "switches",
    "account": "account",
    "authority": "authority",
    "audit": "authority",
    "reconcile": "reconcile",
    "dlq": "dead_letters",
    "simulator": "simulator",
    "parity": "parity",
    "phase": "phase",
    "config": "config",
    "invoke": "invoke",
    "stage": "stage",
    "deploy": "deploy",
    "rollback": "deploy",
    "doctor": "doctor",
    "notify": "notify",
    "serve": "serve",
}
"""Command to module, in the order a newcomer meets them. A module's `app` is a group, or holds those commands."""

_HELP = """A daily multi-strategy portfolio on Alpaca: decided by pure functions, executed exactly once.

Start with `alchemiser demo`; it needs no account. Exit codes: 0 done, 1 a run ended badly, 2 wrong settings or
arguments, 3 something was out of reach, 130 interrupted."""


def build_app(names: Iterable[str]) -> typer.Typer:
    """The command with these sub-commands."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=_HELP)
    app.callback()(_root)
    for name in names:
        _add(app, name, import_module(f"alchemiser_cli.commands.{COMMANDS[name]}").app)
    return app


def _add(app: typer.Typer, name: str, part: typer.Typer) -> None:
    for command in part.registered_commands:
        callback = command.callback
        if callback is not None and (command.name or callback.__name__) == name:
            app.command(name)(callback)
            return
    app.add_typer(part, name=name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point. Only the sub-command that is asked for is imported; help needs them all."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Read by numpy and Arrow when they are imported: nothing here multiplies matrices, and files are read once.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    sys.excepthook = print_unexpected
    named = [argument for argument in given[:1] if argument in COMMANDS]
    # Not `build_app(...)(...)`: that puts a hook of its own into `sys.excepthook`, which masks nothing.
    typer.main.get_command(build_app(named or COMMANDS))(given, prog_name="alchemiser")


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
