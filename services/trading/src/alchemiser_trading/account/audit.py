"""The trail of what people changed: appended with the change itself, never altered."""

from alchemiser_common import keys
from alchemiser_common.messages.base import Frozen, UtcTime
from alchemiser_common.ports.state import ABSENT, Put, StateStore, load_all, put


class AuditEntry(Frozen):
    """One change."""

    at: UtcTime
    who: str
    what: str
    reason: str

    def put(self, account_alias: str, kind: str) -> Put:
        """The write that belongs into the change's own transaction; `kind` tells changes of one moment apart."""
        return put(keys.audit_record(account_alias, self.at, kind), self, ABSENT)


def record(store: StateStore, account_alias: str, entry: AuditEntry, kind: str) -> None:
    """Append a change that was made elsewhere than in the store."""
    store.write(entry.put(account_alias, kind))


def read_audit(store: StateStore, account_alias: str) -> tuple[AuditEntry, ...]:
    """Every change, oldest first."""
    return tuple(item.value for item in load_all(store, keys.audit_partition(account_alias), AuditEntry))
