"""Binds an alias to the broker's account on first use, for good."""

import logging
from datetime import datetime

from alchemiser_common import keys
from alchemiser_common.account_binding import check_binding
from alchemiser_common.errors import Conflict
from alchemiser_common.ports.state import ABSENT, StateStore, put
from alchemiser_common.records.account_binding import AccountBinding
from alchemiser_common.settings import Environment

_log = logging.getLogger(__name__)


def bind_account(
    store: StateStore, account_alias: str, environment: Environment, account_id: str, now: datetime
) -> AccountBinding:
    """The alias's binding to that account, made if there is none. Raises WrongAccount if it is bound to another.

    Of two workers that bind at the same moment one writes; the other reads what it wrote.
    """
    for _ in range(2):
        known = check_binding(store, account_alias, environment, account_id)
        if known is not None:
            return known
        binding = AccountBinding(account_id=account_id, environment=environment.value, since=now)
        try:
            store.write(put(keys.account_binding(account_alias), binding, ABSENT))
        except Conflict:
            continue
        _log.info("alias bound", extra={"alias": account_alias, "broker_account": account_id})
        return binding
    raise Conflict(f"alias {account_alias} was bound by another worker at this moment")
