"""`alchemiser config show`: every setting, its value and where it came from."""

import json
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from alchemiser_cli.console import out, reported_errors
from alchemiser_cli.workspace import open_workspace
from alchemiser_common.embedded.environment_secrets import KEY_ID, SECRET_KEY

app = typer.Typer(help="Look at the settings.", no_args_is_help=True)


@app.callback()
def config() -> None:
    """Look at the settings."""


@app.command()
def show(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False) -> None:
    """Show every setting with its value, source and meaning. Secrets are only ever 'set' or 'not set'.

    Set one in alchemiser.toml, in .env or in the environment as ALCHEMISER_<SECTION>__<FIELD>; later sources win.
    """
    with reported_errors():
        workspace = open_workspace()
        leaves = list(workspace.loaded.leaves())
        secrets = {
            name: "set (hidden)" if workspace.variables.get(name) else "not set" for name in (KEY_ID, SECRET_KEY)
        }
        if as_json:
            settings = {leaf.name: {"value": _plain(leaf.value), "source": leaf.source} for leaf in leaves}
            out.print_json(json.dumps({"settings": settings, "secrets": secrets}))
            return
        table = Table("setting", "value", "from", "meaning", box=None, header_style="bold")
        for leaf in leaves:
            style = "" if leaf.source == "default" else "bold"
            table.add_row(
                leaf.name, Text(str(_plain(leaf.value)), style=style), leaf.source, Text(leaf.help, style="dim")
            )
        for name, state in secrets.items():
            table.add_row(name, state, "environment or .env", Text("Alpaca key", style="dim"))
        out.print(table)


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
