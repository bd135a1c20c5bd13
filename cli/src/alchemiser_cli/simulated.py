"""The embedded exchange: the simulator in this process, its clock as the pipeline's clock."""

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from alchemiser_cli.price_file import read_prices
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.messages.snapshot import MarketSession
from alchemiser_common.private_files import make_private_file, make_private_folder
from alchemiser_simulator import (
    SAMPLE_NOTICE,
    PriceHistory,
    SimulatorConfig,
    SimulatorControl,
    SimulatorServer,
    sample_history,
)
from alchemiser_simulator.market.sessions import Session, SessionCalendar

SAMPLE_START = date(2020, 2, 3)
"""Where simulated time begins on the bundled market: shortly before its most eventful weeks."""
_LONGEST_PAUSE = timedelta(days=14)
"""Between two sessions; September 2001 had seven."""
_WARM_UP_SESSIONS = 300
"""Sessions kept before the start for what the strategies look back."""


class SimulatedClock:
    """The exchange's virtual time; sleeping moves it, and nobody waits.

    Nothing else may move the exchange's clock meanwhile: the time is asked for once and then known.
    """

    def __init__(self, control: SimulatorControl) -> None:
        self._control = control
        self._now = control.clock().now

    def now(self) -> datetime:
        """The exchange's moment."""
        return self._now

    def monotonic(self) -> float:
        """The exchange's moment in seconds."""
        return self._now.timestamp()

    def sleep(self, seconds: float) -> None:
        """Move the exchange's time on."""
        self._now = self._control.advance(seconds).now

    def move_to(self, moment: datetime) -> None:
        """Move the exchange's time on to a moment; a past one changes nothing."""
        if moment > self._now:
            self._now = self._control.set_now(moment).now


@dataclass(frozen=True, slots=True)
class Market:
    """Price history with its sessions and what must be said of it."""

    history: PriceHistory
    calendar: SessionCalendar
    notice: str

    def sessions_from(self, first: date, count: int) -> list[Session]:
        """`count` sessions, the first on `first` or after it. Raises InvalidSettings if there are not as many."""
        found = [session for session in self.calendar.sessions if session.day >= first][:count]
        if len(found) < count:
            days = self.calendar.sessions
            raise InvalidSettings(
                f"{count} sessions from {first} are asked for; the data hold {len(found)} (up to {days[-1].day})"
            )
        return found

    def as_session(self, session: Session) -> MarketSession:
        """The session as the broker's calendar will tell it."""
        before = self.session_before(session.day)
        return MarketSession(day=session.day, opens=session.opens, closes=session.closes, previous_day=before)

    def session_before(self, day: date) -> date:
        """The last session before a day: the data's, or before their first the real exchange's."""
        known = bisect_left(self.history.dates, day)
        if known > 0:
            return self.history.dates[known - 1]
        return self.calendar.between(day - _LONGEST_PAUSE, day - timedelta(days=1))[-1].day

    @property
    def default_start(self) -> date:
        """The sample's own start, otherwise the first session with enough history before it."""
        if self.notice == SAMPLE_NOTICE:
            return SAMPLE_START
        sessions = self.calendar.sessions
        if len(sessions) <= _WARM_UP_SESSIONS:
            raise InvalidSettings(
                f"the data hold {len(sessions)} sessions; about {_WARM_UP_SESSIONS} are needed before the first"
            )
        return sessions[_WARM_UP_SESSIONS].day


@dataclass(frozen=True, slots=True)
class Exchange:
    """A running exchange."""

    url: str
    control: SimulatorControl
    clock: SimulatedClock


def open_market(data: Path | None, home: Path = Path(".alchemiser"), *, invents: bool = True) -> Market:
    """The market of a file in any form, or the bundled sample. `home` keeps what had to be imported.

    Whoever `invents` derives the bars that a file lacks, and says so.
    """
    history = sample_history() if data is None else read_prices(data, home)
    notice = SAMPLE_NOTICE if data is None else history.derived if invents else ""
    return Market(history, SessionCalendar(history.dates), notice)


@contextmanager
def embedded_exchange(
    market: Market, *, start: date, state: Path | None, cash: Decimal = Decimal(100_000)
) -> Iterator[Exchange]:
    """An exchange on a free loopback port. With `state` it remembers; a remembered clock wins over `start`."""
    if state is not None:
        make_private_folder(state.parent)
        make_private_file(state)
    opening = market.sessions_from(start, 1)[0].opens - timedelta(hours=1)
    config = SimulatorConfig(history=market.history, start=opening, cash=cash, state=state)
    with SimulatorServer(config) as server, SimulatorControl(server.url) as control:
        yield Exchange(server.url, control, SimulatedClock(control))
