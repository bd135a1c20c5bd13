"""Figures as page.js draws them: numbers in, frozen figures and plain JSON out.

Colours are names (`--c-…` of page.css), so that one figure is right in light, dark and print. An axis cannot be made
without its unit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from math import isnan

from alchemiser_cli.report.allocation import Band
from alchemiser_cli.report.redaction import public_text
from alchemiser_cli.report.slippage import Bin
from alchemiser_cli.report.statistics import SESSIONS_A_YEAR, Floats
from alchemiser_common.json_value import Json

LINE, LOSS, COST, GAIN, BESIDE = "line", "loss", "cost", "gain", "beside"
LONG = 3 * SESSIONS_A_YEAR
"""Sessions from which an equity curve opens in log scale: equal growth is then equally high, early or late."""


class Unit(StrEnum):
    """What an axis counts; the text stands beside its name. Percent are fractions in the data."""

    USD = "USD"
    TIMES_START = "\N{MULTIPLICATION SIGN} start"
    PERCENT = "%"
    RATIO = "ratio"
    LEGS = "legs"
    ORDERS = "orders"
    BASIS_POINTS = "bp"
    DATE = "date"


class Scale(StrEnum):
    """How an axis that has a switch opens."""

    LINEAR = "linear"
    LOG = "log"


class Kind(StrEnum):
    """How series are drawn."""

    LINES = "lines"
    LAYERS = "layers"
    """Stacked, in steps: a value holds until it is changed."""
    BARS = "bars"


@dataclass(frozen=True, slots=True)
class Axis:
    """What is measured, and in what."""

    name: str
    unit: Unit

    @property
    def text(self) -> str:
        """As it stands beside the axis."""
        return f"{self.name} ({self.unit})"


SESSIONS = Axis("Session", Unit.DATE)
"""The page's days."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line, layer or row of bars; None is a gap."""

    name: str
    colour: str
    values: tuple[float | None, ...]
    dashed: bool = False
    filled: bool = False
    """Down (or up) to 0."""


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One colour's meaning, shown in HTML beside the figure; a dashed line has a dashed sign."""

    name: str
    colour: str
    note: str = ""
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """One chart: its place in the page, what it says in words, and what page.js draws.

    Figures over the page's days share their margins, their zoom and the day that is pointed at.
    """

    key: str
    title: str
    alt: str
    caption: str
    kind: Kind
    y: Axis
    series: tuple[Series, ...]
    x: Axis = SESSIONS
    places: tuple[float, ...] = ()
    """The x values; none: the page's days."""
    labels: tuple[str, ...] = ()
    """What each x value is called where the bare value says too little."""
    scale: Scale | None = None
    """How the y axis opens; None: linear, without a switch."""
    bounds: tuple[float | None, float | None] = (None, None)
    """Where the y axis ends, below and above; None: where the values do."""
    legend: tuple[LegendEntry, ...] = ()

    def json(self) -> Json:
        """What page.js reads."""
        series: list[Json] = [
            {
                "name": public_text(each.name),
                "colour": each.colour,
                "values": list(each.values),
                "dashed": each.dashed,
                "filled": each.filled,
            }
            for each in self.series
        ]
        return {
            "kind": self.kind.value,
            "x": {"text": self.x.text, "unit": self.x.unit.value},
            "y": {"text": self.y.text, "unit": self.y.unit.value},
            "places": list(self.places),
            "labels": list(self.labels),
            "scale": (self.scale or Scale.LINEAR).value,
            "bounds": list(self.bounds),
            "series": series,
        }


def equity(
    values: Floats, *, alt: str, caption: str, unit: Unit, key: str = "equity", beside: tuple[str, Floats] | None = None
) -> Figure:
    """Equity (days,) with a switch to log scale, in which long spans open; `beside`: another line, held."""
    written = partial(_rounded, digits=2) if unit is Unit.USD else _significant
    series = [Series("Equity", LINE, written(values))]
    legend: tuple[LegendEntry, ...] = ()
    if beside is not None:
        name = public_text(beside[0])
        series.append(Series(name, BESIDE, written(beside[1]), dashed=True))
        legend = (LegendEntry("Equity", LINE), LegendEntry(name, BESIDE, "held", dashed=True))
    scale = Scale.LOG if len(values) > LONG else Scale.LINEAR
    axis = Axis("Equity", unit)
    return Figure(key, "Equity", alt, caption, Kind.LINES, axis, tuple(series), scale=scale, legend=legend)


def drawdown(values: Floats, *, alt: str, caption: str, key: str = "drawdown") -> Figure:
    """The distance from the last peak (days,), fractions of 0 or less."""
    series = (Series("Drawdown", LOSS, _rounded(values, 5), filled=True),)
    return Figure(key, "Drawdown", alt, caption, Kind.LINES, Axis("Drawdown", Unit.PERCENT), series, bounds=(None, 0))


def line(values: Floats, axis: Axis, *, key: str, title: str, alt: str, caption: str) -> Figure:
    """One line (days,); NaN is a gap."""
    return Figure(key, title, alt, caption, Kind.LINES, axis, (Series(axis.name, LINE, _rounded(values, 3)),))


def weights(bands: Sequence[Band], *, alt: str, caption: str, before: int = 0) -> Figure:
    """Stacked shares of equity, the first band at the bottom; `before`: days of the page before the bands' first."""
    series = tuple(
        Series(band.name, band.colour, ((None,) * before) + _rounded(band.weights, 4), filled=True) for band in bands
    )
    entries = tuple(LegendEntry(band.name, band.colour, f"{band.weights.mean():.0%}") for band in bands)
    axis = Axis("Share of equity", Unit.PERCENT)
    title = "Weights over time"
    return Figure("weights", title, alt, caption, Kind.LAYERS, axis, series, bounds=(0, 1), legend=entries)


def bars(series: Sequence[Series], y: Axis, *, key: str, title: str, alt: str, caption: str) -> Figure:
    """Bars from 0 over the page's days, each in the colour of the one series that has a value."""
    legend = tuple(LegendEntry(each.name, each.colour) for each in series)
    return Figure(key, title, alt, caption, Kind.BARS, y, tuple(series), bounds=(0, None), legend=legend)


def slippage_distribution(bins: Sequence[Bin], *, alt: str, caption: str) -> Figure:
    """Legs by slippage."""
    sides = (("Better than the mid", GAIN, False), ("Worse than the mid", COST, True))
    series = tuple(
        Series(name, colour, tuple(each.orders if (each.low >= 0) is worse else None for each in bins))
        for name, colour, worse in sides
    )
    return Figure(
        "slippage",
        "How much legs cost",
        alt,
        caption,
        Kind.BARS,
        Axis("How many", Unit.LEGS),
        series,
        x=Axis("Slippage against the arrival mid", Unit.BASIS_POINTS),
        places=tuple(round((each.low + each.high) / 2, 6) for each in bins),
        labels=tuple(f"{each.low:g} to {each.high:g} bp".replace("-", "\N{MINUS SIGN}") for each in bins),
        bounds=(0, None),
        legend=tuple(LegendEntry(each.name, each.colour) for each in series),
    )


def _rounded(values: Floats, digits: int) -> tuple[float | None, ...]:
    return tuple(None if isnan(value) else round(value, digits) for value in _floats(values))


def _significant(values: Floats) -> tuple[float | None, ...]:
    return tuple(float(f"{value:.7g}") for value in _floats(values))


def _floats(values: Floats) -> Iterable[float]:
    return (float(value) for value in values)
