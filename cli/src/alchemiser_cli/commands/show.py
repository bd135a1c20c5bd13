"""`alchemiser show`: one run, from the stored records alone."""

import json
from typing import Annotated

import typer

from alchemiser_cli.console import out, reported_errors
from alchemiser_cli.history import LATEST, detail_json, find_run, read_detail
from alchemiser_cli.records import open_records
from alchemiser_cli.views import run_view

app = typer.Typer()


@app.command()
def show(
    run: Annotated[str, typer.Argument(metavar="RUN_ID", help="Id of the run, its beginning, or `last`.")] = LATEST,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show one run: signals with reasons, decision, plan, fills and times."""
    with reported_errors():
        records = open_records()
        summary = find_run(records.state, records.settings.account_alias, run)
        detail = read_detail(records.state, records.archive, summary)
        if as_json:
            out.print_json(json.dumps(detail_json(detail)))
        else:
            out.print(run_view(detail))
