"""How long a run took against its latency budget: told in its report, and read again from its records to be counted."""

import logging
from datetime import datetime

from alchemiser_common import keys
from alchemiser_common.errors import StateCorrupt
from alchemiser_common.latency import Latency, latency_of
from alchemiser_common.messages.report import ExecutionReport
from alchemiser_common.ports.state import StateStore, load_all
from alchemiser_common.records.journal import Intent
from alchemiser_common.settings import LatencySettings

_log = logging.getLogger(__name__)


def with_latency(report: ExecutionReport, last_order: datetime | None, budget: LatencySettings) -> ExecutionReport:
    """The report with what its run broke of the budget as the last of its reasons; itself if it kept to it.

    `last_order` is when the run's last order was asked for (aware), None if it sent none.
    """
    broken = latency_of(report.run.scheduled_at, report.trace, last_order, budget).reason
    return report.model_copy(update={"reason": "; ".join(filter(None, (report.reason, broken)))}) if broken else report


def stored_latency(store: StateStore, report: ExecutionReport, budget: LatencySettings) -> Latency | None:
    """How long the run of the report took, by its trace and the journal's intents. Raises StoreUnavailable.

    None if an intent cannot be read: no figure is better than a wrong one, and the run's end stands without it.
    """
    try:
        intents = load_all(store, keys.run_partition(report.run_id), Intent, prefix=keys.INTENT_PREFIX)
    except StateCorrupt as error:
        _log.warning("latency not counted", extra={"reason": str(error)})
        return None
    last_order = max((intent.value.written_at for intent in intents), default=None)
    return latency_of(report.run.scheduled_at, report.trace, last_order, budget)
