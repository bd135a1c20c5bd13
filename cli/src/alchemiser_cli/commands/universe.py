"""`alchemiser universe`: what the enabled strategies read, by symbol; and its record, where no stage writes it."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from alchemiser_cli.console import note, out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.options import AsCsv, AsJson

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer()


@app.command()
def universe(
    *,
    write: Annotated[bool, typer.Option("--write", help="Write it into the settings' state store.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Print the symbols that the enabled strategies read, each with the daily bars that are needed of it.

    The data function does not know the strategies: it reads this from the state store. On a stage `alchemiser deploy`
    writes it, from the image that goes live; --write is for a function that runs without one.
    """
    with command(as_json=as_json, as_csv=as_csv) as context:
        from alchemiser_strategy.bootstrap import enabled_strategies

        needed = dict(sorted(enabled_strategies(context.settings.strategies, os.environ).universe.items()))
        if write:
            from alchemiser_cli.stage.universe_record import settle

            done = "written to" if settle(context.new_state, context.account, needed) else "the same in"
            note(f"universe of account {context.account}: {done} {context.place}")
        rows = [{"symbol": symbol, "bars": bars} for symbol, bars in needed.items()]
        context.emit(needed, lambda: _print(needed), rows=rows, indent=2)


def _print(needed: "Mapping[str, int]") -> None:
    table = plain_table("symbol", "bars")
    for symbol, bars in needed.items():
        table.add_row(symbol, str(bars))
    out.print(table)
