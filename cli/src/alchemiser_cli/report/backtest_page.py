"""A backtest's page: table of statistics, equity (long spans in log), drawdown, weights and monthly returns."""

from alchemiser_cli import formats
from alchemiser_cli.report import charts
from alchemiser_cli.report.allocation import bands
from alchemiser_cli.report.curves import rolling
from alchemiser_cli.report.facts import (
    SOURCES,
    backtest_contributions,
    backtest_facts,
    backtest_tiles,
    drawdown_note,
    fall_lines,
    year_facts,
)
from alchemiser_cli.report.model import BacktestReport
from alchemiser_cli.report.page import page
from alchemiser_cli.report.statistics import drawdowns, monthly_returns, performance
from alchemiser_cli.report.tables import month_table


def render(report: BacktestReport) -> str:
    """The page as one HTML text: open it from a file, mail it, print it."""
    return page(
        "backtest.html",
        title=report.title,
        notice=report.notice,
        days=report.days,
        figures=[_equity(report), _drawdown(report), *rolling(report.equity), _weights(report)],
        report=report,
        tiles=backtest_tiles(report),
        facts=backtest_facts(report),
        tables=(
            ("falls", "Deepest falls", fall_lines(report.days, report.equity)),
            ("years-table", "Years", year_facts(report.days, report.equity, report.benchmark)),
            ("sources", SOURCES, backtest_contributions(report)),
        ),
        months=month_table(monthly_returns(report.days, report.equity)),
    )


def _equity(report: BacktestReport) -> charts.Figure:
    figures = performance(report.days, report.equity)
    return charts.equity(
        report.equity,
        alt=f"Line chart: equity changes by {formats.percent(figures.total_return, signed=True)} between "
        f"{figures.first} and {figures.last}.",
        caption="Equity after costs, in multiples of its start.",
        unit=charts.Unit.TIMES_START,
        beside=None if report.benchmark is None else (report.benchmark.symbol, report.benchmark.levels),
    )


def _drawdown(report: BacktestReport) -> charts.Figure:
    fall = drawdown_note(performance(report.days, report.equity).max_drawdown)
    return charts.drawdown(
        drawdowns(report.equity),
        alt=f"Line chart: distance from the last peak; deepest fall: {fall}.",
        caption="The distance from the last peak.",
    )


def _weights(report: BacktestReport) -> charts.Figure:
    layers = bands(report.symbols, report.weights)
    named = ", ".join(f"{band.name} {band.weights.mean():.0%}" for band in layers)
    return charts.weights(
        layers,
        alt=f"Stacked area chart of holdings by symbol. Mean shares of equity: {named or 'none'}.",
        caption="Share of equity in each symbol. Beside each name: its mean share.",
    )
