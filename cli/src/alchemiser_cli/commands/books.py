"""`alchemiser books`: what each strategy holds at what cost, and what it has earned, from the stored records alone."""

from typing import Annotated

import typer

from alchemiser_cli import formats
from alchemiser_cli.console import out
from alchemiser_cli.context import command
from alchemiser_cli.options import AsCsv, AsJson
from alchemiser_common.errors import InvalidSettings

app = typer.Typer()


@app.command()
def books(
    strategy: Annotated[str | None, typer.Option(help="Only this strategy's.")] = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List each strategy's open lots with cost and unrealised profit, and what it has realised and earned. USD.

    Shares that no strategy asked for are in the book `unassigned`. Values are at the prices of the last plan, which the
    output names. As CSV it prints the open lots. `alchemiser reconcile` compares the books with the broker.
    """
    with command(as_json=as_json, as_csv=as_csv, or_demo=True) as context:
        from alchemiser_cli.books_view import books_json, books_view, lots_rows
        from alchemiser_cli.stored_account import read_account
        from alchemiser_readmodel.open_lots import book_views

        records = read_account(context.state, context.account)
        found = book_views(records.books, records.prices)
        if strategy is not None:
            known = ", ".join(book.strategy for book in found) or "none"
            found = tuple(book for book in found if book.strategy == strategy)
            if not found:
                raise InvalidSettings(f"account {context.account} has no book of {strategy!r}; it has {known}")
        priced_at = "" if records.plan is None else formats.moment(records.plan.made_at)
        none = f"The books of account {context.account} are empty."
        context.emit(
            books_json(found, records.plan),
            lambda: out.print(books_view(found, priced_at=priced_at) if found else none),
            rows=lots_rows(found),
        )
