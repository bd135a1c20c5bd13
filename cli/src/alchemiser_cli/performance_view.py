"""What an account earned, as terminal tables and JSON. Pure: the read model's values in."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from alchemiser_cli import formats
from alchemiser_cli.console import plain_table
from alchemiser_cli.gain_view import gain_json, gain_text

if TYPE_CHECKING:
    from alchemiser_readmodel.performance import Performance
    from alchemiser_readmodel.symbol_gains import SymbolGain


def performance_view(found: "Performance", rows: Table, notes: Sequence[str]) -> Group:
    """The whole, then its parts, then what to know of them."""
    whole = found.whole
    head = Text.assemble((f"{whole.since} to {whole.until}  ", "bold"), gain_text(whole, since=False))
    worth = f"equity {formats.amount(found.curve[0].equity)} to {formats.amount(found.curve[-1].equity)} USD"
    return Group(head, Text(worth), Text(), rows, *(Text(note, style="dim") for note in notes))


def strategies_table(found: "Performance") -> Table:
    """What each strategy earned, and what is in no book: together the account's profit."""
    table = plain_table("strategy", "profit", "realised", "unrealised", "income")
    for item in found.strategies:
        table.add_row(
            Text(item.strategy), *map(formats.signed, (item.profit, item.realised, item.unrealised, item.income))
        )
    if found.unbooked:
        table.add_row(Text("in no book", style="dim"), formats.signed(found.unbooked))
    table.add_row(Text("account", style="bold"), formats.signed(found.whole.profit))
    return table


def months_table(found: "Performance") -> Table:
    """Each month's profit and return."""
    table = plain_table("month", "profit", "return", "transferred")
    for month in found.months:
        fraction = "" if month.fraction is None else f"{float(month.fraction):+.2%}"
        moved = formats.signed(month.transferred) if month.transferred else ""
        table.add_row(f"{month.until:%Y-%m}", formats.signed(month.profit), fraction, moved)
    fraction = "" if found.whole.fraction is None else f"{float(found.whole.fraction):+.2%}"
    table.add_row(Text("account", style="bold"), formats.signed(found.whole.profit), fraction)
    return table


def symbols_table(found: "Performance", gains: Sequence["SymbolGain"]) -> Table:
    """What each symbol earned, and the rest of the account's profit."""
    table = plain_table("symbol", "profit", "not told")
    for item in gains:
        untold = ", ".join(day.isoformat() for day in item.untold[:3]) + (" …" if len(item.untold) > 3 else "")
        table.add_row(item.symbol, formats.signed(item.profit), Text(untold, style="yellow"))
    rest = found.whole.profit - sum((item.profit for item in gains), Decimal(0))
    table.add_row(Text("since the last plan, dividends, fees", style="dim"), formats.signed(rest))
    table.add_row(Text("account", style="bold"), formats.signed(found.whole.profit))
    return table


def performance_json(
    found: "Performance", gains: "Sequence[SymbolGain] | None", beside: tuple[str, float] | None
) -> dict[str, object]:
    """What was earned, for `--json`; `gains` by symbol if they were asked for."""
    told: dict[str, object] = {
        **gain_json(found.whole),
        "by_strategy": [
            {
                "strategy": item.strategy,
                "profit": str(item.profit),
                "realised": str(item.realised),
                "unrealised": str(item.unrealised),
                "income": str(item.income),
            }
            for item in found.strategies
        ],
        "in_no_book": str(found.unbooked),
        "by_month": [gain_json(month) for month in found.months],
    }
    if gains is not None:
        told["by_symbol"] = [
            {
                "symbol": item.symbol,
                "profit": str(item.profit),
                "untold": [day.isoformat() for day in item.untold],
            }
            for item in gains
        ]
    if beside is not None:
        told["benchmark"] = {"symbol": beside[0], "return": beside[1]}
    return told
