"""`alchemiser universe`: what the enabled strategies read, as the settings that the data function needs."""

import json
import os
from typing import Annotated

import typer

from alchemiser_cli.console import out, reported_errors
from alchemiser_cli.records import open_settings

app = typer.Typer()


@app.command()
def universe(
    *,
    toml: Annotated[bool, typer.Option("--toml", help="Print it for alchemiser.toml instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Print the symbols and the lookback of the enabled strategies, as environment variables of the data function.

    The data function does not know the strategies. Deploy it with these, again after every change of the strategies:
    if they disagree, the strategy function finds a symbol missing and the run fails with its name.
    """
    with reported_errors():
        from alchemiser_strategy.bootstrap import enabled_strategies

        manager = enabled_strategies(open_settings().strategies, os.environ)
        symbols = json.dumps(manager.symbols, separators=(",", ":"))
        if as_json:
            out.print_json(json.dumps({"universe": manager.symbols, "lookback": manager.lookback}))
        elif toml:
            typer.echo(f"[data]\nuniverse = {symbols}\nlookback = {manager.lookback}")
        else:
            typer.echo(f"ALCHEMISER_DATA__UNIVERSE={symbols}\nALCHEMISER_DATA__LOOKBACK={manager.lookback}")
