"""`alchemiser show`: one run, from the stored records alone."""

import typer

from alchemiser_cli.console import out
from alchemiser_cli.context import command
from alchemiser_cli.options import AsCsv, AsJson, RunArgument
from alchemiser_cli.stored_runs import LATEST, detail_json, find_run, read_detail
from alchemiser_cli.views import legs_rows, run_view

app = typer.Typer()


@app.command()
def show(run: RunArgument = LATEST, *, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Show one run: signals with reasons, decision, plan, fills and times.

    As CSV its legs, a line each.
    """
    with command(as_json=as_json, as_csv=as_csv, or_demo=True) as context:
        summary = find_run(context.state, context.account, run)
        detail = read_detail(context.state, context.archive, summary)
        context.emit(detail_json(detail), lambda: out.print(run_view(detail)), rows=legs_rows(summary.report), indent=2)
