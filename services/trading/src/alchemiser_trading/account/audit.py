"""The trail of what people changed, and the broker: appended with the change itself, never altered."""

from dataclasses import dataclass
from datetime import datetime

from alchemiser_common import keys
from alchemiser_common.ports.state import ABSENT, Put, StateStore, load_all, put
from alchemiser_common.records.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class Change:
    """What is changed, and on whose word. Raises ValueError without who or reason."""

    what: str
    who: str
    reason: str
    at: datetime

    def __post_init__(self) -> None:
        if not self.who.strip() or not self.reason.strip():
            raise ValueError(f"{self.what}: a change needs who and reason")

    def entry(self, account_alias: str, kind: str) -> Put:
        """The write that belongs into the change's own transaction; `kind` tells changes of one moment apart."""
        record = AuditEntry(at=self.at, who=self.who, what=self.what, reason=self.reason)
        return put(keys.audit_record(account_alias, self.at, kind), record, ABSENT)


def next_entry(store: StateStore, account_alias: str, change: Change, kind: str) -> Put:
    """The same for what may change more than once in a moment, as a clock that stands still has it."""
    number, wanted = 0, kind
    while store.get(keys.audit_record(account_alias, change.at, wanted)) is not None:
        number += 1
        wanted = f"{kind}-{number}"
    return change.entry(account_alias, wanted)


def record(store: StateStore, account_alias: str, change: Change, kind: str) -> None:
    """Append a change that was made elsewhere than in the store."""
    store.write(change.entry(account_alias, kind))


def read_audit(store: StateStore, account_alias: str) -> tuple[AuditEntry, ...]:
    """Every change, oldest first."""
    return tuple(item.value for item in load_all(store, keys.audit_partition(account_alias), AuditEntry))
