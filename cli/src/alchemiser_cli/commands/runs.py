"""`alchemiser runs`: the account's runs, from the stored records alone."""

import typer
from rich.markup import escape

from alchemiser_cli.console import out
from alchemiser_cli.context import command
from alchemiser_cli.options import AsCsv, AsJson, NewestRuns
from alchemiser_cli.stored_runs import list_runs, summary_json
from alchemiser_cli.views import runs_table

app = typer.Typer()


@app.command()
def runs(limit: NewestRuns = 20, *, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List the account's runs, newest first."""
    with command(as_json=as_json, as_csv=as_csv, or_demo=True) as context:
        found = list_runs(context.state, context.account, limit=limit)
        none = f"No runs of account {context.account} in {escape(context.place)} yet; `alchemiser run` makes one."
        rows = [summary_json(run) for run in found]
        context.emit(rows, lambda: out.print(runs_table(found) if found else none), rows=rows, indent=2)
