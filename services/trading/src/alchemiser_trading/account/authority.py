"""Which pipeline may trade an account: data in the state store, changed by a person, never by a flag.

Absent means nobody. A change waits for the run in progress and leaves an audit record.
"""

from datetime import datetime

from alchemiser_common import keys
from alchemiser_common.errors import NotAuthorised, RunInProgress
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.base import Frozen, UtcTime
from alchemiser_common.ports.state import ABSENT, StateStore, load, put
from alchemiser_trading.account.audit import AuditEntry
from alchemiser_trading.account.lease import idle_lease


class Authority(Frozen):
    """The pipeline that may trade, since when and by whose word."""

    pipeline: Pipeline
    epoch: int
    """Grows with every change and goes into every order intent."""
    set_by: str
    reason: str
    set_at: UtcTime


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
    if not who.strip() or not reason.strip():
        raise ValueError("an authority change needs who and reason")
    key = keys.authority_record(account_alias)
    known = load(store, key, Authority)
    if known is not None and known.value.pipeline is pipeline:
        return known.value
    guard = idle_lease(store, account_alias, now)
    if guard is None:
        raise RunInProgress(f"authority over {account_alias} cannot change while a run has not ended")
    before = known.value.pipeline.value if known else "nobody"
    authority = Authority(
        pipeline=pipeline,
        epoch=known.value.epoch + 1 if known else 1,
        set_by=who,
        reason=reason,
        set_at=now,
    )
    entry = AuditEntry(at=now, who=who, what=f"authority: {before} to {pipeline.value}", reason=reason)
    store.write(
        put(key, authority, known.version if known else ABSENT),
        guard,
        entry.put(account_alias, f"authority-{authority.epoch}"),
    )
    return authority
