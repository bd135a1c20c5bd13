"""A cycle through the three functions against the monolith's: seconds and money, warm and cold. `make bench-cycles`.

Three ways through the same sessions of the same market, each on its own account, taking turns so that what else the
machine does meets all alike: three containers with their queues, the monolith's container, and the monolith's handler
in a process without container and CPU limit. AWS is moto, the broker the simulated exchange, in processes of their own.
The exchange's time passes for whoever waits for it, so what is timed is work; what a run waits for its fills is told
apart, and costs money as work does.

Warm is a function that has answered before; cold a container (or process) that has not: its process is started by the
event. A container gets the CPU share of its memory on Lambda, at its start too, where Lambda gives a whole core.
"""

import argparse
import json
import math
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from alchemiser_cli.stage.names import SERVICES
from alchemiser_cli.stored_runs import read_run
from alchemiser_common.ids import cycle_id, run_id
from alchemiser_common.settings import ScheduleSettings
from alchemiser_simulator import ClockMode, SimulatorConfig, SimulatorControl, SimulatorServer, sample_history
from benchmarks.cycle_ways import PRICE_OF_GB_SECOND, Containers, InProcess, Modular, Monolith, Place, Way
from drill.builds import images_of
from images.checkout import read_checkout
from images.docker import docker, require_engine
from local.aws import LocalAws
from local.cycle import Exchange
from local.stage import LocalStage, universe_of

ACCOUNT = "demo"
START = datetime(2020, 6, 3, 13, 30, tzinfo=UTC)
_TRADED = {"completed", "partial"}
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Timed:
    """One cycle: seconds of work by step, seconds that the exchange's time went on, and the bill in USD."""

    steps: Mapping[str, float]
    waited: float
    cost: float
    orders: int

    @property
    def work(self) -> float:
        """All steps."""
        return sum(self.steps.values())


# ------------------------------------------------------------------------------------------ what is around them
def _exchange(host: str, connection: Connection) -> None:
    config = SimulatorConfig(history=sample_history(), start=START, clock=ClockMode.WAITED)
    with SimulatorServer(config, host=host) as server:
        connection.send(server.url)
        connection.recv()


@contextmanager
def place() -> Iterator[Place]:
    """AWS and exchange, each a process, on the address that containers reach."""
    host = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    serve = f"from local.aws_server import serve_aws; serve_aws({host!r})"
    here, there = _SPAWN.Pipe()
    exchange = _SPAWN.Process(target=_exchange, args=(host, there), daemon=True)
    exchange.start()
    with subprocess.Popen([sys.executable, "-c", serve], stdout=subprocess.PIPE, text=True) as aws:
        try:
            assert aws.stdout is not None
            yield Place(aws.stdout.readline().strip(), here.recv())
        finally:
            aws.terminate()
            here.send("end")
            exchange.join(10)


@dataclass
class Side:
    """One way with the account that it trades."""

    way: Way
    place: Place
    stage: LocalStage
    control: SimulatorControl
    found: dict[str, list[Timed]] = field(default_factory=lambda: {"warm": [], "cold": []})

    def cycle(self) -> Timed:
        """The next session's. Raises RuntimeError if it did not trade: a failure is quick and no figure."""
        due = Exchange(self.place.exchange).next_decision(ScheduleSettings())
        self.control.set_now(due)
        before = len(self.control.state().orders)
        steps, cost = self.way.run(due)
        run = read_run(self.stage.state, run_id(cycle_id(ACCOUNT, due), self.way.pipeline))
        if run is None or run.status not in _TRADED:
            raise RuntimeError(f"{due}: {run and (run.status, run.reason)}")
        waited = (self.control.clock().now - due).total_seconds()
        cost += waited * self.way.memory_that_waits() * PRICE_OF_GB_SECOND
        return Timed(steps, waited, cost, len(self.control.state().orders) - before)


def measure(sides: Sequence[Side], warm: int, cold: int) -> None:
    """`warm` cycles after one that is not counted, and `cold` ones spread over them; sessions follow one another.

    Interrupted it leaves what was measured until then.
    """
    for side in sides:
        side.way.renew()
        side.cycle()
    done = {"warm": 0, "cold": 0}
    try:
        while done["warm"] < warm or done["cold"] < cold:
            state = "cold" if done["cold"] * max(warm, 1) < done["warm"] * cold or done["warm"] >= warm else "warm"
            round_of = []
            for side in sides:
                if state == "cold":
                    side.way.renew()
                round_of.append(side.cycle())
            for side, timed in zip(sides, round_of, strict=True):
                side.found[state].append(timed)
            done[state] += 1
            _tell(f"{done['warm']} of {warm} warm, {done['cold']} of {cold} cold")
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted: the table is of what was measured until now\n")
    _tell("")


