"""`alchemiser doctor`: is a deployed stage as it should be, and what is to be done if not. Changes nothing."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from alchemiser_cli.console import Exit, out, reported_errors
from alchemiser_cli.diagnosis import Verdict, examine
from alchemiser_cli.records import open_settings

app = typer.Typer()

_STYLES = {Verdict.GOOD: "green", Verdict.ODD: "yellow", Verdict.WRONG: "bold red"}


@app.command()
def doctor(
    stage: Annotated[str, typer.Option("--stage", help="dev, staging or prod; its stack is alchemiser-<stage>.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check a deployed stage: account, clock, stack, functions, images, secrets, table, archive, authority, queues.

    Exit code 1 if anything is wrong. Region and credentials are those of the AWS environment; ALCHEMISER_AWS__REGION
    names the region.
    """
    with reported_errors():
        findings = list(examine(stage, open_settings().aws, lambda: datetime.now(UTC)))
        if as_json:
            out.print_json(json.dumps([asdict(finding) for finding in findings]))
        else:
            table = Table(box=None, show_header=False)
            for finding in findings:
                table.add_row(Text(finding.verdict.value, style=_STYLES[finding.verdict]), finding.check, finding.text)
            out.print(table)
        if any(finding.verdict is Verdict.WRONG for finding in findings):
            raise typer.Exit(Exit.FAILED)
