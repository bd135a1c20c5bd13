"""A backtest for programs: everything that page and terminal show, and the days."""

from collections.abc import Mapping

from alchemiser_cli.report.model import BacktestReport
from alchemiser_cli.report.statistics import Drawdown, performance, turnover


def of(report: BacktestReport) -> dict[str, object]:
    """Fractions everywhere (0.05 is 5 %), days as YYYY-MM-DD; a figure that is not defined is null."""
    figures = performance(report.days, report.equity)
    churn = turnover(report.traded[1:])
    return {
        "strategies": dict(report.strategies),
        "first": report.days[0].isoformat(),
        "last": report.days[-1].isoformat(),
        "fill": report.fill,
        "costs_bps": report.costs_bps,
        "costs_origin": report.costs_origin,
        "source": report.source,
        "notice": report.notice,
        "without": list(report.without),
        "remarks": list(report.remarks),
        "total_return": figures.total_return,
        "cagr": figures.cagr,
        "volatility": figures.volatility,
        "sharpe": figures.sharpe,
        "sortino": figures.sortino,
        "max_drawdown": drawdown(figures.max_drawdown),
        "turnover_a_day": churn.daily,
        "turnover_a_year": churn.yearly,
        "days": [
            {
                "day": day.isoformat(),
                "equity": float(report.equity[row]),
                "turnover": float(report.traded[row]),
                "weights": _weights(report, row),
            }
            for row, day in enumerate(report.days)
        ],
    }


def drawdown(fall: Drawdown | None) -> dict[str, object] | None:
    """A fall from a peak; `recovery` is null while the peak is not seen again."""
    if fall is None:
        return None
    return {
        "depth": fall.depth,
        "start": fall.start.isoformat(),
        "trough": fall.trough.isoformat(),
        "recovery": None if fall.recovery is None else fall.recovery.isoformat(),
    }


def _weights(report: BacktestReport, row: int) -> Mapping[str, float]:
    held = zip(report.symbols, report.weights[row].tolist(), strict=True)
    return {symbol: weight for symbol, weight in held if weight}
