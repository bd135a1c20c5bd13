"""`alchemiser doctor`: is a stage set up as it should be? One line a check, and what to do about each fault."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer
from rich.table import Table
from rich.text import Text

from alchemiser_cli.console import Exit, out
from alchemiser_cli.context import command
from alchemiser_cli.options import AsJson, StageOption

if TYPE_CHECKING:
    from alchemiser_cli.stage.check_result import CheckResult

app = typer.Typer()

_STYLES = {"ok": "green", "warning": "yellow", "wrong": "bold red", "unknown": "magenta", "skipped": "dim"}


@app.command()
def doctor(*, stage: StageOption, as_json: AsJson = False) -> None:
    """Examine a stage's account and deployment. Reads only; secrets are judged and never shown.

    Exit codes: 0 all is well (warnings included), 1 something is wrong, 2 the stage is not known, 3 AWS could not be
    asked (throttled, denied, out of reach), so that some checks say nothing.
    """
    with command(as_json=as_json) as context:
        from alchemiser_cli.stage.check_result import Verdict
        from alchemiser_cli.stage.doctor import run_checks

        results = run_checks(context.stage(stage))
        context.emit([result.as_json() for result in results], lambda: _print(results))
        verdicts = {result.verdict for result in results}
        if Verdict.WRONG in verdicts:
            raise typer.Exit(Exit.FAILED)
        if Verdict.UNKNOWN in verdicts:
            raise typer.Exit(Exit.UNAVAILABLE)


def _print(results: Sequence["CheckResult"]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 1))
    for result in results:
        verdict = Text(result.verdict.value, style=_STYLES[result.verdict.value], no_wrap=True)
        says = result.says + (f"; {result.remedy}" if result.remedy else "")
        table.add_row(verdict, Text(result.check, no_wrap=True), Text(says))
    out.print(table)
