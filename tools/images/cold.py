"""How fast each image starts under the emulator: init and first invocation, cold page cache, Lambda's CPU shares.

Init is what the function's process needs until it asks for its first event; the first invocation includes it.
"""

import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alchemiser_common.aws.clients import AwsClients, keyed_session
from alchemiser_common.settings import AwsSettings
from images.docker import docker
from images.errors import ImagesError
from images.function import running
from local.functions import Answered

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

SIZES = (128, 512, 1024, 1769, 3008)
"""Memory sizes in MB; Lambda gives a vCPU for each 1769 of them."""
_CACHES = Path("/proc/sys/vm/drop_caches")
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Subject:
    """An image with the event that its first invocation gets."""

    name: str
    image: str
    event: bytes
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Starts:
    """Medians over some starts: seconds, bytes; and the range of init."""

    name: str
    memory_mb: int
    init: float
    init_range: tuple[float, float]
    first: float
    memory: int


def measure(
    subjects: list[Subject], emulator: Path, runs: int, sizes: tuple[int, ...], tell: Callable[[str], None]
) -> Iterator[Starts]:
    """Start every image `runs` times at each size, in turns so that what else the machine does meets all alike."""
    for size in sizes:
        taken: dict[str, list[tuple[float, float, int]]] = {subject.name: [] for subject in subjects}
        for run in range(runs):
            tell(f"{size} MB, start {run + 1} of {runs}")
            for subject in subjects:
                taken[subject.name].append(_start(subject, emulator, size))
        for name, starts in taken.items():
            inits, firsts, memories = zip(*starts, strict=True)
            yield Starts(
                name,
                size,
                statistics.median(inits),
                (min(inits), max(inits)),
                statistics.median(firsts),
                int(statistics.median(memories)),
            )


def can_cool() -> bool:
    """Whether this process may empty the machine's page cache."""
    return os.access(_CACHES, os.W_OK)


# The emulator's container is up before the function's process is: the process starts with the first invocation. So the
# page cache is emptied in between, and what is timed is a process that reads all its files from disk.
def _start(subject: Subject, emulator: Path, memory_mb: int) -> tuple[float, float, int]:
    with running(subject.image, environment=subject.environment, emulator=emulator, cpu_of_mb=memory_mb) as function:
        if can_cool():
            os.sync()
            _CACHES.write_text("3")
        asked = time.monotonic()
        outcome = function.invoke(subject.event)
        took = time.monotonic() - asked
        if not isinstance(outcome, Answered) or "itemIdentifier" in outcome.text:
            raise ImagesError(f"{subject.name} answered {outcome.text}: {function.log()[-600:]}")
        return function.init_seconds(), took, function.peak_memory()


@dataclass(frozen=True, slots=True)
class StandInQueue:
    """TradeDecisionQueue in a stand-in for SQS, and the variables that tell a strategy function of it."""

    url: str
    client: "SQSClient"
    variables: Mapping[str, str]


@contextmanager
def strategy_queue() -> Iterator[StandInQueue]:
    """A queue that containers reach: moto on the address that Docker's bridge gives this machine (Linux)."""
    host = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    with socket.socket() as free:
        free.bind((host, 0))
        port = free.getsockname()[1]
    url = f"http://{host}:{port}"
    command = [sys.executable, "-m", "moto.server", "--host", host, "--port", str(port)]
    key = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(host, port)
            sqs = AwsClients(AwsSettings(endpoint_url=url), keyed_session(*key.values())).sqs
            created = sqs.create_queue(QueueName="TradeDecisionQueue.fifo", Attributes={"FifoQueue": "true"})
            variables = {
                **key,
                "ALCHEMISER_BACKEND": "aws",
                "ALCHEMISER_AWS__ENDPOINT_URL": url,
                "ALCHEMISER_AWS__TRADE_DECISION_QUEUE": created["QueueUrl"],
                "ALCHEMISER_AWS__BUCKET": "nobodys",
            }
            yield StandInQueue(created["QueueUrl"], sqs, variables)
        finally:
            process.terminate()


def _wait_for(host: str, port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise ImagesError(f"moto did not listen on {host}:{port} within {_PATIENCE:.0f} s") from None
            time.sleep(0.1)
        else:
            return


def table(starts: list[Starts]) -> str:
    """Markdown; milliseconds, megabytes of a million bytes."""
    lines = ["| CPU of | image | init | range | first invocation | peak memory |", "|---:|---|---:|---:|---:|---:|"]
    for start in starts:
        low, high = start.init_range
        lines.append(
            f"| {start.memory_mb} MB | {start.name} | {start.init * 1e3:.0f} ms | {low * 1e3:.0f}-{high * 1e3:.0f} "
            f"| {start.first * 1e3:.0f} ms | {start.memory / 1e6:.0f} MB |"
        )
    return "\n".join(lines) + "\n"
