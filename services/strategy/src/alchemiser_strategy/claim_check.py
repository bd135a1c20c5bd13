"""Retrieves the snapshot that a reference stands for: fetched from the archive, verified, decoded."""

import hashlib

from alchemiser_common.errors import InvalidMessage, InvalidSettings
from alchemiser_common.messages.reference import SnapshotReference
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import ARCHIVED_LIMIT, decode
from alchemiser_common.ports.archive import Archive


def retrieve_snapshot(reference: SnapshotReference, archive: Archive | None) -> MarketSnapshot:
    """The snapshot, byte for byte as it was archived; `archive` is None where a process has none.

    Raises InvalidSettings without an archive; InvalidMessage if the object is missing, or is not the one that the
    reference names by size, SHA-256 and run; StoreUnavailable if the archive does not answer.
    """
    key = reference.archive_key
    if archive is None:
        raise InvalidSettings(
            f"snapshot {key} came by reference, but this strategy service has no archive to fetch it from; aws.bucket "
            "names it"
        )
    body = archive.get(key)
    if body is None:
        raise InvalidMessage(f"archived snapshot {key} is missing; it had {reference.size:,} bytes")
    if len(body) != reference.size:
        raise InvalidMessage(f"archived snapshot {key} is {len(body):,} bytes; the reference says {reference.size:,}")
    digest = hashlib.sha256(body).hexdigest()
    if digest != reference.sha256:
        raise InvalidMessage(f"archived snapshot {key} has SHA-256 {digest}; the reference says {reference.sha256}")
    snapshot = decode(body, MarketSnapshot, limit=ARCHIVED_LIMIT)
    if snapshot.run_id != reference.run_id:
        raise InvalidMessage(
            f"archived snapshot {key} is of run {snapshot.run_id}; the reference's is {reference.run_id}"
        )
    return snapshot
