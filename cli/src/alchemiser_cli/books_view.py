"""The books as terminal tables and JSON. Pure: the read model's values in."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from alchemiser_cli import formats
from alchemiser_cli.console import plain_table

if TYPE_CHECKING:
    from alchemiser_common.records.plan import Plan
    from alchemiser_readmodel.open_lots import BookView


def books_view(books: Iterable["BookView"], *, priced_at: str) -> Group:
    """Each strategy's lots, and what they come to."""
    table = plain_table("strategy", "symbol", "opened", "shares", "price", "cost", "value", "unrealised")
    sums = plain_table("strategy", "cost", "value", "unrealised", "realised", "income")
    for book in books:
        for lot in book.lots:
            table.add_row(
                Text(book.strategy),
                lot.symbol,
                lot.opened.isoformat(),
                formats.shares(lot.quantity),
                formats.price(lot.price),
                formats.amount(lot.cost),
                formats.amount(lot.value),
                formats.signed(lot.unrealised),
            )
        sums.add_row(
            Text(book.strategy),
            formats.amount(book.cost),
            formats.amount(book.value),
            formats.signed(book.unrealised),
            formats.signed(book.realised),
            formats.signed(book.income),
        )
    said = Text(f"USD; values at the prices of {priced_at}" if priced_at else "USD; no prices are on record")
    said.append("; realised by first in, first out, wash sales not taken into account")
    said.stylize("dim")
    return Group(table, Text(), sums, said)


def lots_rows(books: Iterable["BookView"]) -> list[dict[str, object]]:
    """Every open lot for `--csv`."""
    return [{"strategy": book.strategy, **lot} for book in books for lot in _lots(book)]


def books_json(books: Iterable["BookView"], plan: "Plan | None") -> dict[str, object]:
    """The books for `--json`."""
    return {
        "priced_at": None if plan is None else plan.made_at.isoformat(),
        "books": [
            {
                "strategy": book.strategy,
                "cost": str(book.cost),
                "value": formats.text_of(book.value),
                "unrealised": formats.text_of(book.unrealised),
                "realised": str(book.realised),
                "income": str(book.income),
                "lots": _lots(book),
            }
            for book in books
        ],
    }


def _lots(book: "BookView") -> list[dict[str, object]]:
    return [
        {
            "symbol": lot.symbol,
            "opened": lot.opened.isoformat(),
            "quantity": str(lot.quantity),
            "price": str(lot.price),
            "cost": str(lot.cost),
            "value": formats.text_of(lot.value),
        }
        for lot in book.lots
    ]
