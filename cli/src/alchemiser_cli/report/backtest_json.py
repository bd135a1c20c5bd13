"""A backtest for programs: everything that page and terminal show, and the days."""

import csv
from collections.abc import Mapping
from dataclasses import asdict
from math import isnan, nan
from typing import TextIO

from alchemiser_cli.report.facts import MOST_FALLS, WINDOW
from alchemiser_cli.report.model import BacktestReport
from alchemiser_cli.report.statistics import (
    Drawdown,
    calmar,
    daily_returns,
    performance,
    relative,
    rolling_sharpe,
    turnover,
    worst_drawdowns,
    yearly_returns,
)


def of(report: BacktestReport) -> dict[str, object]:
    """Fractions everywhere (0.05 is 5 %), days as YYYY-MM-DD; a figure that is not defined is null."""
    figures = performance(report.days, report.equity)
    churn = turnover(report.traded[1:])
    other = {} if report.benchmark is None else dict(yearly_returns(report.days, report.benchmark.levels))
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
        "best_day": {"day": figures.best.day.isoformat(), "return": figures.best.value},
        "worst_day": {"day": figures.worst.day.isoformat(), "return": figures.worst.value},
        "positive_sessions": figures.positive_sessions,
        "calmar": calmar(report.equity),
        "invested": float(report.weights.sum(axis=1).mean()),
        "benchmark": _benchmark(report),
        "years": [
            {"year": year, "return": value, "benchmark": other.get(year)}
            for year, value in yearly_returns(report.days, report.equity)
        ],
        "worst_drawdowns": [drawdown(fall) for fall in worst_drawdowns(report.days, report.equity, MOST_FALLS)],
        "by_strategy": dict(report.by_strategy),
        "by_symbol": dict(report.by_symbol),
        "costs_paid": report.paid,
        "turnover_a_day": churn.daily,
        "turnover_a_year": churn.yearly,
        "days": [
            {
                "day": day.isoformat(),
                "equity": float(report.equity[row]),
                "turnover": float(report.traded[row]),
                **({} if report.benchmark is None else {"benchmark": float(report.benchmark.levels[row])}),
                "weights": _weights(report, row),
            }
            for row, day in enumerate(report.days)
        ],
    }


def _benchmark(report: BacktestReport) -> dict[str, object] | None:
    if report.benchmark is None:
        return None
    return {"symbol": report.benchmark.symbol, **asdict(relative(report.equity, report.benchmark.levels))}


def write_csv(report: BacktestReport, out: TextIO) -> None:
    """One line a day: equity, turnover, rolling Sharpe ratio, the benchmark if there is one, every symbol's weight."""
    rows = csv.writer(out, lineterminator="\n")
    beside = [] if report.benchmark is None else [report.benchmark.symbol]
    rows.writerow(
        ["day", "equity", "turnover", "rolling_sharpe", *(f"benchmark {one}" for one in beside), *report.symbols]
    )
    rolling = [nan, *rolling_sharpe(daily_returns(report.equity), WINDOW).tolist()]
    for row, day in enumerate(report.days):
        level = [] if report.benchmark is None else [float(report.benchmark.levels[row])]
        sharpe = "" if isnan(rolling[row]) else rolling[row]
        weights = report.weights[row].tolist()
        rows.writerow([day, float(report.equity[row]), float(report.traded[row]), sharpe, *level, *weights])


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
