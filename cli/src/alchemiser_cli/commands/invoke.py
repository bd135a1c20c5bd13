"""`alchemiser invoke`: a captured case put to a staged function, as a dry run."""

from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from alchemiser_cli.console import Exit, out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.options import AsCsv, AsJson, StageArgument

if TYPE_CHECKING:
    from alchemiser_cli.stage.case_check import Answered

app = typer.Typer()


@app.command()
def invoke(
    stage: StageArgument,
    service: Annotated[str, typer.Argument(help="The function that is asked: data, strategy or trading.")],
    case: Annotated[
        str, typer.Option(help="A captured case: its folder, or the name of one in `cases` or of this checkout.")
    ],
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Ask a stage's live function for what it would do with a captured case, and compare with what was recorded.

    Data reads the bars of the case's session, strategy decides on its snapshot, trading plans for its decision from its
    account. Nothing is sent onwards, recorded or traded. Exit code 0 if both answers are the same, 1 if they differ.
    """
    with command(as_json=as_json, as_csv=as_csv) as context:
        from alchemiser_cli.cases.files import read_case
        from alchemiser_cli.cases.known import find_case
        from alchemiser_cli.stage.candidate import ALIAS
        from alchemiser_cli.stage.case_check import CHECKS
        from alchemiser_cli.stage.invoker import LambdaInvoker
        from alchemiser_common.errors import InvalidSettings

        if service not in CHECKS:
            raise InvalidSettings(f"service is {service!r}; give one of {', '.join(CHECKS)}")
        on = context.stage(stage)
        found = read_case(find_case(case, on.config.cases))
        name = on.deployed().function(service)
        if name is None:
            raise InvalidSettings(f"stage {stage} has no {service} function in phase {on.deployed().phase}")
        answered = CHECKS[service](LambdaInvoker(on.clients.functions, name, ALIAS), found)
        context.emit(
            {
                "service": service,
                "same": not answered.differences,
                "recorded": list(answered.recorded),
                "answered": list(answered.answered),
                "differences": list(answered.differences),
                "note": answered.note,
            },
            lambda: _print(service, answered),
            rows=[{"then": then, "now": now} for then, now in _sides(answered)],
            indent=2,
        )
        if answered.differences:
            raise typer.Exit(Exit.FAILED)


def _sides(answered: "Answered") -> list[tuple[str, str]]:
    """What was recorded beside what was answered, line by line."""
    return list(zip_longest(answered.recorded, answered.answered, fillvalue=""))


def _print(service: str, answered: "Answered") -> None:
    table = plain_table(f"{service} then", "now", prose=(f"{service} then", "now"))
    for then, now in _sides(answered):
        table.add_row(escape(then), escape(now))
    out.print(table)
    for line in answered.differences:
        out.print(f"[bold red]different[/]: {escape(line)}")
    if not answered.differences:
        out.print("[green]the same[/]")
    if answered.note:
        out.print(escape(answered.note), style="dim")
