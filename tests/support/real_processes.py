"""Real trading processes as a test sees them: started, told to go on, killed with SIGKILL, heard to the end."""

import os
import queue
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport
from support.stoppable_trading import STILL_RUNNING, Assignment, Moment
from support.trading_rig import Rig

TESTS = Path(__file__).parents[1]
PATIENCE = 60.0
"""Seconds of real time after which something that must happen has not."""
DELIVERIES = 8


def until(condition: Callable[[], bool], what: str) -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE:.0f} s"
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended by itself: with a report, or asking to be delivered again."""

    report: ExecutionReport | None
    again: str = ""


class TradingProcess:
    """One process; what it says is read as it comes."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.stoppable_trading"],
            cwd=TESTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._said: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def hear(self, *words: str) -> str:
        """The next line that starts with one of the words. Fails if the process ends without it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.0))
            except queue.Empty:
                raise AssertionError(f"never said {words}, but: {self._said}") from None
            assert line is not None, f"ended without {words}: {self._said}"
            self._said.append(line)
            if line.startswith(words):
                return line

    def tell(self, line: str = "") -> None:
        """Give it a line; without one it just goes on."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def kill(self) -> bool:
        """SIGKILL, and wait until it is gone. False if it had ended before."""
        if not self.ended:
            os.kill(self._process.pid, signal.SIGKILL)
        return self._process.wait(PATIENCE) == -signal.SIGKILL

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        return self._process.poll() is not None

    def ending(self) -> Ending:
        """Wait until it ends by itself."""
        last = self.hear("report ", "again ")
        code = self._process.wait(PATIENCE)
        word, _, rest = last.partition(" ")
        if word == "report":
            assert code == 0, self._said
            return Ending(ExecutionReport.model_validate_json(rest))
        assert code == STILL_RUNNING, self._said
        return Ending(None, rest)

    def close(self) -> None:
        self.kill()
        self._reader.join(PATIENCE)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


@dataclass
class Crew:
    """The processes of one test on one exchange, and how many of them were killed."""

    rig: Rig
    folder: Path
    started: int = 0
    killed: int = 0
    _all: list[TradingProcess] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._all:
            process.close()

    def assign(self, process: TradingProcess, decision: TradeDecision, stand: Moment | None = None) -> TradingProcess:
        """Deliver the message to a process that is ready."""
        self.started += 1
        assignment = Assignment(
            worker=f"process-{self.started}",
            url=self.rig.control_url,
            folder=self.folder,
            settings=self.rig.settings,
            decision=decision.model_dump_json(),
            stand=stand,
        )
        process.tell(assignment.model_dump_json())
        return process

    def ready(self) -> TradingProcess:
        """A new process that waits for its message."""
        process = TradingProcess()
        self._all.append(process)
        process.hear("ready")
        return process

    def deliver(self, decision: TradeDecision, stand: Moment | None = None) -> TradingProcess:
        """A new process at work on the message; if it is to stand still somewhere, it stands there now."""
        process = self.assign(self.ready(), decision, stand)
        if stand is not None:
            process.hear("standing")
        return process

    def kill(self, process: TradingProcess) -> None:
        """Kill a process that must still be alive."""
        assert process.kill(), "it had ended before it could be killed"
        self.killed += 1

    def wait_for_orders(self, number: int = 1) -> None:
        """Until so many orders have reached the broker."""
        until(lambda: len(self.rig.orders()) >= number, f"{number} orders at the broker")

    def let_the_lease_run_out(self) -> None:
        self.rig.control.advance(self.rig.settings.execution.lease_seconds + 1)

    def redeliver(self, decision: TradeDecision) -> ExecutionReport:
        """Deliver in new processes, each after the lease of the one before, until the run has ended."""
        for _ in range(DELIVERIES):
            self.let_the_lease_run_out()
            ending = self.deliver(decision).ending()
            if ending.report is not None:
                return ending.report
        raise AssertionError(f"{DELIVERIES} deliveries did not end the run")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else can read or write the state file meanwhile."""
    connection = sqlite3.connect(folder / "state.sqlite", timeout=PATIENCE, isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()
