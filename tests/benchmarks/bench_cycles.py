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
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from alchemiser_cli.stage.names import SERVICES
from alchemiser_common.settings import ScheduleSettings
from alchemiser_simulator import ClockMode, SimulatorConfig, SimulatorControl, SimulatorServer, sample_history
from drill.builds import images_of
from images.checkout import read_checkout
from images.docker import docker, require_engine
from images.function import RunningImage, started
from local.aws import LocalAws
from local.cycle import Exchange
from local.event_source import EventSource
from local.functions import Answered, Event, Outcome
from local.scheduler import cycle_event
from local.stage import LocalStage, universe_of
from support.container_rig import compose_environment

ACCOUNT = "demo"
START = datetime(2020, 6, 3, 13, 30, tzinfo=UTC)
_QUEUES = {"strategy": "MarketDataQueue", "trading": "TradeDecisionQueue"}
_PRICE_OF_GB_SECOND, _PRICE_OF_INVOCATION = 0.0000166667, 0.20e-6
"""USD, Lambda, x86, us-east-1 (aws.amazon.com/lambda/pricing)."""
_PRICE_OF_QUEUE_REQUEST, _CHUNK = 0.50e-6, 64 * 1024
"""USD, SQS FIFO; a message counts once for each 64 KiB that it has begun (aws.amazon.com/sqs/pricing)."""
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


class Way(Protocol):
    """One way to run a cycle."""

    phase: str

    def renew(self) -> None:
        """Make the next cycle a cold one."""
        ...

    def run(self, due: datetime) -> tuple[dict[str, float], float]:
        """One cycle: seconds by step, and USD without what is waited. Raises RuntimeError if it is not done."""
        ...

    def memory_that_waits(self) -> float:
        """GB of the function that waits for the fills."""
        ...

    def stop(self) -> None:
        """Leave nothing."""
        ...


@dataclass
class Place:
    """Where AWS and the exchange answer, for containers and for this process."""

    aws: str
    exchange: str

    def variables(self, service: str) -> dict[str, str]:
        """What compose.yaml tells the function, with the addresses of here."""
        told = compose_environment(service)
        return {
            name: value.replace("http://aws:5000", self.aws).replace("http://alpaca:8765", self.exchange)
            for name, value in told.items()
        }


