"""What each execution style costs on the bundled model of the market: 250 sessions of 10 legs each, the same decisions.

The model's prices drift smoothly within a session and do not answer to orders: waiting saves a part of the spread
when they come towards the limit and loses as much when they go away. The figures compare styles on that model only.
"""

import statistics
import time
from datetime import date

from alchemiser_common.messages.report import LegReport, RunStatus
from alchemiser_common.settings import ExecutionSettings, ExecutionStyle
from alchemiser_simulator import sample_history
from benchmarks.figures import Figure, publish
from benchmarks.trading_scene import decision_time, scene

SUBJECT = "execution styles: 250 sessions of 10 legs on the bundled market"
FIRST = date(2018, 6, 1)
SESSIONS = 250
HELD = 10


def figures() -> list[Figure]:
    """A few figures for each style."""
    return [figure for style in ExecutionStyle for figure in _of_style(style)]


def _of_style(style: ExecutionStyle) -> list[Figure]:
    history = sample_history()
    days = [day for day in history.dates if day >= FIRST][:SESSIONS]
    symbols = [symbol for symbol, close in zip(history.symbols, history.close[-1], strict=True) if close > 5]
    rules = ExecutionSettings(tight_style=style, normal_style=style, wide_style=style)
    legs: list[LegReport] = []
    partial = 0
    began = time.process_time()
    with scene(history, decision_time(days[0]), execution=rules) as rig:
        for number, day in enumerate(days):
            moment = decision_time(day)
            rig.clock.move_to(moment)
            held = [symbols[(number * HELD // 2 + offset) % len(symbols)] for offset in range(HELD)]
            report = rig.trade(rig.decision(dict.fromkeys(held, 0.098), scheduled=moment))
            if report.status not in {RunStatus.COMPLETED, RunStatus.PARTIAL}:
                raise RuntimeError(f"{style.value}, {day}: {report.status.value}: {report.reason}")
            partial += report.status is RunStatus.PARTIAL
            legs += [leg for leg in report.legs if leg.filled > 0]
    costs = [float(leg.slippage_bps) for leg in legs if leg.slippage_bps is not None]
    error = statistics.stdev(costs) / len(costs) ** 0.5
    seconds = statistics.mean(leg.duration.total_seconds() for leg in legs)
    note = f"± {error:.2f} (standard error), {len(costs):,} legs"
    rows: list[tuple[str, float, str, str]] = [
        ("mean slippage against the arrival mid", statistics.mean(costs), "bp", note),
        ("median slippage", statistics.median(costs), "bp", ""),
        ("mean steps a leg", statistics.mean(leg.steps for leg in legs), "", ""),
        ("mean seconds to the end of a leg", seconds, "s", ""),
        ("sessions that ended partial", float(partial), "", f"{time.process_time() - began:.0f} s of this machine"),
    ]
    return [
        Figure(subject=SUBJECT, name=f"{style.value}: {name}", value=value, unit=unit, note=text)
        for name, value, unit, text in rows
    ]


if __name__ == "__main__":
    publish(figures())
