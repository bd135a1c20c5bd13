"""Figures of a benchmark: how they are measured, how they travel as JSON and how they are printed beside their aims."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one piece of work: medians of the repeats, and the least of them."""

    wall: float
    cpu: float
    least: float
    least_cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value. `aim` is the most that is wanted; `least` is the best repeat and `cpu` the processor time."""

    subject: str
    name: str
    value: float
    unit: str
    aim: float | None = None
    least: float | None = None
    cpu: float | None = None
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the aim is kept; None where there is none."""
        return None if self.aim is None else self.value <= self.aim


@dataclass(frozen=True, slots=True)
class Process:
    """What one process needed from start to end: seconds, processor seconds and MB (10^6 bytes) at its peak."""

    wall: float
    cpu: float
    peak: float


def timed(work: Callable[[], object], repeats: int, *, warm_ups: int = 1) -> Timing:
    """Repeat the work in this process."""
    for _ in range(warm_ups):
        work()
    walls, cpus = [], []
    for _ in range(repeats):
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return timing_of(walls, cpus)


def timing_of(walls: Sequence[float], cpus: Sequence[float]) -> Timing:
    """Seconds of equal pieces of work in one."""
    return Timing(statistics.median(walls), statistics.median(cpus), min(walls), min(cpus))


def milliseconds(subject: str, name: str, timing: Timing, *, aim: float | None = None, note: str = "") -> Figure:
    """A timing as a figure in ms; the aim is in ms too."""
    return Figure(
        subject=subject,
        name=name,
        value=timing.wall * 1e3,
        unit="ms",
        aim=aim,
        least=timing.least * 1e3,
        cpu=timing.cpu * 1e3,
        note=note,
    )


def processes(command: Sequence[str], folder: Path, environment: Mapping[str, str], repeats: int) -> list[Process]:
    """Run a command that often, each time as a new process, after one run that is not counted."""
    found = []
    for _ in range(repeats + 1):
        launched = subprocess.run(
            [sys.executable, "-I", "-S", str(_LAUNCHER), *command],
            cwd=folder,
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if launched.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed: {launched.stderr.strip()}")
        found.append(Process(**json.loads(launched.stdout)))
    return found[1:]


def of_processes(
    subject: str, name: str, runs: Sequence[Process], *, time_aim: float | None, peak_aim: float | None, note: str = ""
) -> list[Figure]:
    """Time from start to end (aim in ms) and peak memory (aim in MB) of equal runs."""
    timing = timing_of([run.wall for run in runs], [run.cpu for run in runs])
    peak = max(run.peak for run in runs)
    return [
        milliseconds(subject, name, timing, aim=time_aim, note=note),
        Figure(subject=subject, name=f"{name}: peak memory", value=peak, unit="MB", aim=peak_aim),
    ]


def publish(figures: Sequence[Figure]) -> None:
    """Hand figures to the report that started this process."""
    sys.stdout.write(json.dumps([asdict(figure) for figure in figures]))


def table(figures: Sequence[Figure]) -> str:
    """Figures as text, a line each, grouped by subject."""
    lines: list[str] = []
    head = f"{'':56}{'median':>11} {'':4}{'least':>10}{'CPU':>10}{'aim':>10}  holds"
    for number, figure in enumerate(figures):
        if number == 0 or figure.subject != figures[number - 1].subject:
            lines += ["", figure.subject, head]
        rest = "".join(f"{_number(value):>10}" for value in (figure.least, figure.cpu, figure.aim))
        line = (
            f"  {figure.name:54}{_number(figure.value):>11} {figure.unit:4}{rest}  {_verdict(figure):5} {figure.note}"
        )
        lines.append(line.rstrip())
    return "\n".join(lines) + "\n"


def _verdict(figure: Figure) -> str:
    """`cpu`: the median misses the aim, but the work itself keeps it; the machine was busy with something else."""
    if figure.holds is False and figure.cpu is not None and figure.aim is not None and figure.cpu <= figure.aim:
        return "cpu"
    return {True: "yes", False: "NO", None: ""}[figure.holds]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.1e}" if 0 < abs(value) < 1e-3 else f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
