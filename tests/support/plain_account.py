"""A backtest of one strategy as a person would do it by hand, day by day: nothing of the product is used here.

Whether a decision is due is found again from the dates, or from what the last targets have drifted to since the close
they were decided at; then shares are bought and sold, and costs paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

type Row = Sequence[float]


@dataclass(frozen=True, slots=True)
class PlainResult:
    """By day: equity, what was turned over, and whether the day's close decided."""

    equity: list[float]
    turnover: list[float]
    due: list[bool]


def plain_account(
    days: Sequence[date],
    opens: Sequence[Row],
    closes: Sequence[Row],
    targets: Sequence[Row],
    *,
    every: str,
    threshold: float | None,
    fill: str,
    costs_bps: float,
) -> PlainResult:
    """`every` is daily, weekly, monthly, quarterly or yearly; a threshold takes its place."""
    cash, shares = 1.0, [0.0] * len(closes[0])
    last = -1
    result = PlainResult([], [], [])
    waiting: Row | None = None
    for day, at_close in enumerate(closes):
        turned = 0.0
        now_due = last < 0 or (
            _changed(every, days[last], days[day])
            if threshold is None
            else _off(targets[last], targets[day], closes[last], at_close, threshold)
        )
        if fill == "close" and now_due:
            waiting = targets[day]
        if waiting is not None:
            price = opens[day] if fill == "next-open" else at_close
            worth = cash + sum(number * each for number, each in zip(shares, price, strict=True))
            wanted = [weight * worth for weight in waiting]
            changes = [want - number * each for want, number, each in zip(wanted, shares, price, strict=True)]
            bought, sold = sum(c for c in changes if c > 0), -sum(c for c in changes if c < 0)
            turned = max(bought, sold) / worth
            rest = worth - (bought + sold) * costs_bps / 10_000
            shares = [weight * rest / each for weight, each in zip(waiting, price, strict=True)]
            cash = rest - sum(weight * rest for weight in waiting)
            waiting = None
        if now_due:
            last = day
            waiting = None if fill == "close" else targets[day]
        result.equity.append(cash + sum(number * each for number, each in zip(shares, at_close, strict=True)))
        result.turnover.append(turned)
        result.due.append(now_due)
    return result


def _changed(every: str, before: date, now: date) -> bool:
    match every:
        case "daily":
            return True
        case "weekly":
            return before.isocalendar()[:2] != now.isocalendar()[:2]
        case "monthly":
            return before.strftime("%Y-%m") != now.strftime("%Y-%m")
        case "quarterly":
            return (before.year, (before.month + 2) // 3) != (now.year, (now.month + 2) // 3)
    return before.year != now.year


def _off(old: Row, new: Row, then: Row, now: Row, threshold: float) -> bool:
    values = [weight * b / a for weight, a, b in zip(old, then, now, strict=True)]
    total = sum(values) + 1 - sum(old)
    drifted = [value / total for value in values]
    if any((a > 0) != (b > 0) for a, b in zip(new, drifted, strict=True)):
        return True
    return any(abs(a - b) > threshold for a, b in zip(new, drifted, strict=True))
