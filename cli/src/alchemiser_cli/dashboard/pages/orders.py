"""Orders and slippage: what trading cost, leg by leg, a piece of the runs at a time."""

from alchemiser_cli.dashboard.layout import Page
from alchemiser_cli.dashboard.pages import Asked
from alchemiser_cli.dashboard.source import Source
from alchemiser_cli.demo_report import executed_orders
from alchemiser_cli.report.costs import slippage_figure, symbol_table
from alchemiser_cli.report.slippage import quality
from alchemiser_cli.stored_runs import runs_before

_RUNS = 40


def orders(source: Source, asked: Asked) -> Page:
    """`before`: the place in the list of runs that all shown precede; `symbol`: only this one's."""
    before, symbol = asked.get("before", ""), asked.get("symbol", "").strip().upper()
    read = runs_before(source.open_state(), source.account, before=before, limit=_RUNS)
    rows = [row for row in executed_orders(run for _, run in read) if not symbol or row.symbol == symbol]
    cost = quality(rows)
    return Page(
        "orders.html",
        "Orders and slippage",
        {
            "orders": rows,
            "symbol": symbol,
            "cost": cost,
            "by_symbol": None if cost is None else symbol_table(cost),
            "runs_read": len(read),
            "before": before,
            "older": read[-1][0] if len(read) == _RUNS else "",
        },
        figures=[] if cost is None else [slippage_figure(rows, cost)],
    )
