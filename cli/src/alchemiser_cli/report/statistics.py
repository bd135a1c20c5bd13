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

type Floats = npt.NDArray[np.float64]

SESSIONS_A_YEAR = 252
NOISE = 1e-12
"""Deviations below this are rounding, not risk: a ratio over them means nothing."""


class UnusableSeries(ValueError):
    """Raised when a curve is too short, not finite, not positive, out of order or of the wrong length.

    Also when what stands beside it is unusable: a risk-free rate of -1 or less, a negative or infinite turnover.
    """


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


def performance(days: Sequence[date], equity: Floats, *, risk_free: float = 0.0) -> Performance:
    """All figures of `equity` ((days,), any unit, > 0) at the ends of `days` (ascending); at least two points.

    `risk_free` is a yearly rate. Raises UnusableSeries.
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
        sharpe=sharpe(returns, risk_free=risk_free),
        sortino=sortino(returns, risk_free=risk_free),
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
        raise UnusableSeries(f"equity of {days[at]} is {curve[at]}, it must be finite and above 0")
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


def cagr(equity: Floats, *, sessions: int = SESSIONS_A_YEAR) -> float | None:
    """Compound annual growth rate: (E[last] / E[first]) ** (sessions / returns) - 1; None beyond what a float holds."""
    with np.errstate(over="ignore"):
        rate = float(np.power(equity[-1] / equity[0], sessions / (len(equity) - 1)) - 1)
    return rate if np.isfinite(rate) else None


def volatility(returns: Floats, *, sessions: int = SESSIONS_A_YEAR) -> float | None:
    """Sample standard deviation (n - 1) of the returns times the root of `sessions`; None for one return."""
    return float(returns.std(ddof=1)) * sqrt(sessions) if len(returns) > 1 else None


def sharpe(returns: Floats, *, risk_free: float = 0.0, sessions: int = SESSIONS_A_YEAR) -> float | None:
    """Mean over sample deviation of the returns in excess of `risk_free`, times the root of `sessions`.

    Source: W. F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21 (1994), 49-58.
    """
    if len(returns) < 2:
        return None
    excess = returns - session_rate(risk_free, sessions=sessions)
    deviation = float(excess.std(ddof=1))
    return float(excess.mean()) / deviation * sqrt(sessions) if deviation > NOISE else None


def sortino(returns: Floats, *, risk_free: float = 0.0, sessions: int = SESSIONS_A_YEAR) -> float | None:
    """As `sharpe`, over the downside deviation: the root of the mean of squared shortfalls, over all sessions.

    Source: F. A. Sortino, L. N. Price, "Performance Measurement in a Downside Risk Framework",
    Journal of Investing 3 (1994), 59-64.
    """
    if len(returns) < 2:
        return None
    excess = returns - session_rate(risk_free, sessions=sessions)
    downside = sqrt(float(np.mean(np.minimum(excess, 0.0) ** 2)))
    return float(excess.mean()) / downside * sqrt(sessions) if downside > NOISE else None


def session_rate(yearly: float, *, sessions: int = SESSIONS_A_YEAR) -> float:
    """The rate of one session that compounds to `yearly`: (1 + yearly) ** (1 / sessions) - 1."""
    if not yearly > -1:
        raise UnusableSeries(f"risk-free rate {yearly} must be above -1")
    return float((1 + yearly) ** (1 / sessions) - 1)


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


def exchanged(weights: Floats) -> Floats:
    """One-way turnover between consecutive rows of `weights` (days, symbols), price drift left out: (days - 1,).

    Half of the sum of absolute changes, cash (what the row leaves) counted as a holding: the larger of what was
    bought and what was sold.
    """
    held = np.column_stack([weights, 1 - weights.sum(axis=1)])
    changes: Floats = 0.5 * np.abs(np.diff(held, axis=0)).sum(axis=1)
    return changes


def turnover(traded: Floats, *, sessions: int = SESSIONS_A_YEAR) -> Turnover:
    """Mean of `traded` (share of equity exchanged one way, a session each), and the same over a year of `sessions`."""
    if not len(traded):
        return Turnover(0.0, 0.0)
    if not (np.isfinite(traded) & (traded >= 0)).all():
        raise UnusableSeries("turnover must be finite and not negative")
    daily = float(traded.mean())
    return Turnover(daily, daily * sessions)


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
