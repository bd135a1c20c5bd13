"""`alchemiser runs`: the account's runs, from the stored records alone."""

import json
from typing import Annotated

import typer

from alchemiser_cli.console import out, reported_errors
from alchemiser_cli.history import list_runs, summary_json
from alchemiser_cli.records import open_records
from alchemiser_cli.views import runs_table

app = typer.Typer()


@app.command()
def runs(
    limit: Annotated[int, typer.Option(help="How many of the newest runs.", min=1)] = 20,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the account's runs, newest first."""
    with reported_errors():
        records = open_records()
        alias = records.settings.account_alias
        found = list_runs(records.state, alias, limit=limit)
        if as_json:
            out.print_json(json.dumps([summary_json(run) for run in found]))
        elif found:
            out.print(runs_table(found))
        else:
            out.print(f"No runs of account {alias} in {records.place} yet; `alchemiser run` makes one.")
