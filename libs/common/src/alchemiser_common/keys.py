"""Where things live in the state store and the archive: one place, so that writers and readers agree."""

from datetime import UTC, date, datetime
from uuid import UUID

from alchemiser_common.ids import Pipeline
from alchemiser_common.ports.state import Key

DATA_SORT = "DATA"
JOURNAL_SORT = "JOURNAL"
INTENT_PREFIX = "INTENT#"
TARGETS_PREFIX = "TARGETS#"
BOOK_PREFIX = "BOOK#"
LOOSE_PREFIX = "LOOSE#"
SILENT_PREFIX = "SILENT#"
BINDING_SORT = "BINDING"
CORPORATE_ACTIONS_PREFIX = "corporate-actions/"
DEAD_LETTERS_PREFIX = "dead-letters/"
DEAD_LETTER_TIME = "%Y-%m-%dT%H-%M-%SZ"


def run_partition(run: UUID) -> str:
    """Everything about one run."""
    return f"RUN#{run}"


def data_record(run: UUID) -> Key:
    """The data service's record of a run."""
    return Key(run_partition(run), DATA_SORT)


def journal_record(run: UUID) -> Key:
    """The trading service's journal of a run."""
    return Key(run_partition(run), JOURNAL_SORT)


def plan_record(run: UUID) -> Key:
    """The run's frozen plan."""
    return Key(run_partition(run), "PLAN")


def intent_record(run: UUID, leg: int, step: int) -> Key:
    """One order, written before it is sent; sorts by leg, then step."""
    return Key(run_partition(run), f"{INTENT_PREFIX}{leg:04d}#{step:03d}")


def report_record(run: UUID) -> Key:
    """The report of a run that has ended."""
    return Key(run_partition(run), "REPORT")


def dry_walk_record(run: UUID) -> Key:
    """What the orders of a shadow's plan would have come to."""
    return Key(run_partition(run), "DRY-WALK")


def parity_record(modular_run: UUID) -> Key:
    """How the two pipelines' runs of a cycle compare; kept with the modular one."""
    return Key(run_partition(modular_run), "PARITY")


def silent_cycle(account_alias: str, scheduled_at: datetime) -> Key:
    """The verdict on a cycle of which nothing was heard, once more: no list of runs leads to it."""
    return Key(account_partition(account_alias), f"{SILENT_PREFIX}{scheduled_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")


def judged_span(account_alias: str) -> Key:
    """Since when each due cycle of the account is judged."""
    return Key(account_partition(account_alias), "JUDGED")


def universe_record(account_alias: str) -> Key:
    """What the data service reads for the account's strategies. A partition of its own: it has its own readers."""
    return Key(f"UNIVERSE#{account_alias}", "UNIVERSE")


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


def loose_orders(account_alias: str, run: UUID) -> Key:
    """Orders of a run that has ended which may still be open."""
    return Key(account_partition(account_alias), f"{LOOSE_PREFIX}{run}")


def account_binding(account_alias: str) -> Key:
    """Which of the broker's accounts the alias stands for."""
    return Key(account_partition(account_alias), BINDING_SORT)


def lease_record(account_alias: str) -> Key:
    """Who works on the account, and which run has not ended."""
    return Key(account_partition(account_alias), "LEASE")


def authority_record(account_alias: str) -> Key:
    """Which pipeline may trade the account."""
    return Key(account_partition(account_alias), "AUTHORITY")


def trading_state_record(account_alias: str) -> Key:
    """Whether the account may trade: ACTIVE, REDUCING or HALTED."""
    return Key(account_partition(account_alias), "SWITCH")


def strategy_book(account_alias: str, strategy: str) -> Key:
    """One strategy's lots and realised result."""
    return Key(account_partition(account_alias), f"{BOOK_PREFIX}{strategy}")


def followed_account(account_alias: str) -> Key:
    """How far the books have followed the account's activities."""
    return Key(account_partition(account_alias), "FOLLOWED")


def equity_partition(account_alias: str) -> str:
    """The account's worth by session."""
    return f"EQUITY#{account_alias}"


def equity_record(account_alias: str, session: date) -> Key:
    """The account's and the strategies' worth after the last run of a session."""
    return Key(equity_partition(account_alias), session.isoformat())


def told_run(account_alias: str, run: UUID, about: str) -> Key:
    """That a person was told something about a run. A partition of its own: it has its own writer."""
    return Key(f"NOTICES#{account_alias}", f"{run}#{about}")


def audit_partition(account_alias: str) -> str:
    """What people changed, oldest first."""
    return f"AUDIT#{account_alias}"


def audit_record(account_alias: str, at: datetime, kind: str) -> Key:
    """One such change."""
    return Key(audit_partition(account_alias), f"{at.astimezone(UTC).isoformat(timespec='microseconds')}#{kind}")


def snapshot_object(day: date, run: UUID, content_hash: str) -> str:
    """Archive key of a snapshot."""
    return f"snapshots/{day.isoformat()}/{run}/{content_hash}.json"


def probe_snapshot_object(digest: str) -> str:
    """Archive key of a snapshot that was read to try a build, by the SHA-256 (hex) of its bytes."""
    return f"snapshots/probe/{digest}.json"


def corporate_actions_object(symbol: str, day: date) -> str:
    """Archive key of what the broker said of a jump."""
    return f"{CORPORATE_ACTIONS_PREFIX}{symbol}/{day.isoformat()}.json"


def report_object(day: date, run: UUID) -> str:
    """Archive key of a report."""
    return f"reports/{day.isoformat()}/{run}.json"


def decision_object(day: date, run: UUID) -> str:
    """Archive key of the decision that a run executed."""
    return f"reports/{day.isoformat()}/{run}.decision.json"


def dead_letter_object(queue: str, sent_at: datetime, message_id: str) -> str:
    """Archive key of a message that was given up, and is in no queue any more."""
    return f"{DEAD_LETTERS_PREFIX}{queue}/{sent_at.astimezone(UTC):{DEAD_LETTER_TIME}}-{message_id}.txt"
