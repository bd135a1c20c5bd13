"""Figures that a demo's page and a backtest's share: an equity curve in, charts out."""

import numpy as np

from alchemiser_cli import formats
from alchemiser_cli.report import charts
from alchemiser_cli.report.facts import WINDOW
from alchemiser_cli.report.statistics import Floats, daily_returns, rolling_sharpe


def rolling(equity: Floats) -> tuple[charts.Figure, ...]:
    """The rolling Sharpe ratio, of days that are enough for it."""
    values = rolling_sharpe(daily_returns(equity), WINDOW)
    if not np.isfinite(values).any():
        return ()
    last = float(values[-1]) if np.isfinite(values[-1]) else None
    figure = charts.line(
        np.concatenate([[np.nan], values]),
        charts.Axis("Sharpe", charts.Unit.RATIO),
        key="sharpe",
        title="Rolling Sharpe ratio",
        alt=f"Line chart: Sharpe ratio of the last {WINDOW} sessions; {formats.ratio(last)} at the end.",
        caption=f"Of the last {WINDOW} sessions at each of them, risk-free rate 0.",
    )
    return (figure,)
