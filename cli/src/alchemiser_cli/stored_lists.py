"""Long lists of the store, read a piece at a time: what is shown is read, and not all that came before it.

For partitions whose sort keys begin with a day (`2026-11-23…`): runs, the audit trail.
"""

from collections.abc import Iterator

from alchemiser_common.messages.base import VersionedModel
from alchemiser_common.ports.state import Record, StateStore, parse

MONTH = len("2026-11")


def newest[M: VersionedModel](
    state: StateStore, partition: str, model: type[M], *, limit: int, before: str = ""
) -> list[tuple[str, M]]:
    """At most `limit` records with their sort keys, the newest first; `before` is the sort key that they all precede.

    Raises StoreUnavailable, StateCorrupt.
    """
    if not before:
        records = state.list(partition, limit=limit, descending=True)
    else:
        records = tuple(_earlier(state, partition, before, limit))
    return [(record.key.sort, parse(record, model).value) for record in records]


# A store lists by prefix: month by month, from the one of `before` down to the oldest, until there are enough.
def _earlier(state: StateStore, partition: str, before: str, limit: int) -> Iterator[Record]:
    oldest, latest = state.list(partition, limit=1), state.list(partition, limit=1, descending=True)
    if not oldest or not latest:
        return
    last, found = oldest[0].key.sort[:MONTH], 0
    for month in _months_down(min(before[:MONTH], latest[0].key.sort[:MONTH])):
        if month < last or found >= limit:
            return
        for record in state.list(partition, prefix=month, descending=True):
            if record.key.sort < before and found < limit:
                found += 1
                yield record


def _months_down(month: str) -> Iterator[str]:
    """A month and each before it; nothing if it is none."""
    year, _, number = month.partition("-")
    if not (year.isascii() and year.isdigit() and number.isascii() and number.isdigit()):
        return
    at = int(year) * 12 + min(max(int(number), 1), 12) - 1
    while at >= 0:
        yield f"{at // 12:04d}-{at % 12 + 1:02d}"
        at -= 1
