"""The trading service on the simulated exchange in virtual time: 100 legs at once, and 250 sessions of 10 legs."""

import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from alchemiser_common.messages.report import LegStatus, RunStatus
from benchmarks.figures import Figure, milliseconds, of_processes, processes, publish, timing_of
from benchmarks.trading_scene import MOST_ORDERS as LEGS
from benchmarks.trading_scene import decision_time, scene
from support.command import environment
from support.faulty_ports import Faults, FaultyBroker
from support.trading_rig import Rig, quiet_market, sessions

SUBJECT = "trading: through alpaca-py and HTTP, virtual time"
SESSIONS = 250
LEGS_A_SESSION = 10
_RUNS = 5
_MINUTE = timedelta(minutes=1)
_MARKET_DATA_CALLS = frozenset({"bars", "trades", "quotes"})
_MARKET_DATA = "GET /v2/stocks"
"""Its limit is another."""


def figures() -> list[Figure]:
    """The large run, the many runs, and the process's start."""
    return [*_large_run(), *_many_runs(), *_start()]


def _symbols(count: int) -> list[str]:
    return [f"S{number:03d}" for number in range(count)]


def _trading_requests(rig: Rig) -> int:
    """Requests that count against the account's 200 a minute."""
    counts = rig.control.state().requests
    return sum(count for name, count in counts.items() if " /v2/" in name and not name.startswith(_MARKET_DATA))


def _large_run() -> list[Figure]:
    """100 buys from cash: what it takes here, on the exchange's clock, and in requests."""
    symbols = _symbols(LEGS)
    walls, cpus, minutes, requests, busiest = [], [], 0.0, 0, 0
    for _ in range(_RUNS):
        start = datetime(2020, 6, 3, 13, 45, tzinfo=UTC)
        with scene(quiet_market(dict.fromkeys(symbols, 50.0)), start) as rig:
            decision = rig.decision(dict.fromkeys(symbols, 0.0099))
            before, began = _trading_requests(rig), rig.clock.now()
            wall, cpu = time.perf_counter(), time.process_time()
            calls = Faults()
            asked: list[datetime] = []
            calls.on_call = lambda name, rig=rig, asked=asked: (
                None if name in _MARKET_DATA_CALLS else asked.append(rig.clock.now())
            )
            report = rig.trade(decision, broker=FaultyBroker(rig.broker, calls))
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
            minutes = (rig.clock.now() - began).total_seconds() / 60
            requests = _trading_requests(rig) - before
            busiest = max(sum(at <= other < at + _MINUTE for other in asked) for at in asked)
            filled = sum(leg.status is LegStatus.FILLED for leg in report.legs)
            if report.status is not RunStatus.COMPLETED or filled != LEGS:
                raise RuntimeError(f"the run is {report.status.value} with {filled} legs filled: {report.reason}")
    return [
        milliseconds(SUBJECT, f"{LEGS} legs, decision to report", timing_of(walls, cpus), aim=2000),
        Figure(subject=SUBJECT, name=f"{LEGS} legs: minutes of the exchange's time", value=minutes, unit="min"),
        Figure(subject=SUBJECT, name=f"{LEGS} legs: requests a leg", value=requests / LEGS, unit=""),
        Figure(
            subject=SUBJECT,
            name=f"{LEGS} legs: requests in the busiest minute",
            value=busiest,
            unit="",
            aim=200,
        ),
    ]


def _many_runs() -> list[Figure]:
    """A session a day, half of 10 holdings changed for others: 5 sells and 5 buys."""
    symbols = _symbols(2 * LEGS_A_SESSION)
    days = sessions(date(2020, 1, 2), date(2021, 3, 1))
    history = quiet_market(dict.fromkeys(symbols, 50.0), days)
    first = 30
    start = decision_time(days[first])
    with scene(history, start) as rig:
        legs, wall, cpu = 0, time.perf_counter(), time.process_time()
        for number, day in enumerate(days[first : first + SESSIONS]):
            moment = decision_time(day)
            rig.clock.move_to(moment)
            held = [symbols[(number * 5 + offset) % len(symbols)] for offset in range(LEGS_A_SESSION)]
            report = rig.trade(rig.decision(dict.fromkeys(held, 0.099), scheduled=moment))
            if report.status is not RunStatus.COMPLETED:
                raise RuntimeError(f"{day}: {report.status.value}: {report.reason}")
            legs += len(report.legs)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        requests = _trading_requests(rig)
    return [
        Figure(
            subject=SUBJECT,
            name=f"{SESSIONS} sessions, {legs} legs",
            value=wall,
            cpu=cpu,
            unit="s",
            aim=60,
        ),
        Figure(subject=SUBJECT, name=f"{SESSIONS} sessions: requests a leg", value=requests / legs, unit=""),
    ]


def _start() -> list[Figure]:
    """What the trading function's process needs before it can work."""
    plain = environment()
    with TemporaryDirectory() as name:
        folder = Path(name)
        runs = {
            "trading service without a broker": "import alchemiser_trading.handler",
            "trading service with alpaca-py": "import alchemiser_trading.handler, alchemiser_common.alpaca.broker",
        }
        found = [
            of_processes(
                SUBJECT,
                f"process: {name}",
                processes([sys.executable, "-c", code], folder, plain, _RUNS),
                time_aim=None,
                peak_aim=None,
            )
            for name, code in runs.items()
        ]
    return [figure for figures_of_one in found for figure in figures_of_one]


if __name__ == "__main__":
    publish(figures())
