"""`alchemiser reconcile`: the strategies' books against what the broker holds."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.markup import escape

from alchemiser_cli.console import Exit, note, out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.cycles import attached, logged
from alchemiser_cli.exchanges import exchange_name
from alchemiser_cli.options import AsCsv, AsJson, MarketData, ReasonIfChanged, Who, Yes, signed
from alchemiser_common.account_binding import check_binding
from alchemiser_trading.books.reconciling import Comparison, compare_account, repair_books

app = typer.Typer()


@app.command()
def reconcile(
    *,
    paper: Annotated[bool, typer.Option("--paper", help="Compare with the Alpaca paper account.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Make the books follow the broker; needs --reason.")] = False,
    reason: ReasonIfChanged = "",
    who: Who = None,
    yes: Yes = False,
    data: MarketData = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Compare the strategies' positions, added up, with the account's. Changes nothing unless asked to repair.

    A repair says first which account at which exchange it is, and what books and broker have of each symbol. Refused
    on an exchange that has none of the account's orders. Exit code 0 if they agree (or were repaired), 1 if they
    differ or a symbol is not traded until a person has looked.
    """
    with command(as_json=as_json, as_csv=as_csv, paper=paper) as context:
        by = signed(who, reason, refusal="a repair needs --reason") if repair else None
        settings, alias = context.settings, context.account
        _ = context.state  # there are books, or the command ends here and makes nothing
        with logged(settings.home), attached(settings, context.variables, data=data) as platform:
            state, broker, now = platform.state, platform.broker, platform.clock.now()
            account_id = broker.account().account_id
            check_binding(state, alias, settings.environment, account_id)
            found = compare_account(state, broker, alias, now)
            where = f"account {alias} is {account_id} at {exchange_name(settings)}, where it is {now:%Y-%m-%d %H:%M}Z"
            if by is not None and not found.agrees:
                for line in (where, *_sides(found)):
                    note(line)
                if not yes:
                    typer.confirm("make the books follow the broker?", abort=True, err=True)
                repair_books(state, broker, alias, found, who=by.who, reason=by.reason, now=platform.clock.now())
        context.emit(
            {
                "account": alias,
                "broker_account": account_id,
                "exchange": exchange_name(settings),
                "differences": [item.model_dump(mode="json") for item in found.differences],
                "blocked": dict(found.blocked),
                "repaired": by is not None and not found.agrees,
            },
            lambda: _print(found, where, repaired=repair),
            rows=[item.model_dump(mode="json") for item in found.differences],
        )
        if not found.agrees and not repair:
            raise typer.Exit(Exit.FAILED)


def _sides(found: Comparison) -> Iterator[str]:
    """What a repair would change, a line for each symbol."""
    for item in found.differences:
        yield f"  {item.symbol}: {item.in_books} in the books, {item.at_broker} at the broker"
    differing = {item.symbol for item in found.differences}
    for symbol, why in found.blocked.items():
        if symbol not in differing:
            yield f"  {symbol}: {why}"


def _print(found: Comparison, where: str, *, repaired: bool) -> None:
    out.print(escape(where), soft_wrap=True)
    if found.agrees:
        out.print("the books agree with the broker's positions")
        return
    if repaired:
        out.print("repaired: the books follow the broker; see `alchemiser audit`")
        return
    if found.differences:
        table = plain_table("symbol", "in the books", "at the broker")
        for item in found.differences:
            table.add_row(item.symbol, f"{item.in_books}", f"{item.at_broker}")
        out.print(table)
    for symbol, why in found.blocked.items():
        out.print(escape(f"{symbol} is not traded: {why}"), soft_wrap=True)
    out.print("`--repair --reason …` makes the books follow")
