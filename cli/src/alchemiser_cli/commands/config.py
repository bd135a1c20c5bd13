"""`alchemiser config`: every setting, its value and where it came from; and whether all of them can be worked with."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path

import typer
from rich.markup import escape
from rich.text import Text

from alchemiser_cli.console import out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.options import AsCsv, AsJson
from alchemiser_common.embedded.environment_secrets import KEY_ID, SECRET_KEY
from alchemiser_common.settings_loading import SettingValue

app = typer.Typer(help="Look at the settings.", no_args_is_help=True)


@app.callback()
def config() -> None:
    """Look at the settings."""


@app.command()
def show(*, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Show every setting with its value, source and meaning. Secrets are only ever 'set' or 'not set'.

    Set one in alchemiser.toml, in .env or in the environment as ALCHEMISER_<SECTION>__<FIELD>; later sources win.
    """
    with command(as_json=as_json, as_csv=as_csv) as context:
        leaves = list(context.loaded.leaves())
        secrets = {name: "set (hidden)" if context.variables.get(name) else "not set" for name in (KEY_ID, SECRET_KEY)}
        settings = {
            leaf.name: {"value": _plain(leaf.value), "source": leaf.source, "meaning": leaf.help} for leaf in leaves
        }
        context.emit(
            {"settings": settings, "secrets": secrets},
            lambda: _print(leaves, secrets),
            rows=[{"setting": name, **told} for name, told in settings.items()],
            indent=2,
        )


@app.command()
def check(*, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Check the settings of this folder and its environment: every name known, every value allowed, strategies there.

    Lists what was set, and where. Asks no broker; `alchemiser doctor` does. Exit code 2 with every fault if there is
    one.
    """
    with command(as_json=as_json, as_csv=as_csv) as context:
        from alchemiser_cli.research import choose, symbols_of

        loaded = context.loaded
        shares = choose(loaded.settings.strategies, [])
        changed = [leaf for leaf in loaded.leaves() if leaf.source != "default"]
        rows = [{"setting": leaf.name, "value": _plain(leaf.value), "source": leaf.source} for leaf in changed]
        named = ", ".join(f"{share.strategy.name} {share.fraction:.2%}" for share in shares)
        symbols = symbols_of(shares)

        def table() -> None:
            if changed:
                told = plain_table("setting", "value", "from", least=("from",), prose=("value", "from"))
                for leaf in changed:
                    told.add_row(leaf.name, Text(_shown(leaf.value)), Text(leaf.source))
                out.print(told)
            out.print(f"strategies: {escape(named)}; they read {len(symbols)} symbols")
            out.print(f"[green]all is well:[/] {len(changed)} settings are set, the others have their defaults")

        context.emit(
            {
                "settings": rows,
                "strategies": {share.strategy.name: share.fraction for share in shares},
                "symbols": list(symbols),
            },
            table,
            rows=rows,
            indent=2,
        )


def _print(leaves: Sequence[SettingValue], secrets: Mapping[str, str]) -> None:
    table = plain_table(
        "setting", "value", "from", "meaning", least=("meaning", "from"), prose=("value", "from", "meaning")
    )
    for leaf in leaves:
        value = Text(_shown(leaf.value), style="" if leaf.source == "default" else "bold")
        table.add_row(leaf.name, value, Text(leaf.source), Text(leaf.help, style="dim"))
    for name, state in secrets.items():
        table.add_row(name, state, "environment or .env", Text("Alpaca key", style="dim"))
    out.print(table)


def _shown(value: object) -> str:
    plain = _plain(value)
    return json.dumps(plain) if isinstance(plain, dict | list) else str(plain)


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal | Path | date):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
