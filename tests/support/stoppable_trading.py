"""A trading process that stands still at a chosen call: ``python -m support.stoppable_trading``, for a test to kill.

Says `ready`, reads one assignment (a line of JSON), delivers its decision once and says line by line what happens.
"""

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

from alchemiser_common.alpaca.broker import AlpacaBroker
from alchemiser_common.embedded.archived_events import ArchivedEvents
from alchemiser_common.embedded.directory_archive import DirectoryArchive
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import StoreUnavailable, TransientError
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.report import ExecutionReport
from alchemiser_common.messages.wire import decode
from alchemiser_common.ports.secrets import BrokerCredentials
from alchemiser_common.settings import Environment, Settings
from alchemiser_simulator import SimulatorControl
from alchemiser_trading.runs.ends import RunEnds
from alchemiser_trading.service import TradingService
from support.faulty_ports import Faults, FaultyArchive, FaultyBroker, FaultyStore
from support.trading_rig import QUARTER_HOUR

STILL_RUNNING = 75
"""Exit code of a delivery that must be repeated."""


class Moment(BaseModel):
    """Before or after the n-th call whose name starts with `call`; without a name the n-th of all calls."""

    model_config = ConfigDict(frozen=True)

    when: str
    call: str = ""
    number: int = 1

    def __str__(self) -> str:
        return f"{self.when} {self.call or 'call'} {self.number}"


class Assignment(BaseModel):
    """What one process is to do."""

    model_config = ConfigDict(frozen=True)

    worker: str
    url: str
    """Where the exchange answers."""
    folder: Path
    """Where state and archive are."""
    settings: Settings
    decision: str
    """The message as the queue has it."""
    stand: Moment | None = None
    """Where to stand still until told to go on."""


class SharedClock:
    """The exchange's time, asked for each time: other processes move it too."""

    def __init__(self, control: SimulatorControl) -> None:
        self._control = control

    def now(self) -> datetime:
        return self._control.clock().now

    def monotonic(self) -> float:
        return self.now().timestamp()

    def sleep(self, seconds: float) -> None:
        self._control.advance(seconds)


@dataclass
class Standing(Faults):
    """Injects nothing: stands still at one call, and says which calls find the store away."""

    moment: Moment | None = None
    met: int = 0

    def around[R](self, name: str, call: Callable[[], R], failure: Callable[[str], Exception]) -> R:
        here = self.moment is not None and name.startswith(self.moment.call)
        self.met += here
        self._stand(name, "before", here=here)
        try:
            result = call()
        except StoreUnavailable:
            say(f"unavailable {name}")
            raise
        self._stand(name, "after", here=here)
        return result

    def _stand(self, name: str, when: str, *, here: bool) -> None:
        if here and self.moment is not None and self.moment.when == when and self.moment.number == self.met:
            say(f"standing {when} {name}")
            sys.stdin.readline()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def trade(assignment: Assignment, control: SimulatorControl) -> ExecutionReport:
    clock, url = SharedClock(control), assignment.url
    key = "AKTEST" if assignment.settings.environment is Environment.LIVE else "PKTEST"
    credentials = BrokerCredentials(key_id=SecretStr(key), secret_key=SecretStr("test"))
    broker = AlpacaBroker(credentials, clock, random.Random(7), paper=True, trading_url=url, data_url=url)
    faults = Standing(moment=assignment.stand)
    archive = FaultyArchive(DirectoryArchive(assignment.folder / "archive"), faults)
    state = FaultyStore(SqliteStateStore(assignment.folder / "state.sqlite"), faults)
    service = TradingService(
        broker=FaultyBroker(broker, faults),
        state=state,
        ends=RunEnds(state, archive, ArchivedEvents(archive), clock),
        clock=clock,
        settings=assignment.settings,
        worker=assignment.worker,
    )
    return service.execute(decode(assignment.decision, TradeDecision), time_left=lambda: QUARTER_HOUR)


def main() -> int:
    say("ready")
    assignment = Assignment.model_validate_json(sys.stdin.readline())
    with SimulatorControl(assignment.url) as control:
        try:
            report = trade(assignment, control)
        except TransientError as error:
            say(f"again {type(error).__name__}: {error}")
            return STILL_RUNNING
    say(f"report {report.model_dump_json()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
