"""`alchemiser doctor`: is a stage, or this machine, set up as it should be? One line a check, with what to do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from alchemiser_cli.console import Exit, out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.options import AsCsv, AsJson

if TYPE_CHECKING:
    from alchemiser_cli.stage.check_result import CheckResult

app = typer.Typer()

_STYLES = {"ok": "green", "warning": "yellow", "wrong": "bold red", "unknown": "magenta", "skipped": "dim"}


@app.command()
def doctor(
    *,
    stage: Annotated[
        str | None, typer.Option(help="A stage of deploy/samconfig.toml; without it this folder's settings.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Examine a stage's account, deployment and portfolio; without --stage the portfolio of this folder's settings.

    Reads only; secrets are judged and never shown. Exit codes: 0 all is well (warnings included), 1 something is wrong,
    2 stage or settings are not usable, 3 AWS or the broker could not be asked (throttled, denied, out of reach), so
    that some checks say nothing.
    """
    with command(as_json=as_json, as_csv=as_csv) as context:
        from alchemiser_cli.stage.check_result import Verdict

        if stage is None:
            from alchemiser_cli.local_doctor import run_local_checks

            results = run_local_checks(context)
        else:
            from alchemiser_cli.stage.doctor import run_checks

            results = run_checks(context.stage(stage))
        rows = [result.as_json() for result in results]
        context.emit(rows, lambda: _print(results), rows=rows)
        verdicts = {result.verdict for result in results}
        if Verdict.WRONG in verdicts:
            raise typer.Exit(Exit.FAILED)
        if Verdict.UNKNOWN in verdicts:
            raise typer.Exit(Exit.UNAVAILABLE)


def _print(results: Sequence["CheckResult"]) -> None:
    table = plain_table("verdict", "check", "says", prose=("says",))
    table.show_header = False
    for result in results:
        verdict = Text(result.verdict.value, style=_STYLES[result.verdict.value])
        says = result.says + (f"; {result.remedy}" if result.remedy else "")
        table.add_row(verdict, result.check, Text(says))
    out.print(table)
