"""`alchemiser universe`: what the enabled strategies read, as the settings that the data function needs."""

import json
import os
from typing import Annotated

import typer

from alchemiser_cli.context import command
from alchemiser_cli.options import AsJson

app = typer.Typer()


@app.command()
def universe(
    *,
    toml: Annotated[bool, typer.Option("--toml", help="Print it for alchemiser.toml instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the symbols and the lookback of the enabled strategies, as environment variables of the data function.

    The data function does not know the strategies. Deploy it with these, again after every change of the strategies:
    if they disagree, the strategy function finds a symbol missing and the run fails with its name.
    """
    with command(as_json=as_json) as context:
        from alchemiser_strategy.bootstrap import enabled_strategies

        manager = enabled_strategies(context.settings.strategies, os.environ)
        symbols = json.dumps(manager.symbols, separators=(",", ":"))
        for_toml = f"[data]\nuniverse = {symbols}\nlookback = {manager.lookback}"
        for_shell = f"ALCHEMISER_DATA__UNIVERSE={symbols}\nALCHEMISER_DATA__LOOKBACK={manager.lookback}"
        context.emit(
            {"universe": manager.symbols, "lookback": manager.lookback},
            lambda: typer.echo(for_toml if toml else for_shell),
            indent=2,
        )
