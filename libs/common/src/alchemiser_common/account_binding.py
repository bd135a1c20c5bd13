"""The account that an alias is bound to, compared with the one that the key opens.

One account of the broker has one alias: lease, switches, books and order ids hang on it. A key of another account
behind an old alias would trade with the first one's books.
"""

from alchemiser_common import keys
from alchemiser_common.errors import WrongAccount
from alchemiser_common.ports.state import StateStore, Versioned, load_all
from alchemiser_common.records.account_binding import AccountBinding
from alchemiser_common.settings import Environment


def read_binding(store: StateStore, account_alias: str) -> Versioned[AccountBinding] | None:
    """What the alias is bound to, or None before its first run. Raises StoreUnavailable, StateCorrupt.

    Listed, not fetched: the roles of services that only read an account may query its partition and nothing else.
    """
    partition = keys.account_partition(account_alias)
    found = load_all(store, partition, AccountBinding, prefix=keys.BINDING_SORT, limit=1)
    return found[0] if found else None


def check_binding(
    store: StateStore, account_alias: str, environment: Environment, account_id: str
) -> AccountBinding | None:
    """The binding, if it is to the account that the key opens; None if there is none yet. Raises WrongAccount."""
    known = read_binding(store, account_alias)
    if known is None:
        return None
    bound = known.value
    if bound.moved_to:
        raise WrongAccount(
            f"account {account_alias} was given up for {bound.moved_to}: work with that alias, or in another home"
        )
    if (bound.account_id, bound.environment) != (account_id, environment.value):
        raise WrongAccount(
            f"alias {account_alias} is bound to the broker's {bound.environment} account {bound.account_id} since "
            f"{bound.since:%Y-%m-%d}; the key opens {environment.value} account {account_id}: put the other key back, "
            "or give this account an alias of its own (account_alias)"
        )
    return bound
