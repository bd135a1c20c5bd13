"""Tells people of runs that have ended, or should have: once at most, and without ever changing how they ended."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from alchemiser_cli.stored_account import read_account
from alchemiser_common import keys
from alchemiser_common.channels import Channels
from alchemiser_common.errors import Conflict
from alchemiser_common.messages.notice import Notice
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.ports.state import ABSENT, Key, StateStore, put
from alchemiser_common.records.notice import ToldRun
from alchemiser_common.settings import Settings
from alchemiser_readmodel.account import AccountRecords
from alchemiser_readmodel.run_news import RunNews, notice_of, trouble
from alchemiser_readmodel.runs import RunSummary
from alchemiser_readmodel.status import account_status

_ENDED = "ended"


class Teller:
    """Sends the messages of one account. `say` is given a line for each channel that does not take one.

    What was told is noted before it is sent. Raises StoreUnavailable or StateCorrupt if it cannot be noted or the
    records not be read; nothing is sent then.
    """

    def __init__(self, state: StateStore, channels: Channels, settings: Settings, say: Callable[[str], None]) -> None:
        self._state = state
        self._channels = channels
        self._alias = settings.account_alias
        self._environment = settings.environment.value
        self._say = say
        self._known: set[Key] = set()

    def of_run(self, run: RunSummary, now: datetime) -> bool:
        """Tell of a run that has ended, and call the heartbeat. Whether it is told of by this, for the first time."""
        status = run.known_status
        if status is None or not status.final or not self._noted(run.run_id, _ENDED, status, now):
            return False
        self._send(notice_of(news_of(read_account(self._state, self._alias), run, self._environment)))
        if (silent := self._channels.beat()) is not None:
            self._say(silent)
        return True

    def of_trouble(self, run: UUID, what: str, due: datetime, now: datetime) -> bool:
        """Tell that a cycle is missed or stuck. Whether it is told of by this, for the first time."""
        if not self._noted(run, what, None, now):
            return False
        self._send(trouble(self._alias, self._environment, run, what, due))
        return True

    def _noted(self, run: UUID, about: str, status: RunStatus | None, now: datetime) -> bool:
        """Whether it was not noted before. Without channels it is noted, too: that is how it is said once."""
        key, told = keys.told_run(self._alias, run, about), ToldRun(run_id=run, about=about, status=status, at=now)
        if key in self._known:
            return False
        try:
            self._state.write(put(key, told, ABSENT))
        except Conflict:
            self._known.add(key)
            return False
        self._known.add(key)
        return True

    def _send(self, notice: Notice) -> None:
        for line in self._channels.send(notice).failed:
            self._say(line)


def news_of(records: AccountRecords, run: RunSummary, environment: str) -> RunNews:
    """What there is to say of a run that has ended, from the account's records."""
    found, status = account_status(records, environment, None, EXCHANGE_ZONE), run.known_status
    assert status is not None  # noqa: S101 - it has ended
    parity = next((item for item in records.parities if item.cycle_id == run.cycle_id), None)
    read = run.report is not None and run.report.account_after is not None
    return RunNews(
        account=records.alias,
        environment=environment,
        run_id=run.run_id,
        cycle_id=run.cycle_id,
        pipeline=run.pipeline,
        status=status,
        reason=run.reason,
        worth=found.worth if read else None,
        day=found.day if read else None,
        whole=found.whole if read else None,
        legs=() if run.report is None else run.report.legs,
        verdict=None if parity is None else parity.verdict,
        needs=found.needs,
    )
