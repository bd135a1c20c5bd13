"""`alchemiser reconcile`: the strategies' books against what the broker holds."""

import getpass
import json
from typing import Annotated

import typer
from rich.table import Table

from alchemiser_cli.console import Exit, out, reported_errors
from alchemiser_cli.workspace import connected, logged, open_workspace
from alchemiser_common.settings import Environment
from alchemiser_trading.books.book_store import compare_books, repair_books

app = typer.Typer()


@app.command()
def reconcile(
    *,
    paper: Annotated[bool, typer.Option("--paper", help="Compare with the Alpaca paper account.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Make the books follow the broker; needs --reason.")] = False,
    reason: Annotated[str, typer.Option(help="With --repair: why; it is kept in the audit trail.")] = "",
    who: Annotated[str | None, typer.Option(help="With --repair: who; default: the user of this machine.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Compare the strategies' positions, added up, with the account's. Changes nothing unless asked to repair.

    Exit code 0 if they agree (or were repaired), 1 if they differ.
    """
    with reported_errors():
        if repair and not reason.strip():
            raise typer.BadParameter("a repair needs --reason")
        environment = Environment.PAPER if paper else None
        workspace = open_workspace(environment=environment, account_alias="paper" if paper else None)
        alias = workspace.settings.account_alias
        with logged(workspace), connected(workspace) as platform:
            positions = platform.broker.positions()
            if repair:
                found = repair_books(
                    platform.state,
                    alias,
                    positions,
                    who=who or getpass.getuser(),
                    reason=reason,
                    now=platform.clock.now(),
                )
            else:
                found = compare_books(platform.state, alias, positions)
        if as_json:
            typer.echo(
                json.dumps({"differences": [item.model_dump(mode="json") for item in found], "repaired": repair})
            )
        elif not found:
            out.print(f"books of account {alias} agree with the broker's {len(positions)} positions")
        else:
            table = Table("symbol", "in the books", "at the broker", box=None, header_style="bold")
            for item in found:
                table.add_row(item.symbol, f"{item.in_books}", f"{item.at_broker}")
            out.print(table)
            out.print("repaired; see `alchemiser audit`" if repair else "`--repair --reason …` makes the books follow")
        if found and not repair:
            raise typer.Exit(Exit.FAILED)
