"""`alchemiser executions`: what trading cost, leg by leg and in total."""

import json
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from alchemiser_cli.console import out, reported_errors
from alchemiser_cli.demo_report import order_rows
from alchemiser_cli.history import RunSummary, list_runs
from alchemiser_cli.records import open_records
from alchemiser_cli.report.model import OrderRow
from alchemiser_cli.report.slippage import quality
from alchemiser_cli.views import shares
from alchemiser_common.ports.clock import EXCHANGE_ZONE

app = typer.Typer()


@app.command()
def executions(
    runs: Annotated[int, typer.Option(help="How many of the newest runs.", min=1)] = 20,
    symbol: Annotated[str | None, typer.Option(help="Only this symbol.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show arrival mid, fill price, slippage, steps and time of every filled leg, and the means."""
    with reported_errors():
        records = open_records()
        found = list_runs(records.state, records.settings.account_alias, limit=runs)
        rows = [row for run in found for row in _rows(run) if symbol is None or row.symbol == symbol.upper()]
        if as_json:
            typer.echo(json.dumps([_as_json(row) for row in rows]))
            return
        table = Table(
            "day",
            "symbol",
            "side",
            "quantity",
            "mid",
            "filled at",
            "slippage",
            "steps",
            "took",
            box=None,
            header_style="bold",
        )
        for row in rows:
            table.add_row(
                Text(row.day.isoformat(), no_wrap=True),
                row.symbol,
                row.side.value,
                shares(row.quantity),
                "" if row.arrival_mid is None else f"{row.arrival_mid:,.4f}",
                f"{row.price:,.4f}",
                "" if row.slippage_bps is None else f"{row.slippage_bps:+.1f} bp",
                str(row.steps),
                f"{row.seconds:.0f} s",
            )
        out.print(table)
        cost = quality(rows)
        if cost is not None:
            out.print(f"mean slippage {cost.mean_bps:+.1f} bp by value, {cost.cost:,.2f} USD in all, {len(rows)} legs")


def _rows(run: RunSummary) -> Iterator[OrderRow]:
    if run.report is not None and run.record is not None:
        day = run.record.scheduled_at.astimezone(EXCHANGE_ZONE).date()
        yield from order_rows(day, run.report)


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
