"""`alchemiser executions`: what trading cost, leg by leg and in total."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text

from alchemiser_cli import formats
from alchemiser_cli.console import out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.demo_report import executed_orders
from alchemiser_cli.options import AsCsv, AsJson, NewestRuns
from alchemiser_cli.report.model import OrderRow
from alchemiser_cli.report.slippage import quality
from alchemiser_cli.stored_runs import list_runs

app = typer.Typer()


@app.command()
def executions(
    runs: NewestRuns = 20,
    symbol: Annotated[str | None, typer.Option(help="Only this symbol.")] = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show arrival mid, fill price, slippage, steps and time of every filled leg, and the means."""
    with command(as_json=as_json, as_csv=as_csv, or_demo=True) as context:
        found = list_runs(context.state, context.account, limit=runs)
        rows = [row for row in executed_orders(found) if symbol is None or row.symbol == symbol.upper()]
        told = [_as_json(row) for row in rows]
        context.emit(told, lambda: _print(rows), rows=told)


def _as_json(row: OrderRow) -> dict[str, object]:
    return {
        "day": row.day.isoformat(),
        "symbol": row.symbol,
        "side": row.side.value,
        "quantity": str(row.quantity),
        "price": str(row.price),
        "arrival_mid": None if row.arrival_mid is None else str(row.arrival_mid),
        "slippage_bps": None if row.slippage_bps is None else float(row.slippage_bps),
        "steps": row.steps,
        "seconds": row.seconds,
    }


def _print(rows: Sequence[OrderRow]) -> None:
    table = plain_table(
        "day",
        "symbol",
        "side",
        "quantity",
        "mid",
        "filled at",
        "slippage",
        "steps",
        "took",
        least=("took", "steps", "mid"),
    )
    for row in rows:
        table.add_row(
            Text(row.day.isoformat(), no_wrap=True),
            row.symbol,
            row.side.value,
            formats.shares(row.quantity),
            formats.price(row.arrival_mid),
            formats.price(row.price),
            formats.slippage(row.slippage_bps),
            str(row.steps),
            f"{row.seconds:.0f} s",
        )
    out.print(table)
    cost = quality(rows)
    if cost is not None:
        mean, total = formats.slippage(cost.mean_bps), formats.amount(cost.cost)
        out.print(f"mean slippage {mean} by value, {total} USD in all, {len(rows)} legs")
