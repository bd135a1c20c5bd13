"""Figures as plotly.js reads them: numbers in, plain JSON objects out. Colours come from here, all else from CSS.

Names from data are escaped here, because plotly.js reads a small HTML in every text it draws.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import isnan

from alchemiser_cli.report.allocation import Band
from alchemiser_cli.report.redaction import public_text
from alchemiser_cli.report.slippage import Bin, SymbolCost
from alchemiser_cli.report.statistics import Floats
from alchemiser_common.json_value import Json

LINE, LOSS, COST, GAIN, BESIDE = "#3b7dd8", "#cf5542", "#c07f1a", "#2f9e77", "#8a8f98"


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One colour's meaning, shown in HTML beside the figure."""

    name: str
    colour: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One chart: its place in the page, what it says in words, and what plotly.js draws.

    Traces without an `x` are drawn over the page's days.
    """

    key: str
    title: str
    alt: str
    caption: str
    traces: list[Json]
    layout: dict[str, Json]
    legend: tuple[LegendEntry, ...] = ()
    log_toggle: bool = False


def equity(
    values: Floats,
    drawdown: Floats,
    *,
    key: str,
    alt: str,
    caption: str,
    unit: str = "",
    log_toggle: bool = False,
    beside: tuple[str, Floats] | None = None,
) -> Figure:
    """Equity (days,) above its drawdown (days,), zoomed together; `beside` is another line's name and values."""
    traces: list[Json] = [_line(_significant(values), "Equity", LINE, unit=unit)]
    legend: tuple[LegendEntry, ...] = ()
    if beside is not None:
        traces.append(_line(_significant(beside[1]), _text(beside[0]), BESIDE, unit=unit))
        legend = (LegendEntry("Equity", LINE), LegendEntry(_text(beside[0]), BESIDE, "held"))
    fall = _line(_rounded(drawdown), "Drawdown", LOSS, unit="")
    fall |= {
        "yaxis": "y2",
        "fill": "tozeroy",
        "fillcolor": f"{LOSS}40",
        "hovertemplate": "%{y:.2%}",
    }
    traces.append(fall)
    layout: dict[str, Json] = {
        "hovermode": "x unified",
        "xaxis": {"anchor": "y2"},
        "yaxis": {
            "domain": [0.36, 1],
            "tickprefix": unit,
            "tickformat": ",.6~r",
            "title": {"text": "Equity", "standoff": 10},
        },
        "yaxis2": {
            "domain": [0, 0.28],
            "tickformat": ".0~%",
            "rangemode": "tozero",
            "title": {"text": "Drawdown", "standoff": 10},
        },
    }
    return Figure(key, "Equity and drawdown", alt, caption, traces, layout, legend, log_toggle=log_toggle)


def line(values: Floats, *, key: str, title: str, alt: str, caption: str) -> Figure:
    """One line (days,); NaN is a gap."""
    drawn: list[Json] = [None if isnan(value) else round(value, 3) for value in _floats(values)]
    traces: list[Json] = [_line(drawn, title, LINE, unit="")]
    layout: dict[str, Json] = {"hovermode": "x unified", "yaxis": {"title": {"text": title, "standoff": 10}}}
    return Figure(key, title, alt, caption, traces, layout)


def weights(bands: Sequence[Band], *, alt: str, caption: str) -> Figure:
    """Stacked shares of equity (days,) a band; steps, because a weight holds until it is changed."""
    traces: list[Json] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": _text(band.name),
            "y": _rounded(band.weights, 4),
            "stackgroup": "equity",
            "line": {"width": 0, "shape": "hv"},
            "fillcolor": band.colour,
            "hoverinfo": "skip",  # the page lists a day's holdings in one label, without the zeros
        }
        for band in bands
    ]
    layout: dict[str, Json] = {
        "hovermode": "x unified",
        "yaxis": {
            "tickformat": ".0%",
            "range": [0, 1],
            "fixedrange": True,
            "title": {"text": "Share of equity", "standoff": 10},
        },
    }
    entries = tuple(LegendEntry(band.name, band.colour, f"{band.weights.mean():.0%}") for band in bands)
    return Figure("weights", "Weights over time", alt, caption, traces, layout, entries)


def slippage_distribution(bins: Sequence[Bin], *, alt: str, caption: str) -> Figure:
    """Orders by slippage."""
    traces: list[Json] = [
        {
            "type": "bar",
            "x": [round((each.low + each.high) / 2, 6) for each in bins],
            "y": [each.orders for each in bins],
            "width": [round(each.high - each.low, 6) for each in bins],
            "customdata": [f"{each.low:g} to {each.high:g} bp" for each in bins],
            "marker": {"color": [COST if each.low >= 0 else GAIN for each in bins]},
            "hovertemplate": "%{customdata}: %{y} orders<extra></extra>",
        }
    ]
    layout: dict[str, Json] = {
        "bargap": 0.06,
        "xaxis": {"type": "linear", "ticksuffix": " bp", "title": {"text": "Slippage against the arrival mid"}},
        "yaxis": {"title": {"text": "Orders"}, "rangemode": "tozero"},
    }
    return Figure("slippage", "How much orders cost", alt, caption, traces, layout)


def slippage_by_symbol(costs: Sequence[SymbolCost], *, alt: str, caption: str) -> Figure:
    """Mean slippage a symbol, the most traded on top."""
    shown = list(reversed(costs))
    traces: list[Json] = [
        {
            "type": "bar",
            "orientation": "h",
            "y": [_text(cost.symbol) for cost in shown],
            "x": [round(float(cost.mean_bps), 2) for cost in shown],
            "customdata": [f"{cost.orders:,} orders, ${cost.notional:,.0f}" for cost in shown],
            "marker": {"color": [COST if cost.mean_bps >= 0 else GAIN for cost in shown]},
            "hovertemplate": "%{y}: %{x:.1f} bp (%{customdata})<extra></extra>",
        }
    ]
    layout: dict[str, Json] = {
        "bargap": 0.35,
        "xaxis": {"type": "linear", "ticksuffix": " bp", "title": {"text": "Mean slippage, weighted by notional"}},
        "yaxis": {"type": "category", "dtick": 1, "tickfont": {"size": 10}},
    }
    return Figure("slippage-by-symbol", "What each symbol cost", alt, caption, traces, layout)


def _line(values: list[Json], name: str, colour: str, *, unit: str) -> dict[str, Json]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "y": values,
        "line": {"color": colour, "width": 1.8, "dash": "solid"},
        "hovertemplate": f"{unit}%{{y:,.6~r}}",
    }


def _text(name: str) -> str:
    """A name from data as plotly.js must be given it: nothing in it is markup."""
    return escape(public_text(name))


def _rounded(values: Floats, digits: int = 5) -> list[Json]:
    return [round(value, digits) for value in _floats(values)]


def _significant(values: Floats) -> list[Json]:
    return [float(f"{value:.7g}") for value in _floats(values)]


def _floats(values: Floats) -> Iterable[float]:
    return (float(value) for value in values)
