"""The drill's page: acts, cycles with verdicts, who had authority, the gate at each look, equity, orders, alarms."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alchemiser_cli import formats
from alchemiser_cli.report import charts
from alchemiser_cli.report.facts import Fact, Tone
from alchemiser_cli.report.page import page
from alchemiser_cli.report.statistics import drawdowns
from alchemiser_common.json_value import Json
from drill.script import Script
from drill.tale import Tale

_AUTHORITY = {"monolith": charts.LINE, "modular": charts.GAIN}


@dataclass(frozen=True, slots=True)
class _Head:
    """What the page's frame asks for."""

    title: str
    notice: str


def render(tale: Tale, script: Script, seconds: float) -> str:
    """The page as one HTML text."""
    head = _Head("Cutover drill", f"The drill failed: {tale.failed}" if tale.failed else "")
    cycles = tale.cycles
    return page(
        "page.html",
        days=[cycle.day for cycle in cycles],
        figures=[_equity(tale), _authority(tale)] if cycles else [],
        folder=str(Path(__file__).parent),
        report=head,
        facts=_facts(tale, seconds),
        acts=tale.acts,
        cycles=cycles,
        gate=tale.gate,
        phases=tale.phases,
        days_alike=script.days_alike,
        took=formats.seconds(seconds),
    )


def _facts(tale: Tale, seconds: float) -> list[Fact]:
    verdicts = Counter(cycle.verdict for cycle in tale.cycles if cycle.verdict)
    said = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common()) or "none"
    orders = sum(len(cycle.orders) for cycle in tale.cycles)
    end = "what did not hold is said above" if tale.failed else "all held"
    return [
        Fact("Assertions", f"{tale.checks}", end, Tone.BAD if tale.failed else Tone.GOOD),
        Fact("Cycles", f"{len(tale.cycles)}", f"in {len(tale.acts)} acts, {formats.seconds(seconds)}"),
        Fact("Verdicts", f"{sum(verdicts.values())}", said),
        Fact("Filled orders", f"{orders}", "each the trader's, written down first, placed once"),
    ]


def _equity(tale: Tale) -> charts.Figure:
    values = np.array([float(cycle.equity) for cycle in tale.cycles])
    alt = f"Line chart: equity after each cycle, from {values[0]:,.0f} to {values[-1]:,.0f} dollars."
    caption = "Equity of the account at the exchange after each cycle. The pipelines change; the account goes on."
    return charts.equity(values, drawdowns(values), key="equity", alt=alt, caption=caption, unit="$")


def _authority(tale: Tale) -> charts.Figure:
    """One bar a cycle: who could trade in it."""
    traces: list[Json] = [
        {
            "type": "bar",
            "name": holder,
            "x": [cycle.day.isoformat() for cycle in tale.cycles if cycle.authority == holder],
            "y": [len(cycle.orders) for cycle in tale.cycles if cycle.authority == holder],
            "marker": {"color": colour},
            "hovertemplate": f"%{{x}}: %{{y}} filled orders, {holder} trades<extra></extra>",
        }
        for holder, colour in _AUTHORITY.items()
    ]
    layout: dict[str, Json] = {
        "bargap": 0.2,
        "yaxis": {"title": {"text": "Filled orders"}, "rangemode": "tozero"},
    }
    spans = ", ".join(f"{holder} from cycle {after + 1}" for after, _, holder in tale.phases)
    return charts.Figure(
        "authority",
        "Who traded",
        f"Bar chart of filled orders by cycle, coloured by the pipeline with authority: {spans}.",
        f"Filled orders of each cycle, in the colour of the pipeline that had the authority: {spans}.",
        traces,
        layout,
        tuple(charts.LegendEntry(holder, colour) for holder, colour in _AUTHORITY.items()),
    )
