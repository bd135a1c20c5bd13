"""The time that an account's records are in: an audit trail that mixed two clocks would have no order."""

from datetime import UTC, datetime

from alchemiser_cli.console import note
from alchemiser_cli.stored_runs import list_runs
from alchemiser_common import keys
from alchemiser_common.account_binding import read_binding
from alchemiser_common.errors import AlchemiserError
from alchemiser_common.ports.state import StateStore, load_all
from alchemiser_common.records.audit import AuditEntry
from alchemiser_common.settings import Environment, Settings


def simulated(store: StateStore, settings: Settings, alias: str) -> bool:
    """Whether the account is of a simulated exchange, whichever account the settings name.

    Raises StoreUnavailable, StateCorrupt.
    """
    binding = read_binding(store, alias)
    if binding is not None:
        return binding.value.environment == Environment.SIMULATED.value
    others = {item.default_alias for item in Environment if item is not Environment.SIMULATED}
    return settings.environment is Environment.SIMULATED and alias not in others


def account_time(store: StateStore, settings: Settings, alias: str) -> datetime:
    """Now. Of an account of a simulated exchange the latest moment that its records know, where it has any.

    Read from the records and not from the exchange: that may be shut, or busy with a run, and whoever stops an account
    does not wait for it. Records that cannot be read keep nobody from it either.
    """
    now = datetime.now(UTC)
    try:
        if simulated(store, settings, alias):
            return max(_moments(store, alias), default=now)
    except AlchemiserError as error:
        note(f"account {alias}: noted with this machine's time, for its records cannot be read: {error}")
    return now


def _moments(store: StateStore, alias: str) -> list[datetime]:
    changes = load_all(store, keys.audit_partition(alias), AuditEntry, limit=1, descending=True)
    runs = list_runs(store, alias, limit=1)
    known = [part.updated_at for run in runs for part in (run.record, run.head) if part is not None]
    return [*known, *(item.value.at for item in changes)]
