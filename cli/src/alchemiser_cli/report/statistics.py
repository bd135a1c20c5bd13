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


def yearly_returns(days: Sequence[date], equity: Floats) -> tuple[tuple[int, float], ...]:
    """(year, return): each year from the last point before it."""
    return tuple((each.year, each.total) for each in monthly_returns(days, equity))


def calmar(equity: Floats) -> float | None:
    """`cagr` over the depth of the deepest drawdown; None without one.

    Source: T. W. Young, "Calmar Ratio: A Smoother Tool", Futures 20 (1991).
    """
    rate, depth = cagr(equity), -float(drawdowns(equity).min())
    return None if rate is None or depth <= NOISE else rate / depth


def worst_drawdowns(days: Sequence[date], equity: Floats, most: int) -> tuple[Drawdown, ...]:
    """The deepest falls, the deepest first; each goes from a peak to the day that peak is seen again."""
    depths = drawdowns(equity)
    below = np.flatnonzero(depths < 0)
    found = []
    for span in np.split(below, np.flatnonzero(np.diff(below) > 1) + 1) if len(below) else ():
        trough, end = int(span[int(depths[span].argmin())]), int(span[-1]) + 1
        recovery = days[end] if end < len(days) else None
        found.append(Drawdown(float(depths[trough]), days[int(span[0]) - 1], days[trough], recovery))
    return tuple(sorted(found, key=lambda fall: fall.depth)[:most])


def rolling_sharpe(returns: Floats, window: int) -> Floats:
    """`sharpe` of the last `window` returns at each of them; NaN before there are as many, and without deviation."""
    out = np.full(len(returns), np.nan)
    if len(returns) >= window > 1:
        views = np.lib.stride_tricks.sliding_window_view(returns, window)
        deviation = views.std(axis=1, ddof=1)
        usable = deviation > NOISE
        ratio = np.divide(views.mean(axis=1), deviation, out=np.full(len(views), np.nan), where=usable)
        out[window - 1 :] = ratio * sqrt(SESSIONS_A_YEAR)
    return out


@dataclass(frozen=True, slots=True)
class Relative:
    """What a curve is beside a benchmark's of the same days."""

    total_return: float
    """The benchmark's own."""
    cagr: float | None
    max_drawdown: float
    """The benchmark's own, 0 or negative."""
    excess: float
    """Total return less the benchmark's."""
    beta: float | None
    alpha: float | None
    """A year's: 252 times the mean return that beta does not explain."""
    correlation: float | None
    up_capture: float | None
    """Yearly growth on days on which the benchmark rose, over the benchmark's own."""
    down_capture: float | None
    """The same of days on which it fell."""


def relative(equity: Floats, benchmark: Floats) -> Relative:
    """A curve beside a benchmark's, (days,) each, of the same days and above 0; the risk-free rate is taken as 0.

    Source: M. C. Jensen, "The Performance of Mutual Funds in the Period 1945-1964", Journal of Finance 23 (1968),
    389-416.
    """
    mine, other = daily_returns(equity), daily_returns(benchmark)
    beta = alpha = correlation = None
    if len(mine) > 1 and other.std() > NOISE:
        spread = np.cov(mine, other, ddof=1)
        beta = float(spread[0, 1] / spread[1, 1])
        alpha = float(mine.mean() - beta * other.mean()) * SESSIONS_A_YEAR
        if mine.std() > NOISE:
            correlation = float(np.corrcoef(mine, other)[0, 1])
    return Relative(
        total_return=total_return(benchmark),
        cagr=cagr(benchmark),
        max_drawdown=float(drawdowns(benchmark).min()),
        excess=total_return(equity) - total_return(benchmark),
        beta=beta,
        alpha=alpha,
        correlation=correlation,
        up_capture=_capture(mine, other, other > 0),
        down_capture=_capture(mine, other, other < 0),
    )


def _capture(mine: Floats, other: Floats, days: npt.NDArray[np.bool_]) -> float | None:
    """Yearly growth of one over that of the other, on some days."""
    if not days.any():
        return None
    grown, base = (cagr(np.concatenate([[1.0], np.cumprod(1 + part[days])])) for part in (mine, other))
    return None if grown is None or base is None or abs(base) <= NOISE else grown / base
