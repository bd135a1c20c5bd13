"""The stored universe of a stage: what its data function reads. Written by a deployment, by nothing else.

There is never a moment in which it lacks what is live: it is widened to what was and what comes before anything moves,
and narrowed to what is live once that has answered. An interruption leaves the wider one, which is right for both.
"""

from collections.abc import Mapping

from alchemiser_common import keys
from alchemiser_common.ports.state import StateStore, load, put_over
from alchemiser_common.records.universe import Universe


def read_universe(store: StateStore, account_alias: str) -> Universe | None:
    """The record; None if no deployment has written one. Raises StateCorrupt or StoreUnavailable."""
    known = load(store, keys.universe_record(account_alias), Universe)
    return None if known is None else known.value


def widen(store: StateStore, account_alias: str, needed: Mapping[str, int]) -> Universe:
    """Enough for what it was before and for `needed`. Raises Conflict if somebody else writes it now."""
    known = load(store, keys.universe_record(account_alias), Universe)
    wider = Universe.of(needed) if known is None else known.value.with_those_of(needed)
    if known is None or known.value.bars != wider.bars:
        store.write(put_over(known, keys.universe_record(account_alias), wider))
    return wider


def settle(store: StateStore, account_alias: str, needed: Mapping[str, int]) -> bool:
    """Exactly `needed`; whether that was a change. Raises Conflict if somebody else writes it now."""
    known = load(store, keys.universe_record(account_alias), Universe)
    exact = Universe.of(needed)
    if known is not None and known.value.bars == exact.bars:
        return False
    store.write(put_over(known, keys.universe_record(account_alias), exact))
    return True
