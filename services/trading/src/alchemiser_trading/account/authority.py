"""Which pipeline may trade an account: data in the state store, changed by a person, never by a flag.

Absent means nobody. A change is refused while a run is in progress, and leaves an audit record.
"""

from datetime import datetime

from alchemiser_common import keys
from alchemiser_common.errors import NotAuthorised
from alchemiser_common.ids import Pipeline
from alchemiser_common.ports.state import StateStore, load, put_over
from alchemiser_common.records.authority import Authority
from alchemiser_trading.account.audit import Change
from alchemiser_trading.account.lease import require_idle


def read_authority(store: StateStore, account_alias: str) -> Authority | None:
    """The current authority, or None if nobody may trade."""
    known = load(store, keys.authority_record(account_alias), Authority)
    return None if known is None else known.value


def require_authority(store: StateStore, account_alias: str, pipeline: Pipeline) -> Authority:
    """The authority, if it is this pipeline's. Raises NotAuthorised."""
    authority = read_authority(store, account_alias)
    if authority is None:
        raise NotAuthorised(
            f"no pipeline has authority over account {account_alias}; a person must give it to {pipeline.value} first"
        )
    if authority.pipeline is not pipeline:
        raise NotAuthorised(
            f"account {account_alias} is traded by {authority.pipeline.value} (epoch {authority.epoch}, set by "
            f"{authority.set_by}), not by {pipeline.value}"
        )
    return authority


def set_authority(
    store: StateStore, account_alias: str, pipeline: Pipeline, *, who: str, reason: str, now: datetime
) -> Authority:
    """Give the account to a pipeline. The same pipeline again changes nothing.

    Raises RunInProgress while a worker holds the account or a run has not ended, Conflict if another change or a
    worker comes at the same moment: the lease record is part of the write.
    """
    key = keys.authority_record(account_alias)
    known = load(store, key, Authority)
    before = known.value.pipeline.value if known else "nobody"
    change = Change(f"authority: {before} to {pipeline.value}", who, reason, now)
    if known is not None and known.value.pipeline is pipeline:
        return known.value
    guard = require_idle(store, account_alias, now)
    authority = Authority(
        pipeline=pipeline,
        epoch=known.value.epoch + 1 if known else 1,
        set_by=who,
        reason=reason,
        set_at=now,
    )
    store.write(put_over(known, key, authority), guard, change.entry(account_alias, f"authority-{authority.epoch}"))
    return authority
