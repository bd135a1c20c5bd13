"""`alchemiser show`: one run, from the stored records alone."""

import json
from typing import Annotated

import typer

from alchemiser_cli.console import out, reported_errors
from alchemiser_cli.history import LATEST, detail_json, find_run, read_detail
from alchemiser_cli.views import run_view
from alchemiser_cli.workspace import open_workspace
from alchemiser_common.embedded.directory_archive import DirectoryArchive
from alchemiser_common.embedded.sqlite_state import SqliteStateStore

app = typer.Typer()


@app.command()
def show(
    run: Annotated[str, typer.Argument(metavar="RUN_ID", help="Id of the run, its beginning, or `last`.")] = LATEST,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show one run: signals with reasons, decision, plan, fills and times."""
    with reported_errors():
        settings = open_workspace().settings
        state = SqliteStateStore(settings.home / "state.db")
        summary = find_run(state, settings.account_alias, run)
        detail = read_detail(state, DirectoryArchive(settings.home / "archive"), summary)
        if as_json:
            out.print_json(json.dumps(detail_json(detail)))
        else:
            out.print(run_view(detail))
