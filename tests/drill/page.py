"""The drill's page: acts, cycles with verdicts, who had authority, the gate at each look, equity, orders, alarms."""

from collections import Counter
from pathlib import Path

import numpy as np

from alchemiser_cli import formats
from alchemiser_cli.report import charts
from alchemiser_cli.report.facts import Fact, Tone
from alchemiser_cli.report.page import page
from alchemiser_cli.report.statistics import Floats, drawdowns
from drill.script import Script
from drill.tale import Tale

_AUTHORITY = {"monolith": charts.LINE, "modular": charts.GAIN}


def render(tale: Tale, script: Script, seconds: float) -> str:
    """The page as one HTML text."""
    cycles = tale.cycles
    return page(
        "page.html",
        title="Cutover drill",
        notice=f"The drill failed: {tale.failed}" if tale.failed else "",
        days=[cycle.day for cycle in cycles],
        figures=[_equity(tale), _drawdown(tale), _authority(tale)] if cycles else [],
        folder=str(Path(__file__).parent),
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
    values = _values(tale)
    alt = f"Line chart: equity after each cycle, from {values[0]:,.0f} to {values[-1]:,.0f} dollars."
    caption = "Equity of the account at the exchange after each cycle. The pipelines change; the account goes on."
    return charts.equity(values, alt=alt, caption=caption, unit=charts.Unit.USD)


def _drawdown(tale: Tale) -> charts.Figure:
    alt = "Line chart: the equity's distance from its last peak after each cycle."
    return charts.drawdown(drawdowns(_values(tale)), alt=alt, caption="The distance from the last peak.")


def _values(tale: Tale) -> Floats:
    return np.array([float(cycle.equity) for cycle in tale.cycles])


def _authority(tale: Tale) -> charts.Figure:
    """One bar a cycle: who could trade in it."""
    series = [
        charts.Series(
            holder,
            colour,
            tuple(len(cycle.orders) if cycle.authority == holder else None for cycle in tale.cycles),
        )
        for holder, colour in _AUTHORITY.items()
    ]
    spans = ", ".join(f"{holder} from cycle {after + 1}" for after, _, holder in tale.phases)
    return charts.bars(
        series,
        charts.Axis("Filled", charts.Unit.ORDERS),
        key="authority",
        title="Who traded",
        alt=f"Bar chart of filled orders by cycle, coloured by the pipeline with authority: {spans}.",
        caption=f"Filled orders of each cycle, in the colour of the pipeline that had the authority: {spans}.",
    )
