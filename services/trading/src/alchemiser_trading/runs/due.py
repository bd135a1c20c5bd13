"""Was today's cycle run? Whoever trades asks after its deadline, whatever became of triggers, queues and runs."""

from datetime import datetime

from alchemiser_common import keys
from alchemiser_common.decision_time import decision_time, is_due, overdue_from
from alchemiser_common.ids import Pipeline, RunRef, scheduled_time
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.ports.broker import MarketReader
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.ports.state import StateStore, load, load_all
from alchemiser_common.records.run import RunEntry
from alchemiser_common.settings import Settings

_DONE = frozenset({RunStatus.COMPLETED, RunStatus.PARTIAL})
_ENTRIES = 8
"""Newest lines of the list of runs: today's, of two pipelines and two schedules."""


def missed_today(store: StateStore, broker: MarketReader, settings: Settings, now: datetime) -> RunRef | None:
    """The run that today's cycle lacks, once its deadline has passed: neither pipeline has completed one.

    A run that was skipped for starting late, failed, was halted or expired has not completed. None on a day without
    session, before the deadline, and where one has. Raises StoreUnavailable, StateCorrupt, BrokerUnavailable.
    """
    session = broker.session_on(now.astimezone(EXCHANGE_ZONE).date())
    if session is None:
        return None
    due = decision_time(session, settings.schedule)
    if now < overdue_from(due, settings.schedule):
        return None
    entries = load_all(store, keys.runs_partition(settings.account_alias), RunEntry, limit=_ENTRIES, descending=True)
    for item in entries:
        if is_due(scheduled_time(item.value.cycle_id), due, settings.schedule):
            report = load(store, keys.report_record(item.value.run_id), ExecutionReport)
            if report is not None and report.value.status in _DONE:
                return None
    return RunRef.of(settings.account_alias, due, Pipeline(settings.pipeline))
