"""Performance figures of an equity curve: dates and equity in, frozen figures out; numpy only, no I/O.

Fractions everywhere: 0.05 is 5 %. A figure that is not defined (one return, no variation) is None, never NaN.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import sqrt

import numpy as np
import numpy.typing as npt

from alchemiser_cli.report.errors import UnusableSeries

type Floats = npt.NDArray[np.float64]

SESSIONS_A_YEAR = 252
NOISE = 1e-12
"""Deviations below this are rounding, not risk: a ratio over them means nothing."""


@dataclass(frozen=True, slots=True)
class DayReturn:
    """One session's return."""

    day: date
    value: float


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall from a peak; `depth` is negative, `recovery` None while the peak is not seen again."""

    depth: float
    start: date
    trough: date
    recovery: date | None


@dataclass(frozen=True, slots=True)
class Turnover:
    """Share of equity exchanged one way: a mean session's, and a year's."""

    daily: float
    yearly: float


@dataclass(frozen=True, slots=True)
class MonthlyYear:
    """A year's returns: twelve months (None where the curve has no return) and the year's own."""

    year: int
    months: tuple[float | None, ...]
    total: float


@dataclass(frozen=True, slots=True)
class Performance:
    """What an equity curve amounts to."""

    first: date
    last: date
    sessions: int
    """Returns in the curve: one less than its points."""
    initial: float
    final: float
    total_return: float
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    max_drawdown: Drawdown | None
    best: DayReturn
    worst: DayReturn
    positive_sessions: float
    """Share of sessions with a gain."""


def performance(days: Sequence[date], equity: Floats) -> Performance:
    """All figures of `equity` ((days,), any unit, > 0) at the ends of `days` (ascending); at least two points.

    Raises UnusableSeries.
    """
    curve = checked_curve(days, equity)
    returns = daily_returns(curve)
    best, worst = int(returns.argmax()), int(returns.argmin())
    return Performance(
        first=days[0],
        last=days[-1],
        sessions=len(returns),
        initial=float(curve[0]),
        final=float(curve[-1]),
        total_return=total_return(curve),
        cagr=cagr(curve),
        volatility=volatility(returns),
        sharpe=sharpe(returns),
        sortino=sortino(returns),
        max_drawdown=max_drawdown(days, curve),
        best=DayReturn(days[best + 1], float(returns[best])),
        worst=DayReturn(days[worst + 1], float(returns[worst])),
        positive_sessions=float((returns > 0).mean()),
    )


def checked_curve(days: Sequence[date], equity: Floats) -> Floats:
    """`equity` as float64, once it is known to be usable: ≥ 2 points, finite, > 0, one a day, days ascending."""
    curve = np.asarray(equity, dtype=np.float64)
    if curve.ndim != 1 or len(curve) != len(days):
        raise UnusableSeries(f"equity has shape {curve.shape}, there are {len(days)} days")
    if len(curve) < 2:
        raise UnusableSeries(f"equity has {len(curve)} points, at least 2 are needed")
    if not (good := np.isfinite(curve) & (curve > 0)).all():
        at = int(np.argmin(good))
        raise UnusableSeries(
            f"equity of {days[at]} is {curve[at]}, it must be finite and above 0: check prices and costs"
        )
    for before, after in pairwise(days):
        if after <= before:
            raise UnusableSeries(f"{after} follows {before}: days must ascend")
    return curve


def daily_returns(equity: Floats) -> Floats:
    """Simple returns E[t] / E[t-1] - 1, one fewer than the points."""
    changes: Floats = equity[1:] / equity[:-1] - 1
    return changes


def total_return(equity: Floats) -> float:
    """E[last] / E[first] - 1."""
    return float(equity[-1] / equity[0] - 1)


def cagr(equity: Floats) -> float | None:
    """Compound annual growth rate: (E[last] / E[first]) ** (252 / returns) - 1; None beyond what a float holds."""
    with np.errstate(over="ignore"):
        rate = float(np.power(equity[-1] / equity[0], SESSIONS_A_YEAR / (len(equity) - 1)) - 1)
    return rate if np.isfinite(rate) else None


def volatility(returns: Floats) -> float | None:
    """Sample standard deviation (n - 1) of the returns times the root of 252; None for one return."""
    return float(returns.std(ddof=1)) * sqrt(SESSIONS_A_YEAR) if len(returns) > 1 else None


def sharpe(returns: Floats) -> float | None:
    """Mean over sample deviation of the returns, times the root of 252; the risk-free rate is taken as 0.

    Source: W. F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21 (1994), 49-58.
    """
    if len(returns) < 2:
        return None
    deviation = float(returns.std(ddof=1))
    return float(returns.mean()) / deviation * sqrt(SESSIONS_A_YEAR) if deviation > NOISE else None


def sortino(returns: Floats) -> float | None:
    """As `sharpe`, over the downside deviation: the root of the mean of squared shortfalls, over all sessions.

    Source: F. A. Sortino, L. N. Price, "Performance Measurement in a Downside Risk Framework",
    Journal of Investing 3 (1994), 59-64.
    """
    if len(returns) < 2:
        return None
    downside = sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return float(returns.mean()) / downside * sqrt(SESSIONS_A_YEAR) if downside > NOISE else None


def drawdowns(equity: Floats) -> Floats:
    """E[t] / max(E[..t]) - 1 for each point: 0 at a peak, negative below it."""
    depths: Floats = equity / np.maximum.accumulate(equity) - 1
    return depths


def max_drawdown(days: Sequence[date], equity: Floats) -> Drawdown | None:
    """The deepest drawdown (the first of equals): last day at the peak, lowest day, first day back; None if no fall.

    Source: M. Magdon-Ismail, A. F. Atiya, "Maximum Drawdown", Risk 17 (2004), 99-102.
    """
    depths = drawdowns(equity)
    trough = int(depths.argmin())
    if depths[trough] == 0:
        return None
    start = int(np.flatnonzero(depths[:trough] == 0)[-1])
    back = np.flatnonzero(equity[trough:] >= equity[start])
    recovery = days[trough + int(back[0])] if len(back) else None
    return Drawdown(float(depths[trough]), days[start], days[trough], recovery)


def turnover(traded: Floats) -> Turnover:
    """Mean of `traded`, (sessions,) shares of equity exchanged one way, and the same over a year of 252 sessions."""
    if not len(traded):
        return Turnover(0.0, 0.0)
    if not (np.isfinite(traded) & (traded >= 0)).all():
        raise UnusableSeries("turnover must be finite and not negative")
    daily = float(traded.mean())
    return Turnover(daily, daily * SESSIONS_A_YEAR)


def monthly_returns(days: Sequence[date], equity: Floats) -> tuple[MonthlyYear, ...]:
    """Each month's return from the last point before it to its own last; the first point is only a start.

    A year's total compounds its months. Months without a return are None.
    """
    months: dict[int, list[float | None]] = {}
    totals: dict[int, float] = {}
    start = float(equity[0])
    for index in range(1, len(days)):
        day = days[index]
        if index + 1 < len(days) and (days[index + 1].year, days[index + 1].month) == (day.year, day.month):
            continue
        end = float(equity[index])
        months.setdefault(day.year, [None] * 12)[day.month - 1] = end / start - 1
        totals[day.year] = (1 + totals.get(day.year, 0.0)) * (end / start) - 1
        start = end
    return tuple(MonthlyYear(year, tuple(months[year]), totals[year]) for year in months)