def _tell(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text:60}" if text else "\r" + " " * 60 + "\r")


# ------------------------------------------------------------------------------------------ the table
def _rows(name: str, cycles: Sequence[Timed]) -> Iterator[tuple[str, str, list[float]]]:
    yield name, "whole cycle", [cycle.work for cycle in cycles]
    steps = list(cycles[0].steps)
    if len(steps) > 1:
        for step in steps:
            yield name, step, [cycle.steps[step] for cycle in cycles]


def table(found: Mapping[str, Mapping[str, Sequence[Timed]]]) -> str:
    """Markdown: milliseconds of work, seconds waited, USD."""
    lines = []
    for state in ("warm", "cold"):
        ways = {name: cycles[state] for name, cycles in found.items() if cycles[state]}
        if not ways:
            continue
        count = len(next(iter(ways.values())))
        lines += [f"\n{count} {state} cycles", "", "| | | median | p95 | maximum |", "|---|---|--:|--:|--:|"]
        for name, cycles in ways.items():
            for way, step, values in _rows(name, cycles):
                figures = (statistics.median(values), _percentile(values, 0.95), max(values))
                lines.append(f"| {way} | {step} | " + " | ".join(f"{value * 1e3:,.0f} ms" for value in figures) + " |")
        lines += ["", "| | orders a cycle | waited for fills | USD per 1,000 cycles |", "|---|--:|--:|--:|"]
        for name, cycles in ways.items():
            orders = statistics.mean(cycle.orders for cycle in cycles)
            waited = statistics.mean(cycle.waited for cycle in cycles)
            cost = statistics.mean(cycle.cost for cycle in cycles) * 1000
            lines.append(f"| {name} | {orders:.1f} | {waited:.0f} s | {f'{cost:.2f}' if cost else ''} |")
        lines += ["", _overhead(ways)]
    return "\n".join(lines) + "\n"


def _overhead(ways: Mapping[str, Sequence[Timed]]) -> str:
    modular, monolith = ways[MODULAR], ways[MONOLITH]
    work = [statistics.median(cycle.work for cycle in cycles) for cycles in (modular, monolith)]
    cost = [statistics.mean(cycle.cost for cycle in cycles) * 1000 for cycles in (modular, monolith)]
    return (
        f"Three functions instead of one: {(work[0] - work[1]) * 1e3:+,.0f} ms of work a cycle "
        f"(x {work[0] / work[1]:.2f}), {cost[0] - cost[1]:+.2f} USD per 1,000 cycles (x {cost[0] / cost[1]:.2f})"
    )


def _percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many are not above."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


MODULAR, MONOLITH, IN_PROCESS = "three functions", "monolith, container", "monolith, process"


def main() -> int:
    """Exit code 0; 1 with a traceback if a cycle is not done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--warm", type=int, default=200, help="warm cycles of each way (200)")
    parser.add_argument("--cold", type=int, default=20, help="cold ones (20)")
    parser.add_argument("--tag", help="of the images; by default this tree's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every cycle's figures there as well")
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is started without
    require_engine()
    checkout = read_checkout(os.environ)
    images = images_of(checkout.settings.prefix, given.tag or checkout.source.tag)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    sys.stdout.write(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {load} at the start\n")
    of_modular = {service: images[service] for service in SERVICES if service != "monolith"}
    with ExitStack() as up:
        places = [up.enter_context(place()) for _ in range(3)]
        stages = [LocalStage(LocalAws(there.aws), ACCOUNT, speed=1) for there in places]
        modular = Modular(Containers(places[0], of_modular), stages[0])
        monolith = Monolith(Containers(places[1], {"monolith": images["monolith"]}))
        ways: dict[str, Way] = {MODULAR: modular, MONOLITH: monolith, IN_PROCESS: InProcess(places[2])}
        for way in ways.values():
            up.callback(way.stop)
        modular.renew()
        universe = universe_of(modular.containers.running["strategy"].function)
        sides = {}
        for (name, way), there, stage in zip(ways.items(), places, stages, strict=True):
            stage.first_use(universe, way.pipeline.value)
            sides[name] = Side(way, there, stage, up.enter_context(SimulatorControl(there.exchange)))
        measure(list(sides.values()), given.warm, given.cold)
    found = {name: side.found for name, side in sides.items()}
    sys.stdout.write(table(found))
    if given.json:
        rows = {
            name: {
                state: [{**c.steps, "waited": c.waited, "usd": c.cost, "orders": c.orders} for c in cycles]
                for state, cycles in states.items()
            }
            for name, states in found.items()
        }
        given.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
