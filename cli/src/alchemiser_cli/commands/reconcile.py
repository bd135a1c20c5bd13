"""`alchemiser reconcile`: the strategies' books against what the broker holds."""

from collections.abc import Sequence
from typing import Annotated

import typer

from alchemiser_cli.console import Exit, out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.cycles import connected, logged
from alchemiser_cli.options import AsJson, ReasonIfChanged, Who, signed
from alchemiser_common.account_binding import check_binding
from alchemiser_trading.books.books import BookDifference
from alchemiser_trading.books.reconciling import compare_account, repair_books

app = typer.Typer()


@app.command()
def reconcile(
    *,
    paper: Annotated[bool, typer.Option("--paper", help="Compare with the Alpaca paper account.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Make the books follow the broker; needs --reason.")] = False,
    reason: ReasonIfChanged = "",
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Compare the strategies' positions, added up, with the account's. Changes nothing unless asked to repair.

    Exit code 0 if they agree (or were repaired), 1 if they differ.
    """
    with command(as_json=as_json, paper=paper) as context:
        by = signed(who, reason, refusal="a repair needs --reason") if repair else None
        settings, alias = context.settings, context.account
        _ = context.state  # there are books, or the command ends here and makes nothing
        with logged(settings.home), connected(settings, context.variables) as platform:
            state, broker, now = platform.state, platform.broker, platform.clock.now()
            check_binding(state, alias, settings.environment, broker.account().account_id)
            if by is None:
                found = compare_account(state, broker, alias, now)
            else:
                found = repair_books(state, broker, alias, who=by.who, reason=by.reason, now=now)
        agreed = f"books of account {alias} agree with the broker's positions"
        context.emit(
            {"differences": [item.model_dump(mode="json") for item in found], "repaired": repair},
            lambda: _print(found, repaired=repair) if found else out.print(agreed),
        )
        if found and not repair:
            raise typer.Exit(Exit.FAILED)


def _print(found: Sequence[BookDifference], *, repaired: bool) -> None:
    table = plain_table("symbol", "in the books", "at the broker")
    for item in found:
        table.add_row(item.symbol, f"{item.in_books}", f"{item.at_broker}")
    out.print(table)
    out.print("repaired; see `alchemiser audit`" if repaired else "`--repair --reason …` makes the books follow")
