"""A backtest's page: table of statistics, equity with drawdown (log on demand), weights and monthly returns."""

import numpy as np

from alchemiser_cli import formats
from alchemiser_cli.report import charts
from alchemiser_cli.report.allocation import bands
from alchemiser_cli.report.facts import (
    WINDOW,
    backtest_facts,
    backtest_tiles,
    contribution_facts,
    drawdown_note,
    fall_lines,
    year_facts,
)
from alchemiser_cli.report.model import BacktestReport
from alchemiser_cli.report.page import page
from alchemiser_cli.report.statistics import daily_returns, drawdowns, monthly_returns, performance, rolling_sharpe

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FULL_HEAT = 0.10
"""A month of ± 10 % has the strongest colour."""


def render(report: BacktestReport) -> str:
    """The page as one HTML text: open it from a file, mail it, print it."""
    return page(
        "backtest.html",
        days=report.days,
        figures=[_equity(report), *_rolling(report), _weights(report)],
        report=report,
        tiles=backtest_tiles(report),
        facts=backtest_facts(report),
        tables=(
            ("falls", "Deepest falls", fall_lines(report)),
            ("years-table", "Years", year_facts(report)),
            ("sources", "What came from what, of the equity at the beginning", contribution_facts(report)),
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


def _rolling(report: BacktestReport) -> list[charts.Figure]:
    """Of days that are enough for it."""
    values = rolling_sharpe(daily_returns(report.equity), WINDOW)
    if not np.isfinite(values).any():
        return []
    last = float(values[-1]) if np.isfinite(values[-1]) else None
    figure = charts.line(
        np.concatenate([[np.nan], values]),
        key="sharpe",
        title="Rolling Sharpe ratio",
        alt=f"Line chart: Sharpe ratio of the last {WINDOW} sessions; {formats.ratio(last)} at the end.",
        caption=f"Of the last {WINDOW} sessions at each of them, risk-free rate 0.",
    )
    return [figure]


def _weights(report: BacktestReport) -> charts.Figure:
    layers = bands(report.symbols, report.weights)
    named = ", ".join(f"{band.name} {band.weights.mean():.0%}" for band in layers)
    return charts.weights(
        layers,
        alt=f"Stacked area chart of holdings by symbol. Mean shares of equity: {named or 'none'}.",
        caption="Share of equity in each symbol. Beside each name: its mean share.",
    )
