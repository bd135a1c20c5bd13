"""A function's image at work under the Lambda runtime interface emulator, in a container as locked up as Lambda's."""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from images.docker import docker
from images.errors import ImagesError
from local.functions import Answered, Failed, Function, Overran, Unreachable

_FULL_CPU_MB = 1769
"""Lambda gives one vCPU at this memory size, and a proportional share below and above."""
_START_SECONDS = 30.0
_PATIENCE = timedelta(minutes=15)
"""Longer than the emulator lets a function work, unless a variable tells it otherwise."""
_INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)\)")
_LOCKED = ("--read-only", "--tmpfs", "/tmp:size=512m", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")  # noqa: S108


@dataclass(frozen=True, slots=True)
class RunningImage:
    """A container at work; the emulator starts the function's process with the first invocation."""

    container: str
    function: Function

    def invoke(self, event: bytes) -> Answered | Failed | Overran:
        """One invocation. Raises ImagesError if no answer comes."""
        outcome = self.function.send(event)
        if isinstance(outcome, Unreachable):
            raise ImagesError(f"invocation got no answer ({outcome.reason}); the container said: {self.log()[-600:]}")
        return outcome

    def log(self) -> str:
        """Everything the container printed, the emulator's lines included."""
        return docker("container", "logs", self.container, merge=True)

    def reports(self) -> list[str]:
        """The REPORT lines, one an invocation."""
        return [line for line in self.log().splitlines() if line.startswith("REPORT ")]

    def init_seconds(self) -> float:
        """How long the function's process took to be ready. Raises ImagesError before the first invocation."""
        found = _INIT.search(self.log())
        if found is None:
            raise ImagesError("the emulator reported no init; invoke the function first")
        return float(found.group(1)) / 1000

    def peak_memory(self) -> int:
        """Largest resident size of the function's process so far, in bytes; Linux engines on this machine only."""
        processes = docker("container", "top", self.container, "-eo", "pid,args").splitlines()[1:]
        pids = [line.split()[0] for line in processes if Path(line.split()[1]).name.startswith("python")]
        if not pids:
            raise ImagesError("the function's process has ended; the container's log says why")
        status = Path("/proc", pids[0], "status").read_text("ascii")
        (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
        return int(kilobytes) * 1024


@contextmanager
def running(
    image: str,
    *,
    environment: Mapping[str, str] | None = None,
    env_file: Path | None = None,
    emulator: Path | None = None,
    cpu_of_mb: int | None = None,
    timeout: timedelta = _PATIENCE,
) -> Iterator[RunningImage]:
    """As `started`, and removed in the end."""
    work = started(
        image, environment=environment, env_file=env_file, emulator=emulator, cpu_of_mb=cpu_of_mb, timeout=timeout
    )
    try:
        yield work
    finally:
        docker("container", "rm", "--force", work.container)


def started(
    image: str,
    *,
    environment: Mapping[str, str] | None = None,
    env_file: Path | None = None,
    emulator: Path | None = None,
    cpu_of_mb: int | None = None,
    timeout: timedelta = _PATIENCE,
    labels: Mapping[str, str] | None = None,
) -> RunningImage:
    """Start the image; it listens. An image without the emulator in it gets it from `emulator`.

    `cpu_of_mb` gives it the CPU share that Lambda gives with so much memory; an invocation is given up after `timeout`.
    Raises ImagesError, and leaves nothing then.
    """
    arguments = ["run", "--detach", *_LOCKED, "--publish", "127.0.0.1::8080"]
    for name, value in (environment or {}).items():
        arguments += ["--env", f"{name}={value}"]
    for name, value in (labels or {}).items():
        arguments += ["--label", f"{name}={value}"]
    if env_file is not None:
        arguments += ["--env-file", str(env_file)]
    if cpu_of_mb is not None:
        arguments += ["--cpus", f"{cpu_of_mb / _FULL_CPU_MB:.3f}"]
    if emulator is not None:
        arguments += ["--volume", f"{emulator}:/aws-lambda-rie:ro", "--entrypoint", "/aws-lambda-rie"]
        command = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", image))
        arguments += [image, *command["Entrypoint"], *command["Cmd"]]
    else:
        arguments.append(image)
    container = docker(*arguments)
    try:
        address = docker("container", "port", container, "8080/tcp").splitlines()[0]
        image_at_work = RunningImage(container, Function(image, f"http://{address}", timeout=timeout))
        _wait_until_it_listens(image_at_work)
    except BaseException:
        docker("container", "rm", "--force", container)
        raise
    return image_at_work


def _wait_until_it_listens(image: RunningImage) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(image.function.url, timeout=1)  # noqa: S310
        except urllib.error.HTTPError:
            return  # an answer, if only that the page is unknown
        except OSError:
            time.sleep(0.02)
    raise ImagesError(f"the emulator did not listen within {_START_SECONDS:.0f} s: {image.log()[-600:]}")
