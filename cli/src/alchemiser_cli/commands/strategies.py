"""`alchemiser strategies`: which there are, what they say, and whether a file is one."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from alchemiser_cli.console import out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.options import AsCsv, AsJson
from alchemiser_cli.research import Listed, choose, list_strategies
from alchemiser_common.text import printable
from alchemiser_strategy.parsers import load_symphony, to_symphony
from alchemiser_strategy.parsers.document import ParsedSymphony
from alchemiser_strategy.rules import rules_of
from alchemiser_strategy.strategy import Strategy, TreeStrategy

app = typer.Typer(help="Look at strategies.", no_args_is_help=True)


@app.callback()
def strategies() -> None:
    """Look at strategies."""


@app.command("list")
def list_(*, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List the built-in strategies and your own, with their allocation, symbols, longest history and rules' hash.

    One that cannot be used is listed with what is wrong with it; while it has no allocation it stops nothing.
    """
    with command(as_json=as_json, as_csv=as_csv) as context:
        settings = context.settings.strategies
        known = list_strategies(settings)
        rows = [
            {
                "name": item.name,
                "allocation": settings.allocations.get(item.name, 0.0),
                "universe": {} if item.strategy is None else dict(item.strategy.universe),
                "rules": "" if item.strategy is None else rules_of(item.strategy),
                "broken": item.fault,
            }
            for item in known
        ]
        context.emit(rows, lambda: _print_list(known, settings.allocations), rows=rows)


@app.command()
def show(name: Annotated[str, typer.Argument(help="Name of a strategy, or a symphony file.")]) -> None:
    """Print a strategy as symphony text."""
    with command() as context:
        (share,) = choose(context.settings.strategies, [name])
        strategy = share.strategy
        if isinstance(strategy, TreeStrategy):
            typer.echo(printable(to_symphony(strategy.symphony), keep="\n\t"))
        else:
            kind = type(strategy)
            typer.echo(f";; {strategy.name} is a Python class: {kind.__module__}.{kind.__qualname__}")


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="Symphony text or a Composer export (.clj, .edn, .json).")],
    *,
    as_json: AsJson = False,
) -> None:
    """Parse a file and say what it needs; a fault names file, line, column, operator and what was expected."""
    with command(as_json=as_json) as context:
        symphony = load_symphony(file)
        strategy = TreeStrategy(symphony, name=file.stem)
        context.emit(
            {
                "file": str(file),
                "name": symphony.name,
                "rebalance": str(symphony.rebalance),
                "nodes_written": symphony.stated,
                "nodes_after_sharing": symphony.distinct,
                "universe": dict(strategy.universe),
                "rules": rules_of(strategy),
                "warnings": list(symphony.warnings),
            },
            lambda: _print_check(file, symphony, strategy),
        )


def _longest(strategy: Strategy) -> str:
    symbol, bars = max(strategy.universe.items(), key=lambda item: item[1])
    return f"{bars} bars of {symbol}"


def _print_list(known: Iterable[Listed], allocations: Mapping[str, float]) -> None:
    table = plain_table(
        "strategy", "allocation", "symbols", "longest history", "rules", least=("rules", "longest history", "symbols")
    )
    faults: list[str] = []
    for item in known:
        fraction, strategy = allocations.get(item.name), item.strategy
        share = "off" if fraction is None else f"{fraction:.0%}"
        if strategy is None:
            table.add_row(escape(item.name), share, "", "broken", "")
            faults.append(f"{item.name} is broken: {item.fault}")
            continue
        size, rules = str(len(strategy.universe)), rules_of(strategy)[:12]
        table.add_row(escape(item.name), share, size, _longest(strategy), rules)
    out.print(table)
    for fault in faults:
        out.print(f"[yellow]{escape(fault)}[/]", soft_wrap=True)


def _print_check(file: Path, symphony: ParsedSymphony, strategy: Strategy) -> None:
    out.print(f"{escape(str(file))}: [bold]{escape(symphony.name)}[/]")
    out.print(f"{len(strategy.universe)} symbols: {', '.join(strategy.universe)}")
    out.print(
        f"longest history {_longest(strategy)}; {symphony.stated:,} nodes written, {symphony.distinct:,} after sharing"
    )
    out.print(f"rules {rules_of(strategy)}")
    for warning in symphony.warnings:
        out.print(f"[yellow]warning:[/] {escape(warning)}")
