"""Performance: what the account earned, as curves beside a benchmark, by strategy and by month, for a range of days."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from alchemiser_cli import formats
from alchemiser_cli.csv_rows import csv_text
from alchemiser_cli.dashboard.layout import Page
from alchemiser_cli.dashboard.pages import Asked
from alchemiser_cli.dashboard.pages.today import gain_fact
from alchemiser_cli.dashboard.source import HeldBeside, Source
from alchemiser_cli.report import charts
from alchemiser_cli.report.facts import Fact, drawdown_note
from alchemiser_cli.report.statistics import Floats, MonthlyYear, drawdowns, max_drawdown
from alchemiser_cli.report.tables import month_table
from alchemiser_cli.stored_account import read_curve
from alchemiser_cli.worth_rows import worth_rows
from alchemiser_readmodel.performance import Gain, Performance, Worth, growth, performance, since


@dataclass(frozen=True, slots=True)
class Range:
    """One of the ranges that are offered."""

    name: str
    first: date | None
    """First session that counts; None for the account's first."""


def earned(source: Source, asked: Asked) -> Page:
    """`from` and `to`: first and last session that count, ISO dates; what is none is left out."""
    curve = read_curve(source.open_state(), source.account)
    first, last = _day(asked.get("from", "")), _day(asked.get("to", ""))
    found = performance(since(curve, first, last))
    values: dict[str, object] = {
        "ranges": tuple(_ranges(curve)),
        "first": first,
        "last": last,
        "found": found,
        "sessions": len(curve),
    }
    if found is None:
        return Page("performance.html", "Performance", values)
    days, grown, notes = _growth(found)
    beside, lacks = _beside(source.beside, found.curve, days)
    figures = [_equity(days, grown, beside), _drawdown(days, grown)] if grown is not None else [_worth(found)]
    facts = [gain_fact("Profit", found.whole), Fact("Equity", formats.money(found.curve[-1].equity), str(days[-1]))]
    if grown is not None:
        fall = max_drawdown(days, grown)
        facts.append(Fact("Deepest fall", formats.percent(fall.depth if fall else 0.0), drawdown_note(fall)))
    if beside is not None:
        held = float(beside[1][-1]) - 1
        facts.append(Fact(f"{beside[0]}, held", formats.percent(held, signed=True), "from close to close"))
    return Page(
        "performance.html",
        "Performance",
        {**values, "earned": facts, "notes": (*notes, *lacks), "months": month_table(_years(found.months))},
        days=days,
        figures=figures,
    )


def download(source: Source, asked: Asked) -> str | None:
    """The same sessions as CSV; None of fewer than two worths."""
    curve = read_curve(source.open_state(), source.account)
    found = performance(since(curve, _day(asked.get("from", "")), _day(asked.get("to", ""))))
    return None if found is None else csv_text(worth_rows(found))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _ranges(curve: Sequence[Worth]) -> Iterator[Range]:
    """From the last session back."""
    if not curve:
        return
    last = curve[-1].day
    for name, days in (("1 month", 30), ("3 months", 91), ("1 year", 365), ("3 years", 1095)):
        if last - timedelta(days=days) > curve[0].day:
            yield Range(name, last - timedelta(days=days))
    if curve[0].day.year < last.year:
        yield Range(f"{last.year}", date(last.year, 1, 1))
    yield Range("All", None)


def _growth(found: Performance) -> tuple[Sequence[date], Floats | None, Sequence[str]]:
    """Each session's day, and what one dollar had become after it.

    What the account had before its first session has no day of its own: the curve begins after that session then.
    """
    grown = growth(found.curve)
    skipped = 1 if found.curve[0].day == found.curve[1].day and len(found.curve) > 2 else 0
    days = [worth.day for worth in found.curve[skipped:]]
    if grown is None:
        return days, None, ("At one time there was nothing to earn on: no return can be told, equity is shown.",)
    return days, np.array([float(value) for value in grown[skipped:]]), ()


def _beside(
    beside: HeldBeside | None, curve: Sequence[Worth], days: Sequence[date]
) -> tuple[tuple[str, Floats] | None, Sequence[str]]:
    """The benchmark's line over the same days from the curve's beginning, or why there is none."""
    if beside is None:
        return None, ()
    lacking = [day for day in (curve[0].day, *days) if day not in beside.closes]
    if lacking:
        return None, (f"No {beside.symbol} beside it: the price data have no close of {lacking[0]}.",)
    base = beside.closes[curve[0].day]
    return (beside.symbol, np.array([beside.closes[day] / base for day in days])), ()


def _equity(days: Sequence[date], grown: Floats, beside: tuple[str, Floats] | None) -> charts.Figure:
    return charts.equity(
        grown,
        alt=f"Line chart: one dollar becomes {grown[-1]:.4f} between {days[0]} and {days[-1]}.",
        caption="What one dollar became, deposits and withdrawals taken out.",
        unit=charts.Unit.TIMES_START,
        beside=beside,
    )


def _worth(found: Performance) -> charts.Figure:
    skipped = 1 if found.curve[0].day == found.curve[1].day and len(found.curve) > 2 else 0
    values = np.array([float(worth.equity) for worth in found.curve[skipped:]])
    return charts.equity(
        values,
        alt=f"Line chart: equity, {formats.money(values[-1])} at the end.",
        caption="The account's equity, with what was deposited and withdrawn.",
        unit=charts.Unit.USD,
    )


def _drawdown(days: Sequence[date], grown: Floats) -> charts.Figure:
    fall = drawdown_note(max_drawdown(days, grown))
    return charts.drawdown(
        drawdowns(grown),
        alt=f"Line chart: distance from the last peak; deepest fall: {fall}.",
        caption=f"The distance from the last peak. Deepest fall: {fall}.",
    )


def _years(months: Sequence[Gain]) -> list[MonthlyYear]:
    """Months as the table of a backtest has them; a year's total is of its months that are known."""
    years: dict[int, list[float | None]] = {}
    for month in months:
        place = years.setdefault(month.until.year, [None] * 12)
        place[month.until.month - 1] = None if month.fraction is None else float(month.fraction)
    return [
        MonthlyYear(year, tuple(values), float(np.prod([1 + value for value in values if value is not None])) - 1)
        for year, values in sorted(years.items())
    ]
