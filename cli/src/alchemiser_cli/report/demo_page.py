"""A demo's page: what it is, key figures, equity, weights, orders with their slippage, and the runs."""

from collections import Counter

from alchemiser_cli import formats
from alchemiser_cli.report import charts
from alchemiser_cli.report.allocation import bands, weights_matrix
from alchemiser_cli.report.curves import rolling
from alchemiser_cli.report.facts import (
    SOURCES,
    beside_notes,
    demo_contributions,
    demo_facts,
    demo_statistics,
    drawdown_note,
    fall_lines,
    year_facts,
)
from alchemiser_cli.report.model import DemoReport
from alchemiser_cli.report.page import page
from alchemiser_cli.report.slippage import Quality, distribution, quality
from alchemiser_cli.report.statistics import drawdowns, performance
from alchemiser_common.json_value import Json

MOST_ORDERS = 200
MOST_RUNS = 400
MOST_BARS = 20


def render(report: DemoReport) -> str:
    """The page as one HTML text: open it from a file, mail it, print it."""
    cost = quality(report.orders)
    days, equity = report.curve
    figures = [_equity(report), *rolling(equity), _weights(report), *(_slippage(report, cost) if cost else [])]
    return page(
        "demo.html",
        days=days,
        figures=figures,
        report=report,
        facts=demo_facts(report),
        beside=beside_notes(report),
        tables=(
            ("statistics", "Statistics", demo_statistics(report)),
            ("falls", "Deepest falls", fall_lines(days, equity)),
            ("years-table", "Years", year_facts(days, equity, report.benchmark)),
            ("sources", SOURCES, demo_contributions(report)),
        ),
        orders=tuple(reversed(report.orders))[:MOST_ORDERS],
        all_orders=len(report.orders),
        runs=tuple(reversed(report.rows))[:MOST_RUNS],
        statuses=sorted(Counter(row.status for row in report.rows).items(), key=lambda item: (-item[1], item[0])),
        cost=cost,
        took=None if report.seconds is None else formats.seconds(report.seconds),
    )


def _equity(report: DemoReport) -> charts.Figure:
    days, curve = report.curve
    figures = performance(days, curve)
    alt = (
        f"Line chart: equity goes from {formats.money(figures.initial)} to {formats.money(figures.final)} "
        f"between {report.started} and {report.ended}; deepest fall "
        f"{formats.percent(figures.max_drawdown.depth if figures.max_drawdown else 0.0)}."
    )
    caption = f"Account equity after each session; below it, the distance from the last peak. Deepest fall: \
{drawdown_note(figures.max_drawdown)}."
    other = None
    if report.benchmark is not None:
        other = (report.benchmark.symbol, report.initial_equity * report.benchmark.levels)
    return charts.equity(curve, drawdowns(curve), key="equity", alt=alt, caption=caption, unit="$", beside=other)


def _weights(report: DemoReport) -> charts.Figure:
    symbols, matrix = weights_matrix(report)
    layers = bands(symbols, matrix)
    named = ", ".join(f"{band.name} {band.weights.mean():.0%}" for band in layers)
    figure = charts.weights(
        layers,
        alt=f"Stacked area chart of holdings by symbol. Mean shares of equity: {named or 'none'}.",
        caption="What the account holds after each session, as a share of equity. Beside each name: its mean share.",
    )
    days: list[Json] = [row.day.isoformat() for row in report.rows]
    for trace in figure.traces:
        if isinstance(trace, dict):
            trace["x"] = days
    return figure


def _slippage(report: DemoReport, cost: Quality) -> list[charts.Figure]:
    bins = distribution(report.orders)
    shown = cost.by_symbol[:MOST_BARS]
    summary = (
        f"{formats.count(cost.orders, 'order')}, mean {formats.basis_points(cost.mean_bps)} weighted by notional, "
        f"median {formats.basis_points(cost.median_bps)}"
    )
    rest = f" The {len(shown)} most traded of {len(cost.by_symbol)}." if len(cost.by_symbol) > len(shown) else ""
    return [
        charts.slippage_distribution(
            bins,
            alt=f"Histogram of slippage: {summary}.",
            caption="Fill price against the middle of the quote when the leg started; positive is a cost. "
            "The outer bars collect what lies beyond.",
        ),
        charts.slippage_by_symbol(
            shown,
            alt="Bar chart of mean slippage by symbol: "
            + ", ".join(f"{each.symbol} {formats.basis_points(each.mean_bps)}" for each in shown[:8])
            + ".",
            caption=f"Mean slippage of each symbol's orders, the most traded on top.{rest}",
        ),
    ]
