"""`alchemiser show`: one run, from the stored records alone."""

import typer

from alchemiser_cli.console import out
from alchemiser_cli.context import command
from alchemiser_cli.options import AsJson, RunArgument
from alchemiser_cli.stored_runs import LATEST, detail_json, find_run, read_detail
from alchemiser_cli.views import run_view

app = typer.Typer()


@app.command()
def show(run: RunArgument = LATEST, *, as_json: AsJson = False) -> None:
    """Show one run: signals with reasons, decision, plan, fills and times."""
    with command(as_json=as_json) as context:
        summary = find_run(context.state, context.account, run)
        detail = read_detail(context.state, context.archive, summary)
        context.emit(detail_json(detail), lambda: out.print(run_view(detail)), indent=2)
