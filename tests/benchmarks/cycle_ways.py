"""Three ways to run a cycle, for `bench_cycles`: three containers with queues, one container, one plain process."""

import json
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from typing import ClassVar, Protocol

from alchemiser_common.ids import Pipeline
from images.docker import docker
from images.function import RunningImage, started
from local.event_source import EventSource
from local.functions import Answered, Event, Outcome
from local.scheduler import cycle_event
from local.stage import LocalStage
from support.container_rig import compose_environment

_QUEUES = {"strategy": "MarketDataQueue", "trading": "TradeDecisionQueue"}
PRICE_OF_GB_SECOND, _PRICE_OF_INVOCATION = 0.0000166667, 0.20e-6
"""USD, Lambda, x86, us-east-1 (aws.amazon.com/lambda/pricing)."""
_PRICE_OF_QUEUE_REQUEST, _CHUNK = 0.50e-6, 64 * 1024
"""USD, SQS FIFO; a message counts once for each 64 KiB that it has begun (aws.amazon.com/sqs/pricing)."""
_SPAWN = multiprocessing.get_context("spawn")


class Way(Protocol):
    """One way to run a cycle."""

    pipeline: Pipeline

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
        return math.ceil(seconds * 1e3) / 1e3 * self.memory(service) / 1024 * PRICE_OF_GB_SECOND + _PRICE_OF_INVOCATION


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
class _InContainers:
    """A way through containers; one of the functions waits for the fills."""

    containers: Containers
    waits: ClassVar[str]

    def renew(self) -> None:
        self.containers.renew()

    def memory_that_waits(self) -> float:
        return self.containers.memory(self.waits) / 1024

    def stop(self) -> None:
        self.containers.stop()


@dataclass
class Modular(_InContainers):
    """Data, strategy and trading in containers, with queues between them."""

    stage: LocalStage
    waits = "trading"
    pipeline: Pipeline = Pipeline.MODULAR

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


@dataclass
class Monolith(_InContainers):
    """The monolith's container."""

    waits = "monolith"
    pipeline: Pipeline = Pipeline.MONOLITH

    def run(self, due: datetime) -> tuple[dict[str, float], float]:
        function = _Watched("monolith", self.containers.running["monolith"])
        _answered(function.invoke(cycle_event(due)))
        return {"monolith": function.seconds}, self.containers.price("monolith", function.seconds)


class InProcess:
    """The monolith's handler in a process of this machine: no container, no emulator, no CPU limit, no bill."""

    pipeline: Pipeline = Pipeline.MONOLITH

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
