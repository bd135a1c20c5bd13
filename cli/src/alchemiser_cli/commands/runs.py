"""`alchemiser runs` and `alchemiser show`: what happened, from the stored records alone."""

import json
from typing import Annotated

import typer

from alchemiser_cli.console import out, reported_errors
from alchemiser_cli.history import LATEST, RunDetail, RunSummary, find_run, list_runs, read_detail
from alchemiser_cli.views import run_view, runs_table
from alchemiser_cli.workspace import open_workspace
from alchemiser_common.embedded.directory_archive import DirectoryArchive
from alchemiser_common.embedded.sqlite_state import SqliteStateStore

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def runs(
    limit: Annotated[int, typer.Option(help="How many of the newest runs.", min=1)] = 20, *, as_json: AsJson = False
) -> None:
    """List the account's runs, newest first."""
    with reported_errors():
        settings = open_workspace().settings
        found = list_runs(SqliteStateStore(settings.home / "state.db"), settings.account_alias, limit=limit)
        if as_json:
            out.print_json(json.dumps([_summary_json(run) for run in found]))
        elif found:
            out.print(runs_table(found))
        else:
            out.print(
                f"No runs of account {settings.account_alias} in {settings.home} yet; `alchemiser run` makes one."
            )


def show(
    run: Annotated[str, typer.Argument(metavar="RUN_ID", help="Id of the run, its beginning, or `last`.")] = LATEST,
    *,
    as_json: AsJson = False,
) -> None:
    """Show one run: signals with reasons, decision, plan, fills and times."""
    with reported_errors():
        settings = open_workspace().settings
        state = SqliteStateStore(settings.home / "state.db")
        summary = find_run(state, settings.account_alias, run)
        detail = read_detail(state, DirectoryArchive(settings.home / "archive"), summary)
        if as_json:
            out.print_json(json.dumps(_detail_json(detail)))
        else:
            out.print(run_view(detail))


def _summary_json(run: RunSummary) -> dict[str, object]:
    return {
        "run_id": str(run.run_id),
        "cycle_id": run.cycle_id,
        "pipeline": run.pipeline,
        "status": run.status,
        "reason": run.reason,
        "orders_placed": run.report.orders_placed if run.report is not None else None,
    }


def _detail_json(run: RunDetail) -> dict[str, object]:
    parts = {"decision": run.decision, "plan": run.plan, "report": run.summary.report}
    return {
        **_summary_json(run.summary),
        **{name: part.model_dump(mode="json") if part is not None else None for name, part in parts.items()},
        "intents": [intent.model_dump(mode="json") for intent in run.intents],
    }
