"""`alchemiser config show`: every setting, its value and where it came from."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from pathlib import Path

import typer
from rich.text import Text

from alchemiser_cli.console import out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.options import AsJson
from alchemiser_common.embedded.environment_secrets import KEY_ID, SECRET_KEY
from alchemiser_common.settings_loading import SettingValue

app = typer.Typer(help="Look at the settings.", no_args_is_help=True)


@app.callback()
def config() -> None:
    """Look at the settings."""


@app.command()
def show(*, as_json: AsJson = False) -> None:
    """Show every setting with its value, source and meaning. Secrets are only ever 'set' or 'not set'.

    Set one in alchemiser.toml, in .env or in the environment as ALCHEMISER_<SECTION>__<FIELD>; later sources win.
    """
    with command(as_json=as_json) as context:
        leaves = list(context.loaded.leaves())
        secrets = {name: "set (hidden)" if context.variables.get(name) else "not set" for name in (KEY_ID, SECRET_KEY)}
        settings = {leaf.name: {"value": _plain(leaf.value), "source": leaf.source} for leaf in leaves}
        context.emit({"settings": settings, "secrets": secrets}, lambda: _print(leaves, secrets), indent=2)


def _print(leaves: Sequence[SettingValue], secrets: Mapping[str, str]) -> None:
    table = plain_table("setting", "value", "from", "meaning")
    for leaf in leaves:
        value = Text(str(_plain(leaf.value)), style="" if leaf.source == "default" else "bold")
        table.add_row(leaf.name, value, leaf.source, Text(leaf.help, style="dim"))
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
