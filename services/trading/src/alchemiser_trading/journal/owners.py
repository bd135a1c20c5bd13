"""Whose an order is: this store's, by the intent that names it, or somebody else's."""

from datetime import date
from uuid import UUID

from alchemiser_common import keys
from alchemiser_common.ids import CLIENT_ORDER_ID_PREFIX, scheduled_time
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.ports.state import StateStore, load_all
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.run import RunEntry

_RECENT = 50
"""Runs of an account that are looked through: orders are good for a day, and a day has a few runs."""


def run_of(store: StateStore, account_alias: str, client_order_id: str, session: date) -> UUID | None:
    """The run of this store that meant to send the order; None if none of the session's did.

    Raises StateCorrupt, StoreUnavailable.
    """
    if not client_order_id.startswith(CLIENT_ORDER_ID_PREFIX):
        return None
    partition = keys.runs_partition(account_alias)
    for entry in load_all(store, partition, RunEntry, limit=_RECENT, descending=True):
        if scheduled_time(entry.value.cycle_id).astimezone(EXCHANGE_ZONE).date() < session:
            return None
        run = entry.value.run_id
        intents = load_all(store, keys.run_partition(run), Intent, prefix=keys.INTENT_PREFIX)
        if any(item.value.client_order_id == client_order_id for item in intents):
            return run
    return None
