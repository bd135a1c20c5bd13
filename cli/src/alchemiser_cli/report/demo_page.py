"""A demo's page: what it is, key figures, equity, weights, orders with their slippage, and each run's reasons."""

from collections import Counter

from alchemiser_cli import formats
from alchemiser_cli.report import charts
from alchemiser_cli.report.allocation import bands, weights_matrix
from alchemiser_cli.report.costs import slippage_figure, symbol_table
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
from alchemiser_cli.report.slippage import quality
from alchemiser_cli.report.statistics import drawdowns, performance

MOST_ORDERS = 200
MOST_RUNS = 400


def render(report: DemoReport) -> str:
    """The page as one HTML text: open it from a file, mail it, print it."""
    cost = quality(report.orders)
    days, equity = report.curve
    figures = [_equity(report), _drawdown(report), *rolling(equity), _weights(report)]
    if cost is not None:
        figures.append(slippage_figure(report.orders, cost))
    return page(
        "demo.html",
        title=report.title,
        notice=report.notice,
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
        by_symbol=None if cost is None else symbol_table(cost),
        took=None if report.seconds is None else formats.seconds(report.seconds),
    )


def _equity(report: DemoReport) -> charts.Figure:
    days, curve = report.curve
    figures = performance(days, curve)
    alt = (
        f"Line chart: equity goes from {formats.money(figures.initial)} to {formats.money(figures.final)} "
        f"between {report.base} and {report.ended}."
    )
    caption = f"Account equity after each session; on {report.base} what it began with."
    other = None
    if report.benchmark is not None:
        other = (report.benchmark.symbol, report.initial_equity * report.benchmark.levels)
    return charts.equity(curve, alt=alt, caption=caption, unit=charts.Unit.USD, beside=other)


def _drawdown(report: DemoReport) -> charts.Figure:
    days, curve = report.curve
    fall = drawdown_note(performance(days, curve).max_drawdown)
    return charts.drawdown(
        drawdowns(curve),
        alt=f"Line chart: distance from the last peak; deepest fall: {fall}.",
        caption=f"The distance from the last peak. Deepest fall: {fall}.",
    )


def _weights(report: DemoReport) -> charts.Figure:
    symbols, matrix = weights_matrix(report)
    layers = bands(symbols, matrix)
    named = ", ".join(f"{band.name} {band.weights.mean():.0%}" for band in layers)
    return charts.weights(
        layers,
        alt=f"Stacked area chart of holdings by symbol. Mean shares of equity: {named or 'none'}.",
        caption="What the account holds after each session, as a share of equity. Beside each name: its mean share.",
        before=1,
    )
