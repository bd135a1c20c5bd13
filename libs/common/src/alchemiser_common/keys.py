"""Where things live in the state store and the archive: one place, so that writers and readers agree."""

from datetime import UTC, date, datetime
from uuid import UUID

from alchemiser_common.ids import Pipeline
from alchemiser_common.ports.state import Key

DATA_SORT = "DATA"
JOURNAL_SORT = "JOURNAL"
INTENT_PREFIX = "INTENT#"
TARGETS_PREFIX = "TARGETS#"


def run_partition(run: UUID) -> str:
    """Everything about one run."""
    return f"RUN#{run}"


def data_record(run: UUID) -> Key:
    """The data service's record of a run."""
    return Key(run_partition(run), DATA_SORT)


def journal_record(run: UUID) -> Key:
    """The trading service's journal of a run."""
    return Key(run_partition(run), JOURNAL_SORT)


def runs_partition(account_alias: str) -> str:
    """The list of an account's runs."""
    return f"RUNS#{account_alias}"


def run_entry(account_alias: str, scheduled_at: datetime, pipeline: Pipeline) -> Key:
    """One line of that list; lines sort by scheduled time."""
    return Key(runs_partition(account_alias), f"{scheduled_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}#{pipeline.value}")


def account_partition(account_alias: str) -> str:
    """Everything about one account that outlives a run."""
    return f"ACCOUNT#{account_alias}"


def strategy_targets(account_alias: str, strategy: str) -> Key:
    """What one strategy last wanted to hold."""
    return Key(account_partition(account_alias), f"{TARGETS_PREFIX}{strategy}")


def snapshot_object(day: date, run: UUID, content_hash: str) -> str:
    """Archive key of a snapshot."""
    return f"snapshots/{day.isoformat()}/{run}/{content_hash}.json"


def report_object(day: date, run: UUID) -> str:
    """Archive key of a report."""
    return f"reports/{day.isoformat()}/{run}.json"
