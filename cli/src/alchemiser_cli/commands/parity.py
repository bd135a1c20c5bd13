"""`alchemiser parity`: how the two pipelines' runs of each cycle compare and why, from the stored verdicts."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from alchemiser_cli.console import Exit, out, plain_table
from alchemiser_cli.context import CommandContext, command
from alchemiser_cli.options import MOST_RUNS, AsCsv, AsJson
from alchemiser_cli.prices_view import prices_json, prices_lines
from alchemiser_cli.stored_runs import executions_of, list_parities, list_runs
from alchemiser_common import keys
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ids import Pipeline, run_id
from alchemiser_common.ports.state import load
from alchemiser_common.records.parity import Parity
from alchemiser_readmodel.prices_beside import Execution
from alchemiser_readmodel.verdicts import VerdictView

app = typer.Typer()

Cycle = Annotated[str | None, typer.Option("--cycle", help="Only this one, with everything that differs: its id.")]
Last = Annotated[int, typer.Option("--last", help="Cycles, the newest first.", min=1, max=MOST_RUNS)]


@app.command()
def parity(cycle: Cycle = None, last: Last = 30, *, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Say of each cycle whether monolith and modular pipeline came to the same, and if not, why not.

    Identical: same data, same decision, same way there. Equivalent: only the data differ, proven by deciding again on
    the other's snapshot. Different: code or settings. Missing: a pipeline came to no plan by its deadline. What to do:
    docs/runbooks/parity-mismatch.md. With --cycle also what both sides' orders came to; the
    shadow's are simulated. Exit code 1 if the newest verdict is different or missing.
    """
    with command(as_json=as_json, as_csv=as_csv) as context:
        if cycle is not None:
            one = _of(context, cycle)
            executions = executions_of(context.state, cycle)
            told = {**one.model_dump(mode="json"), "prices": prices_json(*executions)}
            view = VerdictView.of(one)
            rows = [
                {"where": item.where, "monolith": item.monolith, "modular": item.modular} for item in view.differences
            ]
            context.emit(told, lambda: _print_one(view, *executions), rows=rows, indent=2)
            found: Sequence[Parity] = [one]
        else:
            runs = list_runs(context.state, context.account, limit=2 * last)
            found = list_parities(context.state, context.account, runs)[:last]
            none = f"No cycle in {escape(context.place)} was run by both pipelines yet; phase shadow does that."
            listed = [item.model_dump(mode="json") for item in found]
            context.emit(
                listed,
                lambda: out.print(_table(list(map(VerdictView.of, found))) if found else none),
                rows=listed,
                indent=2,
            )
        if found and found[0].verdict.broken:
            raise typer.Exit(Exit.FAILED)


def _of(context: CommandContext, cycle: str) -> Parity:
    """The verdict on a cycle. Raises InvalidSettings if there is none."""
    known = load(context.state, keys.parity_record(run_id(cycle, Pipeline.MODULAR)), Parity)
    if known is None:
        raise InvalidSettings(f"cycle {cycle} has no verdict; `alchemiser parity` lists those that have one")
    return known.value


def _table(found: Sequence[VerdictView]) -> Table:
    table = plain_table("cycle", "verdict", "by", "what differs", prose=("what differs",))
    for item in found:
        table.add_row(item.cycle_id, item.verdict.value, item.by, escape(item.line))
    return table


def _print_one(found: VerdictView, monolith: Execution, modular: Execution) -> None:
    cause = f", by {found.by}" if found.by else ""
    out.print(f"{found.cycle_id} is [bold]{found.verdict.value}[/]{cause}, judged {found.judged:%Y-%m-%d %H:%M:%S} UTC")
    for line in found.lacking:
        out.print(f"  {escape(line)}", soft_wrap=True)
    if found.differences:
        table = plain_table("where", "monolith", "modular", prose=("monolith", "modular"))
        for item in found.differences:
            table.add_row(*(escape(text) for text in (item.where, item.monolith, item.modular)))
        out.print(table)
    if found.remark:
        out.print(f"  {escape(found.remark)}", soft_wrap=True)
    for part in prices_lines(monolith, modular):
        out.print(part)
