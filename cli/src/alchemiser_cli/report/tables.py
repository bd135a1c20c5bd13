"""Tables with a drawing in them, that need no script: bars in SVG, months in colour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alchemiser_cli import formats
from alchemiser_cli.report.charts import COST, GAIN
from alchemiser_cli.report.slippage import SymbolCost
from alchemiser_cli.report.statistics import MonthlyYear

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HEAT_STEPS = 10
FULL_SHARE = 0.9
"""Share of the months that are below the strongest colour: one odd month does not bleach all others."""
LEAST_FULL = 0.001
"""A month of 0.1 % is never the strongest colour's: there is nothing to see in noise."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: its figure in words, and its length from -100 to 100 of the longest."""

    name: str
    note: str
    text: str
    length: float
    colour: str

    @property
    def left(self) -> float:
        """Where the bar begins."""
        return min(self.length, 0.0)

    @property
    def width(self) -> float:
        """How long it is, of 100."""
        return abs(self.length)


@dataclass(frozen=True, slots=True)
class BarTable:
    """Bars to both sides of 0."""

    key: str
    title: str
    row: str
    value: str
    bars: tuple[Bar, ...]
    caption: str

    @property
    def begins(self) -> int:
        """Where the drawing begins: at 0, unless a bar goes to the left."""
        return -100 if any(bar.length < 0 for bar in self.bars) else 0


@dataclass(frozen=True, slots=True)
class MonthTable:
    """Years of monthly returns, the latest first, coloured by what is much for this strategy."""

    years: tuple[MonthlyYear, ...]
    full: float
    """The return from which the colour is strongest, a fraction above 0."""
    names: tuple[str, ...] = MONTHS

    def heat(self, value: float) -> int:
        """A month's step of colour, 0 to 10."""
        return min(HEAT_STEPS, round(abs(value) / self.full * HEAT_STEPS))


def month_table(years: Sequence[MonthlyYear]) -> MonthTable:
    """Monthly returns with the scale of their own."""
    known = [abs(value) for year in years for value in year.months if value is not None]
    full = float(np.quantile(known, FULL_SHARE)) if known else 0.0
    return MonthTable(tuple(reversed(years)), max(full, LEAST_FULL))


def cost_table(costs: Sequence[SymbolCost], *, caption: str) -> BarTable:
    """Mean slippage a symbol, basis points."""
    longest = max((abs(float(cost.mean_bps)) for cost in costs), default=0.0) or 1.0
    bars = tuple(
        Bar(
            name=cost.symbol,
            note=f"{formats.count(cost.orders, 'leg')}, {formats.money(cost.notional, 0)}",
            text=formats.basis_points(cost.mean_bps),
            length=round(float(cost.mean_bps) / longest * 100, 2),
            colour=COST if cost.mean_bps >= 0 else GAIN,
        )
        for cost in costs
    )
    return BarTable("slippage-by-symbol", "What each symbol cost", "Symbol", "Mean slippage (bp)", bars, caption)
