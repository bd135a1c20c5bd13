"""The home that a command works in: the accounts that its store keeps, and that each is one account of the broker."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

from alchemiser_common import keys
from alchemiser_common.account_binding import read_binding
from alchemiser_common.embedded.adapters import STATE_FILE
from alchemiser_common.embedded.sqlite_state import SqliteStateStore
from alchemiser_common.errors import InvalidSettings, WrongAccount
from alchemiser_common.ids import client_order_id
from alchemiser_common.ports.state import StateStore, load_all
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.run import RunEntry
from alchemiser_common.settings import Environment, Settings

DEMOS = "demo"
"""Folder of a home: each demo has a home of its own in it, so that no demo's account is mixed up with another."""
FORMER_DEFAULT = Environment.SIMULATED.default_alias
"""What an account was called, up to 1.5, in every environment that was chosen by a setting."""


def existing_store(home: Path) -> SqliteStateStore:
    """The home's state store; nothing is made. Raises InvalidSettings if there is none."""
    file = home.resolve() / STATE_FILE
    if not file.is_file():
        raise InvalidSettings(
            f"nothing was ever run in home {home.resolve()}: it has no {STATE_FILE}, so there is no account to act on. "
            "Go to the folder where the runs were made, or name their home with ALCHEMISER_HOME"
        )
    return SqliteStateStore.existing(file)


def latest_demo(home: Path) -> Path | None:
    """The home of the demo that was run last in this home, or None."""
    found = [file for file in (home / DEMOS).glob(f"*/{STATE_FILE}") if file.is_file()]
    return max(found, key=lambda file: file.stat().st_mtime).parent if found else None


def accounts_in(store: SqliteStateStore) -> tuple[str, ...]:
    """The aliases of every account that the store knows anything of, sorted."""
    prefixes = keys.account_partition(""), keys.runs_partition("")
    return tuple(sorted({name.removeprefix(prefix) for prefix in prefixes for name in store.partitions(prefix)}))


def require_account(store: SqliteStateStore, alias: str, home: Path) -> None:
    """Raises InvalidSettings if the store knows nothing of the account, naming those that it knows."""
    known = accounts_in(store)
    if alias not in known:
        raise InvalidSettings(
            f"home {home.resolve()} has no account {alias}; it has {', '.join(known) or 'none'}. "
            "ALCHEMISER_ENVIRONMENT (simulated, paper, live) or ALCHEMISER_ACCOUNT_ALIAS chooses another"
        )


def require_one_identity(store: StateStore, settings: Settings, *, named: bool, account_id: Callable[[], str]) -> None:
    """Before a run: no other alias of this home stands for the broker account that the run would trade.

    `named`: the alias was set, and does not follow from the environment. `account_id` asks the broker. Raises
    InvalidSettings or WrongAccount, each with what to do. Says nothing of a store on AWS, which has one account.
    """
    if not isinstance(store, SqliteStateStore):
        return
    alias, environment = settings.account_alias, settings.environment
    others = [other for other in accounts_in(store) if other != alias]
    bound = {other: known.value for other in others if (known := read_binding(store, other)) is not None}
    if not named and environment is not Environment.SIMULATED and FORMER_DEFAULT in others:
        given_up = FORMER_DEFAULT in bound and bool(bound[FORMER_DEFAULT].moved_to)
        known_here = alias in accounts_in(store)
        if not given_up and not (known_here and FORMER_DEFAULT in bound) and _traded_in(store, environment):
            raise InvalidSettings(
                f"this home has traded its {environment.value} account as {FORMER_DEFAULT} too, and one account has "
                f"one name: `alchemiser account adopt {FORMER_DEFAULT} --reason …` makes that part of {alias}; or set "
                f'account_alias = "{FORMER_DEFAULT}" to go on with it, or "{alias}" to begin anew'
            )
    held = {
        binding.account_id: other
        for other, binding in bound.items()
        if not binding.moved_to and binding.environment == environment.value
    }
    if not held:
        return  # the broker need not be asked
    opened = account_id()
    if opened in held:
        other = held[opened]
        raise WrongAccount(
            f"the key opens the broker's {environment.value} account {opened}, which this home trades as {other}, "
            f"not as {alias}: work with that alias (account_alias), or `alchemiser account adopt {other} --reason …`"
        )


def orders_sent(store: StateStore, account_alias: str, environment: Environment) -> Iterator[str]:
    """Client order ids that the account's runs meant to send in that environment, those of the latest run first."""
    runs = load_all(store, keys.runs_partition(account_alias), RunEntry, descending=True)
    for run in (item.value.run_id for item in runs):
        for item in load_all(store, keys.run_partition(run), Intent, prefix=keys.INTENT_PREFIX):
            if item.value.client_order_id == order_id_in(environment, run, item.value):
                yield item.value.client_order_id


def _traded_in(store: StateStore, environment: Environment) -> bool:
    """Whether an order of the former default alias was of that environment: its name is in each order's id."""
    return next(orders_sent(store, FORMER_DEFAULT, environment), None) is not None


def order_id_in(environment: Environment, run: UUID, intent: Intent) -> str:
    """The id that the order of a run's intent has in that environment."""
    return client_order_id(
        environment=environment.value,
        run=run,
        symbol=intent.symbol,
        side=intent.side,
        leg=intent.leg,
        step=intent.step,
    )
