"""Taking the account as a worker does."""

from datetime import timedelta

from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.state import StateStore
from alchemiser_trading.account.lease import AccountLease

MINUTE = timedelta(minutes=1)


def take(store: StateStore, clock: Clock, owner: str) -> AccountLease:
    return AccountLease.acquire(store, clock, "demo", owner=owner, duration=MINUTE)
