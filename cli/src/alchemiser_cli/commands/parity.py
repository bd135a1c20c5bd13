"""`alchemiser parity`: how the two pipelines' runs of each cycle compare, from the stored verdicts."""

import json
from typing import Annotated

import typer
from rich.table import Table

from alchemiser_cli.console import Exit, out, reported_errors
from alchemiser_cli.history import list_parities, list_runs
from alchemiser_cli.records import open_records

app = typer.Typer()


@app.command()
def parity(
    limit: Annotated[int, typer.Option(help="How many of the newest runs to look at.", min=1)] = 60,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Compare what the monolith and the modular pipeline decided, cycle by cycle, newest first.

    Identical: same data, same weights. Equivalent: other data, weights within a hundredth of equity. For different and
    missing see docs/runbooks/parity-mismatch.md; exit code 1 if the newest comparison is one of those.
    """
    with reported_errors():
        records = open_records()
        found = list_parities(records.state, list_runs(records.state, records.settings.account_alias, limit=limit))
        if as_json:
            out.print_json(json.dumps([item.model_dump(mode="json") for item in found]))
        elif found:
            table = Table(box=None)
            for heading in ("cycle", "verdict", "what differs"):
                table.add_column(heading)
            for item in found:
                table.add_row(item.cycle_id, item.verdict.value, item.detail)
            out.print(table)
        else:
            out.print(f"No cycle in {records.place} was run by both pipelines yet; phase shadow does that.")
        if found and found[0].verdict.broken:
            raise typer.Exit(Exit.FAILED)
