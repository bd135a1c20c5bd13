"""`alchemiser doctor`: is a stage set up as it should be? One line a check, and what to do about each fault."""

import json
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from alchemiser_cli.console import Exit, out, reported_errors

app = typer.Typer()

_STYLES = {"ok": "green", "warning": "yellow", "wrong": "bold red", "unknown": "magenta", "skipped": "dim"}


@app.command()
def doctor(
    *,
    stage: Annotated[str, typer.Option(help="A stage of deploy/samconfig.toml: dev, staging, prod.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Examine a stage's account and deployment. Reads only; secrets are judged and never shown.

    Exit codes: 0 all is well (warnings included), 1 something is wrong, 2 the stage is not known, 3 AWS could not be
    asked (throttled, denied, out of reach), so that some checks say nothing.
    """
    with reported_errors():
        from alchemiser_cli.stage.check_result import Verdict
        from alchemiser_cli.stage.doctor import examine
        from alchemiser_cli.stage.opening import open_stage

        findings = examine(open_stage(stage))
        if as_json:
            typer.echo(json.dumps([finding.as_json() for finding in findings]))
        else:
            table = Table(box=None, show_header=False, padding=(0, 1))
            for finding in findings:
                says = finding.says + (f"; {finding.remedy}" if finding.remedy else "")
                verdict = finding.verdict.value
                style = _STYLES[verdict]
                table.add_row(Text(verdict, style=style, no_wrap=True), Text(finding.check, no_wrap=True), Text(says))
            out.print(table)
        verdicts = {finding.verdict for finding in findings}
        if Verdict.WRONG in verdicts:
            raise typer.Exit(Exit.FAILED)
        if Verdict.UNKNOWN in verdicts:
            raise typer.Exit(Exit.UNAVAILABLE)
