"""A backtest's page: table of statistics, equity with drawdown (log on demand), weights and monthly returns."""

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

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FULL_HEAT = 0.10
"""A month of ± 10 % has the strongest colour."""


def render(report: BacktestReport) -> str:
    """The page as one HTML text: open it from a file, mail it, print it."""
    return page(
        "backtest.html",
        days=report.days,
        figures=[_equity(report), *rolling(report.equity), _weights(report)],
        report=report,
        tiles=backtest_tiles(report),
        facts=backtest_facts(report),
        tables=(
            ("falls", "Deepest falls", fall_lines(report.days, report.equity)),
            ("years-table", "Years", year_facts(report.days, report.equity, report.benchmark)),
            ("sources", SOURCES, backtest_contributions(report)),
        ),
        years=tuple(reversed(monthly_returns(report.days, report.equity))),
        months=MONTHS,
        heat=heat,
    )


def heat(value: float | None) -> str:
    """A month's colour strength from 0 to 1, as CSS reads it."""
    return "0" if value is None else f"{min(abs(value) / FULL_HEAT, 1):.2f}"


def _equity(report: BacktestReport) -> charts.Figure:
    figures = performance(report.days, report.equity)
    return charts.equity(
        report.equity,
        drawdowns(report.equity),
        key="equity",
        alt=f"Line chart: equity changes by {formats.percent(figures.total_return, signed=True)} between "
        f"{figures.first} and {figures.last}; deepest fall {drawdown_note(figures.max_drawdown)}.",
        caption="Equity after costs; below it, the distance from the last peak.",
        log_toggle=True,
        beside=None if report.benchmark is None else (report.benchmark.symbol, report.benchmark.levels),
    )


def _weights(report: BacktestReport) -> charts.Figure:
    layers = bands(report.symbols, report.weights)
    named = ", ".join(f"{band.name} {band.weights.mean():.0%}" for band in layers)
    return charts.weights(
        layers,
        alt=f"Stacked area chart of holdings by symbol. Mean shares of equity: {named or 'none'}.",
        caption="Share of equity in each symbol. Beside each name: its mean share.",
    )
