"""Tells people of a run that has ended: once at most, and without ever changing how it ended."""

from collections.abc import Mapping
from datetime import datetime

from alchemiser_cli.console import note
from alchemiser_cli.stored_account import read_account
from alchemiser_common import keys
from alchemiser_common.channels import Channels, Sent
from alchemiser_common.errors import AlchemiserError, Conflict
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.ports.state import ABSENT, StateStore, put
from alchemiser_common.records.notice import ToldRun
from alchemiser_common.settings import Settings
from alchemiser_readmodel.account import AccountRecords
from alchemiser_readmodel.run_news import RunNews, notice_of
from alchemiser_readmodel.runs import RunSummary
from alchemiser_readmodel.status import account_status


def tell(state: StateStore, variables: Mapping[str, str], run: RunSummary, settings: Settings, now: datetime) -> None:
    """Tell of a run by the channels that environment or .env name; what fails is a line on stderr and no more."""
    channels = Channels.of(variables)
    try:
        sent = tell_of_run(state, channels, run, settings.account_alias, settings.environment.value, now)
    except AlchemiserError as error:
        note(f"nobody is told of the run: {error}")
        return
    for line in () if sent is None else sent.failed:
        note(line)


def tell_of_run(
    state: StateStore, channels: Channels, run: RunSummary, alias: str, environment: str, now: datetime
) -> Sent | None:
    """Send the run's message and the heartbeat. None if there is nothing to send, or somebody was told before.

    Raises StoreUnavailable or StateCorrupt if the records cannot be read or the telling not be noted.
    """
    status = run.known_status
    if not (channels.names or channels.has_heartbeat) or status is None or not status.final:
        return None
    try:
        told = ToldRun(run_id=run.run_id, status=status, at=now)
        state.write(put(keys.told_run(alias, run.run_id), told, ABSENT))
    except Conflict:
        return None
    sent = channels.send(notice_of(news_of(read_account(state, alias), run, environment)))
    silent = channels.beat()
    return sent if silent is None else Sent(sent.channels, (*sent.failed, silent))


def news_of(records: AccountRecords, run: RunSummary, environment: str) -> RunNews:
    """What there is to say of a run, from the account's records."""
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