@dataclass
class Containers:
    """Functions as containers, each with its share of a CPU."""

    place: Place
    images: Mapping[str, str]
    running: dict[str, RunningImage] = field(default_factory=dict)

    def renew(self) -> None:
        self.stop()
        for service in self.images:
            self.running[service] = started(
                self.images[service], environment=self.place.variables(service), cpu_of_mb=self.memory(service)
            )

    def stop(self) -> None:
        for work in self.running.values():
            docker("container", "rm", "--force", "--volumes", work.container)
        self.running.clear()

    def memory(self, service: str) -> int:
        """MB."""
        return int(self.place.variables(service)["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])

    def price(self, service: str, seconds: float) -> float:
        """USD of one invocation."""
        return math.ceil(seconds * 1e3) / 1e3 * self.memory(service) / 1024 * _PRICE_OF_GB_SECOND + _PRICE_OF_INVOCATION


@dataclass
class _Watched:
    """A function that times what it is asked."""

    service: str
    running: RunningImage
    seconds: float = 0.0
    bytes: int = 0

    @property
    def name(self) -> str:
        return self.service

    @property
    def timeout(self) -> timedelta:
        return timedelta(seconds=30)

    def invoke(self, event: Event) -> Outcome:
        body = json.dumps(event).encode()
        began = time.perf_counter()
        outcome = self.running.function.send(body)
        self.seconds, self.bytes = time.perf_counter() - began, len(body)
        return outcome


@dataclass
class Modular:
    """Data, strategy and trading in containers, with queues between them."""

    containers: Containers
    stage: LocalStage
    phase: str = "modular"

    def renew(self) -> None:
        self.containers.renew()

    def run(self, due: datetime) -> tuple[dict[str, float], float]:
        data = _Watched("data", self.containers.running["data"])
        _answered(data.invoke(cycle_event(due)))
        steps, queues = {"data": data.seconds}, 0.0
        cost = self.containers.price("data", data.seconds)
        sqs = self.stage.aws.clients.sqs
        for service, output in _QUEUES.items():
            function = _Watched(service, self.containers.running[service])
            source = EventSource(sqs, sqs.get_queue_url(QueueName=self.stage.name(output))["QueueUrl"], function)
            began = time.perf_counter()
            delivery = source.poll()
            took = time.perf_counter() - began
            if delivery is None or not delivery.done:
                raise RuntimeError(f"{service}: {delivery}; it said: {function.running.log()[-2000:]}")
            steps[service] = function.seconds
            queues += took - function.seconds
            requests_of_message = 2 * math.ceil(function.bytes / _CHUNK) + 1  # send, receive; delete
            cost += self.containers.price(service, function.seconds) + requests_of_message * _PRICE_OF_QUEUE_REQUEST
        return {**steps, "queues": queues}, cost

    def memory_that_waits(self) -> float:
        return self.containers.memory("trading") / 1024

    def stop(self) -> None:
        self.containers.stop()


@dataclass
class Monolith:
    """The monolith's container."""

    containers: Containers
    phase: str = "monolith"

    def renew(self) -> None:
        self.containers.renew()

    def run(self, due: datetime) -> tuple[dict[str, float], float]:
        function = _Watched("monolith", self.containers.running["monolith"])
        _answered(function.invoke(cycle_event(due)))
        return {"monolith": function.seconds}, self.containers.price("monolith", function.seconds)

    def memory_that_waits(self) -> float:
        return self.containers.memory("monolith") / 1024

    def stop(self) -> None:
        self.containers.stop()


class InProcess:
    """The monolith's handler in a process of this machine: no container, no emulator, no CPU limit, no bill."""

    phase = "monolith"

    def __init__(self, place: Place) -> None:
        self._variables = place.variables("monolith")
        self._worker: tuple[multiprocessing.process.BaseProcess, Connection] | None = None

    def renew(self) -> None:
        self.stop()

    def run(self, due: datetime) -> tuple[dict[str, float], float]:
        began = time.perf_counter()
        if self._worker is None:
            here, there = _SPAWN.Pipe()
            process = _SPAWN.Process(target=_answer_events, args=(there, self._variables), daemon=True)
            process.start()
            self._worker = (process, here)
        connection = self._worker[1]
        connection.send(cycle_event(due))
        answer = connection.recv()
        seconds = time.perf_counter() - began
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return {"monolith": seconds}, 0.0

    def memory_that_waits(self) -> float:
        return 0.0

    def stop(self) -> None:
        if self._worker is not None:
            process, connection = self._worker
            connection.close()
            process.terminate()
            process.join(10)
            self._worker = None


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        return 300_000


def _answer_events(connection: Connection, variables: Mapping[str, str]) -> None:
    """The worker's part: the handler as its image has it, events from the connection."""
    os.environ.update(variables)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    from alchemiser_common.lambda_entry import LambdaEntry
    from alchemiser_monolith.bootstrap import monolith_function

    entry = LambdaEntry("monolith", monolith_function, os.environ)
    while True:
        try:
            event = connection.recv()
        except EOFError:
            return
        try:
            connection.send(entry(event, _Context()))
        except Exception as error:  # noqa: BLE001  (told to whoever measures)
            connection.send({"error": f"{type(error).__name__}: {error}"})


def _answered(outcome: Outcome) -> None:
    if isinstance(outcome, Answered):
        return
    raise RuntimeError(f"not answered: {outcome}")


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
    control: SimulatorControl
    found: dict[str, list[Timed]] = field(default_factory=lambda: {"warm": [], "cold": []})

    def cycle(self) -> Timed:
        """The next session's."""
        due = Exchange(self.place.exchange).next_decision(ScheduleSettings())
        self.control.set_now(due)
        before = len(self.control.state().orders)
        steps, cost = self.way.run(due)
        waited = (self.control.clock().now - due).total_seconds()
        cost += waited * self.way.memory_that_waits() * _PRICE_OF_GB_SECOND
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
            stage.first_use(universe, way.phase)
            sides[name] = Side(way, there, up.enter_context(SimulatorControl(there.exchange)))
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
