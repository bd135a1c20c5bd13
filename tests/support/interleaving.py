"""Several workers, one step at a time in a seeded order: every I/O call is a point where another goes on.

Now and then a worker stands still for longer than its lease, as a frozen process would.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from support.trading_rig import ExchangeClock

_PAUSE_CHANCE = 0.01
_PATIENCE_SECONDS = 60.0


@dataclass
class _Worker:
    name: str
    thread: threading.Thread
    go: threading.Event = field(default_factory=threading.Event)
    parked: threading.Event = field(default_factory=threading.Event)
    wakes: datetime | None = None
    done: bool = False


class Interleaving:
    """Runs workers to their end. `clock` is the exchange's; workers get clocks of their own from `clock_of`."""

    def __init__(self, clock: ExchangeClock, seed: int, *, long_pause: timedelta) -> None:
        self._clock = clock
        self._chance = random.Random(seed)
        self._long_pause = long_pause
        self._workers: dict[str, _Worker] = {}
        self.errors: list[BaseException] = []
        self.pauses = 0

    def add(self, name: str, work: Callable[[], None]) -> None:
        """A worker; it starts when `run` is called."""
        self._workers[name] = _Worker(name, threading.Thread(target=self._main, args=(name, work), daemon=True))

    def clock_of(self, name: str) -> "WorkerClock":
        return WorkerClock(self, name)

    def now(self) -> datetime:
        return self._clock.now()

    def point(self, name: str) -> Callable[[str], None]:
        """The hook for a worker's I/O calls."""
        return lambda _: self._park(name, None)

    def sleep(self, name: str, seconds: float) -> None:
        self._park(name, self._clock.now() + timedelta(seconds=seconds))

    def run(self) -> None:
        """Let one worker at a time go on until all are done."""
        for worker in self._workers.values():
            worker.thread.start()
        while live := self._parked():
            worker = self._chosen(live)
            worker.wakes = None
            worker.parked.clear()
            worker.go.set()
        for worker in self._workers.values():
            worker.thread.join()

    def _parked(self) -> list[_Worker]:
        for worker in self._workers.values():
            assert worker.parked.wait(_PATIENCE_SECONDS), f"worker {worker.name} hangs"
        return [worker for worker in self._workers.values() if not worker.done]

    def _chosen(self, live: list[_Worker]) -> _Worker:
        now = self._clock.now()
        ready = [worker for worker in live if worker.wakes is None or worker.wakes <= now]
        others = [worker for worker in live if worker not in ready[:1]]
        if ready and others and self._chance.random() < _PAUSE_CHANCE:
            # Everyone stands still for longer than a lease lasts; then it is somebody else's turn.
            self.pauses += 1
            self._clock.sleep(self._long_pause.total_seconds())
            return self._chance.choice(others)
        if ready:
            return self._chance.choice(ready)
        first = min(live, key=lambda worker: worker.wakes or now)
        assert first.wakes is not None
        self._clock.sleep((first.wakes - now).total_seconds())
        return first

    def _park(self, name: str, wakes: datetime | None) -> None:
        worker = self._workers[name]
        worker.wakes = wakes
        worker.go.clear()
        worker.parked.set()
        assert worker.go.wait(_PATIENCE_SECONDS), f"nobody lets {name} go on"

    def _main(self, name: str, work: Callable[[], None]) -> None:
        worker = self._workers[name]
        self._park(name, None)
        try:
            work()
        except BaseException as error:  # noqa: BLE001  (the main thread raises it)
            self.errors.append(error)
        worker.done = True
        worker.parked.set()


@dataclass(frozen=True)
class WorkerClock:
    """A worker's clock: everyone's time, but only the worker itself sleeps."""

    interleaving: Interleaving
    name: str

    def now(self) -> datetime:
        return self.interleaving.now()

    def monotonic(self) -> float:
        return self.interleaving.now().timestamp()

    def sleep(self, seconds: float) -> None:
        self.interleaving.sleep(self.name, seconds)
