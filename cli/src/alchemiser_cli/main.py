"""The `alchemiser` command: its sub-commands in one place."""

import typer

from alchemiser_cli.commands import config, demo, run, runs, simulator
from alchemiser_common import __version__

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A daily multi-strategy portfolio on Alpaca: decided by pure functions, executed exactly once.\n\n"
    "Start with `alchemiser demo`; it needs no account. Exit codes: 0 done, 1 a run ended badly, 2 wrong settings or "
    "arguments, 3 something was out of reach, 130 interrupted.",
)


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"alchemiser {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: bool = typer.Option(
        False, "--version", callback=lambda value: _version(wanted=value), help="Show the version."
    ),
) -> None:
    """Nothing happens without a sub-command."""


app.command()(demo.demo)
app.command()(run.run)
app.command()(runs.runs)
app.command()(runs.show)
app.add_typer(simulator.app, name="simulator")
app.add_typer(config.app, name="config")


def main() -> None:
    """Entry point."""
    app()
