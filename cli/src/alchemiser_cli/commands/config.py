"""`alchemiser config`: every setting, its value and where it came from; and whether all of them can be worked with."""

from collections.abc import Sequence

import typer
from rich.markup import escape
from rich.text import Text

from alchemiser_cli.console import out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.options import AsCsv, AsJson
from alchemiser_cli.settings_view import SettingRow, secret_rows, setting_rows

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
        rows, secrets = setting_rows(context.loaded), secret_rows(context.variables)
        settings = {row.name: {"value": row.value, "source": row.source, "meaning": row.meaning} for row in rows}
        context.emit(
            {"settings": settings, "secrets": {row.name: row.value for row in secrets}},
            lambda: _print((*rows, *secrets)),
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
        changed = [row for row in setting_rows(loaded) if row.changed]
        rows = [{"setting": row.name, "value": row.value, "source": row.source} for row in changed]
        named = ", ".join(f"{share.strategy.name} {share.fraction:.2%}" for share in shares)
        symbols = symbols_of(shares)

        def table() -> None:
            if changed:
                told = plain_table("setting", "value", "from", least=("from",), prose=("value", "from"))
                for row in changed:
                    told.add_row(row.name, Text(row.text), Text(row.source))
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


def _print(rows: Sequence[SettingRow]) -> None:
    table = plain_table(
        "setting", "value", "from", "meaning", least=("meaning", "from"), prose=("value", "from", "meaning")
    )
    for row in rows:
        value = Text(row.text, style="bold" if row.changed else "")
        table.add_row(row.name, value, Text(row.source), Text(row.meaning, style="dim"))
    out.print(table)
