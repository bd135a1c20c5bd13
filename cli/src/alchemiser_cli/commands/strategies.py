"""`alchemiser strategies`: which there are, what they say, and whether a file is one."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from alchemiser_cli.console import out, reported_errors
from alchemiser_cli.research import choose, load_strategies
from alchemiser_common.settings_files import read_settings
from alchemiser_strategy.parsers import load_symphony, to_symphony
from alchemiser_strategy.strategy import TreeStrategy

app = typer.Typer(help="Look at strategies.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.callback()
def strategies() -> None:
    """Look at strategies."""


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the built-in strategies and your own, with their allocation, symbols and lookback."""
    with reported_errors():
        settings = read_settings(os.environ, Path.cwd()).settings.strategies
        known = load_strategies(settings)
        rows = [
            {
                "name": strategy.name,
                "allocation": settings.allocations.get(strategy.name, 0.0),
                "symbols": list(strategy.symbols),
                "lookback": strategy.lookback,
            }
            for strategy in known.values()
        ]
        if as_json:
            typer.echo(json.dumps(rows))
            return
        table = Table("strategy", "allocation", "symbols", "lookback", box=None, header_style="bold")
        for name, strategy in known.items():
            fraction = settings.allocations.get(name)
            table.add_row(
                name,
                "off" if fraction is None else f"{fraction:.0%}",
                str(len(strategy.symbols)),
                f"{strategy.lookback} bars",
            )
        out.print(table)


@app.command()
def show(name: Annotated[str, typer.Argument(help="Name of a strategy, or a symphony file.")]) -> None:
    """Print a strategy as symphony text."""
    with reported_errors():
        (share,) = choose(read_settings(os.environ, Path.cwd()).settings.strategies, [name])
        strategy = share.strategy
        if isinstance(strategy, TreeStrategy):
            typer.echo(to_symphony(strategy.symphony))
        else:
            typer.echo(
                f";; {strategy.name} is a Python class: {type(strategy).__module__}.{type(strategy).__qualname__}"
            )


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="Symphony text (.clj, .edn) or a Composer export (.json).")],
    *,
    as_json: AsJson = False,
) -> None:
    """Parse a file and say what it needs; a fault names file, line, column, operator and what was expected."""
    with reported_errors():
        symphony = load_symphony(file)
        strategy = TreeStrategy(symphony, name=file.stem)
        facts: dict[str, object] = {
            "file": str(file),
            "name": symphony.name,
            "rebalance": str(symphony.rebalance),
            "lookback": strategy.lookback,
            "nodes_written": symphony.stated,
            "nodes_after_sharing": symphony.distinct,
            "symbols": list(strategy.symbols),
            "warnings": list(symphony.warnings),
        }
        if as_json:
            typer.echo(json.dumps(facts))
            return
        out.print(f"{file}: [bold]{symphony.name}[/]")
        out.print(f"{len(strategy.symbols)} symbols: {', '.join(strategy.symbols)}")
        out.print(
            f"lookback {strategy.lookback} bars; {symphony.stated:,} nodes written, {symphony.distinct:,} after sharing"
        )
        for warning in symphony.warnings:
            out.print(f"[yellow]warning:[/] {warning}")
