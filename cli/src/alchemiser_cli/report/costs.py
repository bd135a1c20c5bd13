"""What legs cost, as a chart and a table that several pages show: measured legs in, their parts out."""

from collections.abc import Sequence

from alchemiser_cli import formats
from alchemiser_cli.report import charts
from alchemiser_cli.report.model import OrderRow
from alchemiser_cli.report.slippage import Quality, distribution
from alchemiser_cli.report.tables import BarTable, cost_table

MOST_BARS = 20


def slippage_figure(orders: Sequence[OrderRow], cost: Quality) -> charts.Figure:
    """How many legs cost how much."""
    summary = (
        f"{formats.count(cost.orders, 'leg')}, mean {formats.basis_points(cost.mean_bps)} weighted by notional, "
        f"median {formats.basis_points(cost.median_bps)}"
    )
    return charts.slippage_distribution(
        distribution(orders),
        alt=f"Histogram of slippage: {summary}.",
        caption="Fill price against the middle of the quote when the leg started; positive is a cost. "
        "The outer bars collect what lies beyond.",
    )


def symbol_table(cost: Quality) -> BarTable:
    """What each symbol cost, the most traded on top."""
    shown = cost.by_symbol[:MOST_BARS]
    rest = f" The {len(shown)} most traded of {len(cost.by_symbol)}." if len(cost.by_symbol) > len(shown) else ""
    caption = (
        "Mean slippage of each symbol's legs, weighted by notional; the most traded on top; to the right is a cost."
    )
    return cost_table(shown, caption=caption + rest)
