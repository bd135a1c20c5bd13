"""`alchemiser parity`: how the two pipelines' runs of each cycle compare, from the stored verdicts."""

from collections.abc import Sequence

import typer
from rich.markup import escape
from rich.table import Table

from alchemiser_cli.console import Exit, out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.history import list_parities, list_runs
from alchemiser_cli.options import AsJson, NewestRuns
from alchemiser_common.records.parity import Parity

app = typer.Typer()


@app.command()
def parity(limit: NewestRuns = 60, *, as_json: AsJson = False) -> None:
    """Compare what the monolith and the modular pipeline decided, cycle by cycle, newest first.

    Identical: same data, same weights. Equivalent: other data, weights within a hundredth of equity. For different and
    missing see docs/runbooks/parity-mismatch.md; exit code 1 if the newest comparison is one of those.
    """
    with command(as_json=as_json) as context:
        found = list_parities(context.state, list_runs(context.state, context.account, limit=limit))
        none = f"No cycle in {escape(context.place)} was run by both pipelines yet; phase shadow does that."
        context.emit(
            [item.model_dump(mode="json") for item in found],
            lambda: out.print(_table(found) if found else none),
            indent=2,
        )
        if found and found[0].verdict.broken:
            raise typer.Exit(Exit.FAILED)


def _table(found: Sequence[Parity]) -> Table:
    table = plain_table("cycle", "verdict", "what differs")
    for item in found:
        table.add_row(item.cycle_id, item.verdict.value, escape(item.detail))
    return table
